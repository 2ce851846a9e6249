import { spawn } from 'node:child_process'
import { pathToFileURL } from 'node:url'

import { findVerbatim, howToInstall } from './verbatim-command.ts'

/** The MCP server of the manifest: is Verbatim, to OpenClaw, which knows only files of this package. */
const [program, script] = findVerbatim(undefined) ?? []
if (program === undefined) {
  process.stderr.write(`Verbatim was not found: ${howToInstall}\n`)
  process.exitCode = 1
} else if (script === undefined) {
  // A wrapper, which only its own process can run: it has this one's streams, and ends when its input does.
  const server = spawn(program, process.argv.slice(2), { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => server.kill(signal))
  server.on('error', (error: NodeJS.ErrnoException) => {
    process.stderr.write(`Verbatim could not be started: ${error.code ?? error.name}\n`)
    process.exitCode = 1
  })
  server.on('close', (code) => {
    process.exit(code ?? 1)
  })
} else {
  process.argv[1] = script
  await import(pathToFileURL(script).href)
}
