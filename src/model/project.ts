/** Longer ones are no directory that somebody works in. */
const charactersMax = 4_096

/**
 * What a session is about as a whole: the directory that it was worked in, from what its source says of it. Undefined where that
 * says none.
 */
export function projectOf(metadata: Readonly<Record<string, unknown>> | null): string | undefined {
  const directory = metadata?.['cwd']
  if (typeof directory !== 'string') return undefined
  const trimmed = directory.trim()
  if (trimmed === '' || trimmed.length > charactersMax) return undefined
  // A root is left as it is.
  return trimmed.replace(/(?<=[^/\\:])[/\\]+$/u, '')
}
