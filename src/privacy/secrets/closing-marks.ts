/** Before a blank or the end, also where the end of a sentence, a quote or a bracket comes first. */
const marks = /[!@#$%^&*]{1,10}(?=[.,;:)\]}"'”’»]{0,4}(?:\s|$))/uy

/**
 * Where a password ends of which `end` is known: marks that touch it belong to it. One that was an exclamation is hidden with it, which
 * tells less than a password without its last character.
 */
export function endWithMarks(text: string, end: number): number {
  marks.lastIndex = end
  return end + (marks.exec(text)?.[0].length ?? 0)
}
