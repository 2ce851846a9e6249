import { limits } from '../../limits.ts'
import type { FoundName } from '../../model/names.ts'
import { noName } from './name-words.ts'
import { placesOf } from './places-of-names.ts'

const wordsMax = 8
const lettersMin = 2
/** What takes part in a conversation, and is nobody. */
const roles = new Set(
  'user users human assistant agent system developer tool tools function model bot ai message conversation name names person people place organization company unknown none null true false yes no me my mine us our your him them everyone someone anybody nobody'.split(
    ' ',
  ),
)
/** Marks of code, of addresses and of data, which no name has. */
const codeMarks = /[_{}()[\]<>=|\\@#$%^*~`?;:+]|\d{3}/u
/** These the names of companies have, and several words: `Yahoo!`, `Booking.com`, `Barilla S.p.A.`, `Anna "Nan" Becker`. */
const marksOfOneWord = /[/"!]|\.\p{Ll}/u
/** A single word that begins small and goes on with a capital, or has a digit beside one: `getUser`, `iPhone`, `Utf8Reader`; not RuPaul. */
const codeWord = /^\p{Ll}.*\p{Lu}|\p{Ll}\p{Lu}.*\p{N}|\p{N}.*\p{Ll}\p{Lu}|\p{N}\p{Lu}\p{Ll}/u
/** Of alphabets that have capitals. */
const cased = /\p{Lu}|\p{Ll}/u

/**
 * Of names that a model gave those that can be masked: each stands in the text, letter by letter but for white space and not as a part of a word, has a
 * capital where its alphabet has any, is not long, and is no pronoun, role or piece of code. A text can bring a model to give
 * anything that stands in it: what is taken of that is bounded, and holds for the session of the text alone.
 */
export function usableNames(text: string, given: readonly FoundName[]): FoundName[] {
  const names = new Map<string, FoundName>()
  for (const { type, name } of given) {
    if (names.size >= limits.namesPerMessageMax) break
    // White space may be written otherwise in the text, as where a line ends.
    const trimmed = name.trim().replace(/\s+/gu, ' ')
    if (!names.has(trimmed) && mayBeName({ type, name: trimmed }) && placesOf(text, trimmed).length > 0)
      names.set(trimmed, { type, name: trimmed })
  }
  return [...names.values()]
}

function mayBeName({ type, name }: FoundName): boolean {
  if (name.length > limits.foundNameCharactersMax || codeMarks.test(name)) return false
  const words = name.split(' ')
  if (words.length > wordsMax) return false
  if ((name.match(/\p{L}/gu) ?? []).length < lettersMin) return false
  if (cased.test(name) && !/\p{Lu}/u.test(name)) return false
  if (words.length === 1 && type !== 'organization' && (marksOfOneWord.test(name) || codeWord.test(name))) return false
  return !words.every((word) => isCommon(word.toLowerCase().replace(/[^\p{L}\p{N}]+$/u, '')))
}

const isCommon = (word: string) => noName.has(word) || roles.has(word)
