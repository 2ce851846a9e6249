/** Whether `whole` is `part` with characters added and none taken away, changed or moved. */
export function isSubsequence(part: string, whole: string): boolean {
  let at = 0
  for (const character of whole) if (part.startsWith(character, at)) at += character.length
  return at === part.length
}
