/** Options of the program itself that are followed by a value. */
const withValue: ReadonlySet<string> = new Set(['--tools', '--env-file'])

/** The arguments that are neither options nor values of the program's own: the first is a command, where there is one. */
export function wordsOf(args: readonly string[]): string[] {
  return args.filter((arg, index) => !arg.startsWith('-') && !withValue.has(args[index - 1] ?? ''))
}
