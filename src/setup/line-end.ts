/** How a text ends its lines, so that what is added to it does the same. */
export function lineEnd(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n'
}
