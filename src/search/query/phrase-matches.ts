import { type Atom, atomsOf, termCharactersMax } from '../../indexing/terms/tokenize.ts'

/**
 * Where a phrase of `parseQuery` stands in a text, word by word and case folded, as UTF-16 offsets; punctuation between the
 * words does not matter. Overlapping places are all given. O(text × phrase), and a phrase has `limits.queryTermsMax` atoms.
 */
export function phraseMatches(
  text: string,
  phrase: readonly string[],
): { readonly start: number; readonly end: number }[] {
  if (phrase.length === 0 || lacksPhrase(text, phrase)) return []
  const found: { start: number; end: number }[] = []
  // Where the stretch began of which so many words have been read. What may be an escape counts as a word and as nothing.
  const starts: (number | undefined)[] = []
  let deepest = 0
  for (const atom of atomsOf(text)) {
    let reached = 0
    for (let read = deepest; read >= 0; read--) {
      const start = read === 0 ? startOf(atom, phrase[0]) : starts[read]
      if (read > 0 && atom.mayBeEscape !== true) starts[read] = undefined
      else if (start !== undefined) reached = Math.max(reached, read)
      if (start === undefined || !isWord(atom, phrase[read])) continue
      if (read === phrase.length - 1) found.push({ start, end: atom.end })
      else {
        starts[read + 1] = start
        reached = Math.max(reached, read + 1)
      }
    }
    deepest = reached
  }
  return found
}

function startOf(atom: Atom, term: string | undefined): number {
  return atom.term === term ? atom.start : atom.start + 1
}

/** In source text and JSON the word after a line break has the letter of its escape before it. */
function isWord(atom: Atom, term: string | undefined): boolean {
  return term !== undefined && (atom.term === term || atom.afterEscape === term)
}

/** What is no letter or digit, or the letter of an escape. */
const between = String.raw`[^a-z0-9]*(?:(?<=\\)[nrtbfv][^a-z0-9]*)*`
/** What may stand between two neighbouring words: the 's of a possessive, what is no letter or digit, an article (l'homme). */
const gap = `(?:'s)?${between}(?:[a-z]{1,8}'${between})?`

/**
 * Tells cheaply of most texts without the phrase that they lack it: of 3 MB in 5 ms instead of 400 ms, and a search for a
 * phrase of common words reads hundreds of texts. In ASCII folding is lower case; of other texts, of words that are not plain
 * letters and digits, and where apostrophes stand close to each other nothing is said.
 */
function lacksPhrase(text: string, phrase: readonly string[]): boolean {
  if (/[^\0-\x7f]/.test(text)) return false
  const lower = text.toLowerCase()
  if (phrase.some((word) => !lower.includes(word))) return true
  const arePlain = phrase.every((word) => word.length < termCharactersMax && /^[a-z0-9]+$/.test(word))
  return arePlain && !/'\w{0,8}'/.test(lower) && !new RegExp(phrase.join(gap)).test(lower)
}
