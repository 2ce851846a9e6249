import { accessSync, constants, realpathSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, dirname, join } from 'node:path'

import { environment } from './environment.ts'

/** A program and its first arguments. */
export type Command = readonly [string, ...string[]]

/**
 * How Verbatim is started: as the settings say, else the package that is installed beside this one, else `verbatim` on the
 * PATH. Undefined where there is none.
 */
export function findVerbatim(configured: readonly string[] | undefined): Command | undefined {
  const [program, ...args] = configured ?? []
  if (program !== undefined) return [program, ...args]
  const script = installedScript()
  return script === undefined ? findOnPath() : [process.execPath, script]
}

/** Looks for Verbatim each time that it is needed: it may be installed, or moved by an update, while the gateway runs. */
export type FindVerbatim = () => Command | undefined

export const howToInstall =
  'install it with "npm install -g verbatim-mcp", or say where it is: openclaw config set plugins.entries.verbatim.config.command \'["/path/to/node", "/path/to/verbatim-mcp/dist/cli/main.js"]\' --strict-json'

function installedScript(): string | undefined {
  try {
    const manifest = createRequire(import.meta.url).resolve('verbatim-mcp/package.json')
    return join(dirname(manifest), 'dist', 'cli', 'main.js')
  } catch {
    // It is an optional peer: not installed here.
    return undefined
  }
}

function findOnPath(): Command | undefined {
  for (const directory of (environment()['PATH'] ?? '').split(delimiter)) {
    if (directory === '') continue
    try {
      const path = join(directory, 'verbatim')
      // npm puts a link to the script there. A wrapper, such as a shell script, starts it itself, by the name that it has there.
      const script = realpathSync(path)
      if (script.endsWith('.js')) return [process.execPath, script]
      accessSync(path, constants.X_OK)
      if (statSync(path).isFile()) return [path]
    } catch {
      // Not in this directory, or not to be run.
    }
  }
  return undefined
}
