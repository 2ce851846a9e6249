/** What is longer says something. */
const wordsMax = 6

/** Whether a line of a summary only says what the lines under it are about, or is nothing but a rule. */
export function isHeadingLine(line: string): boolean {
  const words = line.match(/[\p{L}\p{N}]+/gu) ?? []
  if (words.length === 0) return true
  return words.length <= wordsMax && /^\s*#|:[\s*_]*$|^\s*\*\*[^*]+\*\*\s*$/u.test(line)
}
