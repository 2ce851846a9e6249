import { pathToFileURL } from 'node:url'

import { findScript, howToInstall } from './verbatim-command.ts'

/** The MCP server of the manifest: is Verbatim, in this process, to OpenClaw, which knows only files of this package. */
const script = findScript()
if (script === undefined) {
  process.stderr.write(`Verbatim was not found: ${howToInstall}\n`)
  process.exitCode = 1
} else {
  process.argv[1] = script
  await import(pathToFileURL(script).href)
}
