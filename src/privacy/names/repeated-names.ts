import type { Detection } from '../detection.ts'

const nameWords = /\p{Lu}[\p{L}\p{M}'’]{2,30}(?:-\p{Lu}[\p{L}\p{M}'’]{1,30})?/gu
/** Beyond these a text is a list of names, and each of them was found where it stands. */
const wordsMax = 400
const titleWords =
  /^(?:mrs?|ms|miss|dr|prof(?:essor)?|sir|lord|lady|judge|justice|herrn?|frau|monsieur|madame|mme|don)$/iu

/**
 * Where the words of names that were found stand elsewhere in the text: whoever is "Mrs Anna Christou" once is "Christou"
 * after that. A word that the text also writes small is a word, not a name.
 */
export function repeatedNames(text: string, found: readonly Detection[]): Detection[] {
  const words = new Set<string>()
  for (const { type, start, end } of found) {
    if (type !== 'person' || words.size >= wordsMax) continue
    for (const [word] of text.slice(start, end).matchAll(nameWords)) if (!titleWords.test(word)) words.add(word)
  }
  if (words.size === 0) return []
  const lower = new Set([...text.matchAll(/(?<![\p{L}\p{M}])\p{Ll}[\p{L}\p{M}'’]{2,30}/gu)].map(([word]) => word))
  return [...text.matchAll(nameWords)]
    .filter(([word]) => words.has(word) && !lower.has(word.toLowerCase()))
    .map(({ 0: word, index }) => ({ type: 'person', start: index, end: index + word.length, confidence: 0.5 }))
}
