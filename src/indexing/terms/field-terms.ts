import { tokenize } from './tokenize.ts'

/**
 * Terms that stand for a field of a message and not for a word of its text. NUL separates them from every word: the
 * tokenizer gives no term with it.
 */

/** Told of the first part of each message: one word of its sender's name, folded as words are. */
export function senderTerm(word: string): string {
  return `sender\0${word}`
}

/** Those of a whole name, each once. */
export function senderTerms(name: string): string[] {
  return [...new Set(tokenize(name, { language: null, stems: false }).map(({ term }) => senderTerm(term)))]
}

/** Told of the first part of each message that is a standing instruction or a preference. */
export const standingTerm = 'trait\0standing'
