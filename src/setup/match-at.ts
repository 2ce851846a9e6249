/** What `pattern` matches at exactly this place of a text; empty where it does not match there. */
export function matchAt(pattern: RegExp, text: string, at: number): string {
  // A sticky pattern keeps its place from one call to the next; a copy has none yet.
  const sticky = new RegExp(pattern.source, 'y')
  sticky.lastIndex = at
  return sticky.exec(text)?.[0] ?? ''
}
