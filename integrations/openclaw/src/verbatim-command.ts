import { realpathSync } from 'node:fs'
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
  const script = findScript()
  return script === undefined ? undefined : [process.execPath, script]
}

/** Verbatim's own script, where it is installed. */
export function findScript(): string | undefined {
  return installedScript() ?? scriptOnPath()
}

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

function scriptOnPath(): string | undefined {
  for (const directory of (environment()['PATH'] ?? '').split(delimiter)) {
    if (directory === '') continue
    try {
      // npm puts a link to the script there; what is no script, such as a wrapper, Node.js cannot run.
      const path = realpathSync(join(directory, 'verbatim'))
      if (path.endsWith('.js')) return path
    } catch {
      // Not in this directory.
    }
  }
  return undefined
}
