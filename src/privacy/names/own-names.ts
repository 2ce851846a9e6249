import type { FoundName } from '../../model/names.ts'

/**
 * Of the names that were found in a session those that are not of one of its participants: without their name as a person's, and without
 * single words of it that nobody else has, among the participants or the people who were found.
 */
export function namesOfOthers(
  found: readonly FoundName[],
  own: string | undefined,
  participants: readonly string[],
): readonly FoundName[] {
  if (own === undefined) return found
  const ownWords = new Set(wordsOf(own))
  const people = found.flatMap(({ type, name }) => (type === 'person' ? [name] : []))
  const shared = new Set(
    [...participants, ...people]
      .filter((name) => name !== own && !ownWords.has(name))
      .flatMap((name) => wordsOf(name).filter((word) => ownWords.has(word))),
  )
  return found.filter(
    ({ type, name }) => type !== 'person' || (name !== own && !(ownWords.has(name) && !shared.has(name))),
  )
}

function wordsOf(name: string): string[] {
  return name.split(/\s+/u).filter((word) => word !== '')
}
