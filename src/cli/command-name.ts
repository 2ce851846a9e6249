import { basename, relative } from 'node:path'

/** How the user called this program, to be called so again: `verbatim` where it is installed, else with its path. */
export function commandName(script: string | undefined = process.argv[1]): string {
  if (script === undefined || !basename(script).startsWith('main.')) return 'verbatim'
  const near = relative(process.cwd(), script)
  return `node ${near.startsWith('..') ? script : near}`
}
