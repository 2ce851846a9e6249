import { parseArgs } from 'node:util'

import { readConfig, readEnvFile, type Config } from '../config.ts'
import { InputError, VerbatimError, messageOf } from '../errors.ts'
import { createLog } from '../log.ts'
import { serveStdio } from '../mcp/stdio.ts'
import { selectTools } from '../mcp/tool-list.ts'
import { localCaller } from '../model/access.ts'
import type { Verbatim } from '../verbatim.ts'
import { packageVersion } from '../version.ts'
import { exitCodes } from './exit-codes.ts'

interface ServerArguments {
  readonly readOnly: boolean
  readonly tools: readonly string[] | undefined
  readonly envFile: string | undefined
}

function readServerArguments(args: readonly string[]): ServerArguments {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { 'read-only': { type: 'boolean' }, tools: { type: 'string' }, 'env-file': { type: 'string' } },
    })
    const tools = values.tools?.split(',').map((name) => name.trim())
    return {
      readOnly: values['read-only'] === true,
      tools: tools?.filter((name) => name.length > 0),
      envFile: values['env-file'],
    }
  } catch (error) {
    throw new InputError(messageOf(error), { remedy: 'Run "verbatim --help" to see the options', cause: error })
  }
}

/** Opens the store when it is first needed, once; a failed attempt is made again by the next request. */
function lazily(open: () => Promise<Verbatim>): () => Promise<Verbatim> {
  let opening: Promise<Verbatim> | undefined
  return () => {
    opening ??= open().catch((error: unknown) => {
      opening = undefined
      throw error
    })
    return opening
  }
}

/** Runs the MCP server on stdin and stdout until the client goes away. Returns the exit code. */
export async function runStdioServer(args: readonly string[]): Promise<number> {
  let config: Config
  let server: ServerArguments
  try {
    server = readServerArguments(args)
    config = readConfig(server.envFile === undefined ? undefined : readEnvFile(server.envFile))
    selectTools({ readOnly: server.readOnly, only: server.tools })
  } catch (error) {
    if (!(error instanceof VerbatimError)) throw error
    process.stderr.write(`verbatim: ${error.message}\n${error.remedy === undefined ? '' : `${error.remedy}\n`}`)
    return exitCodes.usage
  }
  const log = createLog(config.logLevel)
  const version = packageVersion()
  // The store's process begins to start now, beside the handshake and not in front of the first call.
  const composing = import('../compose.ts')
  void composing
    .then(({ startStoreEarly }) => startStoreEarly(config))
    .catch((error: unknown) => log.warn(messageOf(error)))
  if (process.stdin.isTTY) {
    const { greet } = await import('./greeting.ts')
    await greet({ version, config })
  }
  const open = lazily(async () => (await composing).openVerbatim(config))
  const leave = () => process.stdin.destroy()
  process.once('SIGTERM', leave).once('SIGINT', leave).once('SIGHUP', leave)
  await serveStdio({
    version,
    tools: selectTools({ readOnly: server.readOnly, only: server.tools }),
    readOnly: server.readOnly,
    open,
    caller: (client) => localCaller(client),
    log,
  })
  return exitCodes.ok
}
