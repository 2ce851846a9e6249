import { fold } from '../../indexing/terms/fold.ts'
import { isStopWord } from '../../indexing/terms/stop-words.ts'
import { hasBelowZero, numbersBelowZero, withoutSharedLetters } from './marked-numbers.ts'
import { claimedNumbers, isThere, numbersThere, withoutNumbers } from './number-words.ts'
import { unsupportedIn } from './unsupported.ts'

/** Words that begin a sentence of a summary, besides function words, and are no names. */
const starts = new Set(
  `agreed although asked assistant attention current currently decided decision decisions discussion during earlier finally first
  instead initially later meanwhile next nobody nothing now open originally otherwise participants pending people question questions
  remaining second since somebody someone still team then third today tomorrow two user users work yesterday yet`.split(
    /\s+/u,
  ),
)
/** Whether a word, folded, is of those that a summary says of the conversation itself, as "the user asked". */
export function isAboutTalk(term: string): boolean {
  return starts.has(term)
}

/** Function words that are names too. */
const alsoNames = new Set(['will', 'may', 'don', 'elle', 'al'])
/** A sentence is too short to tell its language by. */
const languages = ['en', 'de', 'fr', 'es', 'it', 'pt', 'nl', 'ru'] as const

/** Paths, addresses, and names of things in code. */
const identifier = /(?<![\p{L}\p{M}\p{N}~-])[\p{L}\p{M}\p{N}~-]*(?:(?:::|[./\\@]|_+)[\p{L}\p{M}\p{N}~-]+)+/gu
/** What is quoted as code, whatever its case. */
const codeSpan = /`([^`\n]{1,200})`/gu
/** Looked for as a number. */
const isNumber = /^[\d./-]+(?:k|m|b|bn|mln)?$/u
const noIdentifier = /^(?:e\.g|i\.e|z\.b|d\.h|u\.a|p\.ex|and\/or)$/iu

/**
 * Whether a text has every name, number, path and address that a sentence has, and all that it quotes as code: spelled the same, but for case.
 * A word with a capital counts as a name, apart from ordinary words at the beginning. It says nothing of whether the sentence is true to it.
 */
export function isBorneOut(sentence: string, source: string): boolean {
  return lackingIn(sentence, source).length === 0
}

/** Those that it does not have, each once; with an empty text all that would be looked for. */
export function lackingIn(sentence: string, source: string): readonly string[] {
  const has = folded(source)
  const written = sentence.normalize('NFKC')
  const own = withoutSharedLetters(written, source.normalize('NFKC'))
  const counts = claimedNumbers(own)
  const there = numbersThere(source)
  const lowered = folded(sentence)
  const names = lowered.match(identifier) ?? []
  const spaced = withOneSpace(has)
  const quoted = [...lowered.matchAll(codeSpan)].map(([, code = '']) => withOneSpace(code).trim())
  return [
    ...new Set([
      ...unsupportedIn(withoutStart(withoutNumbers(own, counts)), there.plain, there.spelled),
      ...lackingBelowZero(written, source),
      ...counts.filter((count) => !isThere(count, there)).map(({ text }) => text),
      ...names.filter((one) => !noIdentifier.test(one) && !isNumber.test(one) && !stands(one, has)),
      ...quoted.filter((code) => code !== '' && !stands(code, spaced)),
    ]),
  ]
}

function lackingBelowZero(sentence: string, source: string): readonly string[] {
  const claimed = numbersBelowZero(sentence)
  if (claimed.size === 0) return []
  const isBelow = hasBelowZero(source.normalize('NFKC'))
  return [...claimed].flatMap(([digits, text]) => (isBelow(digits) ? [] : [text]))
}

/**
 * Whether a path, an address or a name of code stands in a text: by its last segments too, or by the folder that it is in, but not cut off in
 * the midst of a word or of a host's name.
 */
function stands(one: string, text: string): boolean {
  // Before the @ of an address all is one name.
  const joinsBefore = one.includes('@') ? /[\p{L}\p{N}_.+-]$/u : /[\p{L}\p{N}_-]$/u
  const joinsBehind = /^(?:[\p{L}\p{N}_]|[.-]{1,8}[\p{L}\p{N}])/u
  for (let at = text.indexOf(one); at >= 0; at = text.indexOf(one, at + 1)) {
    const end = at + one.length
    if (!joinsBefore.test(text.slice(Math.max(0, at - 2), at)) && !joinsBehind.test(text.slice(end, end + 10)))
      return true
  }
  return false
}

const withOneSpace = (text: string) => text.replaceAll(/\s+/gu, ' ')

const folded = (text: string) => text.normalize('NFKC').toLowerCase()

/** A sentence whose first word has no capital where it is an ordinary word. */
function withoutStart(sentence: string): string {
  const [word] = /^\p{Lu}[\p{Ll}\p{M}'’]*(?![\p{L}\p{N}_-])/u.exec(sentence) ?? []
  if (word === undefined) return sentence
  const term = fold(word)
  const isOrdinary = starts.has(term) || (!alsoNames.has(term) && isStopWord(term, languages))
  return isOrdinary ? `${word.toLowerCase()}${sentence.slice(word.length)}` : sentence
}
