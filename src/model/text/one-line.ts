/**
 * A name or a title as it stands in a line among others: whoever wrote it may have put line breaks into it, after which lines would look like
 * those of another message.
 */
export function inOneLine(text: string): string {
  return text.replaceAll(/[\s\u0085]+/g, ' ').trim()
}
