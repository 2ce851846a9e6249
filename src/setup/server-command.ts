import { posix, win32 } from 'node:path'

import { InputError } from '../errors.ts'
import type { SetupServer } from './entry.ts'

/** `caution` says, in a sentence, why the command may stop working one day; it is to be shown to the user. */
type ServerCommand = SetupServer & { readonly caution?: string }

/**
 * The command that clients start Verbatim with: this Node.js and this script, both by absolute path.
 *
 * Neither `npx verbatim-mcp` nor a bare `node` or `verbatim`: a client that was started from the Dock, the Start menu
 * or by a service manager does not have the shell's PATH, so under nvm, fnm, mise or Homebrew it finds none of them
 * ("spawn npx ENOENT" is the most frequent complaint about MCP servers). npx would also add a package look-up to every
 * start, which OpenClaw gives 1.5 s, and a process in between that must pass on the end of stdin. On Windows a full
 * path to node.exe needs no `cmd /c`, which a `.cmd` shim would.
 *
 * `execPath` is `process.execPath`, `scriptPath` the absolute path of `dist/cli/main.js`. Throws InputError when one
 * of them is relative.
 */
export function serverCommand(options: {
  readonly execPath: string
  readonly scriptPath: string
  readonly platform: NodeJS.Platform
}): ServerCommand {
  const paths = options.platform === 'win32' ? win32 : posix
  for (const path of [options.execPath, options.scriptPath]) {
    if (!paths.isAbsolute(path)) {
      throw new InputError(
        `Cannot write the server's command as its paths must be absolute: current value is "${path}"`,
      )
    }
  }
  const server = { command: stableNode(options.execPath), args: [options.scriptPath] }
  const caution = cautionFor(options.scriptPath)
  return caution === undefined ? server : { ...server, caution }
}

/** Homebrew removes the versioned directory at the next upgrade and keeps `opt/<formula>` pointing to the new one. */
function stableNode(execPath: string): string {
  return execPath.replace(/\/Cellar\/([^/]+)\/[^/]+\/bin\/node$/, '/opt/$1/bin/node')
}

/** npx, pnpm dlx and bunx run packages from caches that they empty without asking. */
function cautionFor(scriptPath: string): string | undefined {
  const isCached = scriptPath
    .split(/[\\/]/)
    .some((part) => part === '_npx' || part.startsWith('dlx-') || part.startsWith('bunx-'))
  if (!isCached) return undefined
  return 'Verbatim runs from a temporary package cache, which may be emptied: run `npm install -g verbatim-mcp` and then `verbatim setup` again'
}
