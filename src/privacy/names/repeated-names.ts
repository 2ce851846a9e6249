import type { Detection } from '../detection.ts'
import { smallWords } from './small-words.ts'

const nameWords = /\p{Lu}[\p{L}\p{M}'’]{2,30}(?:-\p{Lu}[\p{L}\p{M}'’]{1,30})?/gu
/** Beyond these a text is a list of names, and each of them was found where it stands. */
const wordsMax = 400
const titleWords =
  /^(?:mrs?|ms|miss|dr|prof(?:essor)?|sir|lord|lady|judge|justice|herrn?|frau|monsieur|madame|mme|don)$/iu

/** Names that are months too: not of a person where they stand in a date. */
const monthWords = /^(?:april|may|june|august)$/iu
const dateBefore =
  /(?:(?<!\p{L})(?:in|since|until|till|during|early|late|mid|this|next|last|every|each|end of|beginning of|start of)|\d(?:st|nd|rd|th|\.)?(?: of)?)[ -]$/iu
const dateAfter = /^,? \d/u

/**
 * Where the words of names that were found stand elsewhere in the text: whoever is "Mrs Anna Christou" once is "Christou"
 * after that. A word that the text also writes small is a word, not a name.
 */
export function repeatedNames(text: string, found: readonly Detection[]): Detection[] {
  const names = found.filter(({ type }) => type === 'person').map(({ start, end }) => text.slice(start, end))
  return repeatedWords(text, wordsOfNames(names))
}

/** The words that names of people are made of, as far as each may stand for them alone. */
export function wordsOfNames(names: readonly string[]): ReadonlySet<string> {
  const words = new Set<string>()
  for (const name of names) {
    if (words.size >= wordsMax) break
    for (const [word] of name.matchAll(nameWords)) if (!titleWords.test(word)) words.add(word)
  }
  return words
}

/** Where words of names stand in a text that does not write them small too; `small` are words that are written so elsewhere. */
export function repeatedWords(
  text: string,
  words: ReadonlySet<string>,
  small: ReadonlySet<string> = new Set(),
): Detection[] {
  if (words.size === 0) return []
  const smallHere = smallWords(text, words)
  return [...text.matchAll(nameWords)]
    .filter(({ 0: word, index }) => {
      const lower = word.toLowerCase()
      if (!words.has(word) || smallHere.has(lower) || small.has(lower)) return false
      return !(monthWords.test(word) && isInDate(text, { start: index, end: index + word.length }))
    })
    .map(({ 0: word, index }) => ({ type: 'person', start: index, end: index + word.length, confidence: 0.5 }))
}

function isInDate(text: string, { start, end }: { readonly start: number; readonly end: number }): boolean {
  return dateBefore.test(text.slice(Math.max(0, start - 16), start)) || dateAfter.test(text.slice(end, end + 3))
}
