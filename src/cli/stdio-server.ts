import { homedir } from 'node:os'
import { parseArgs } from 'node:util'

import { processEnvironment, readConfig, readEnvFile } from '../config.ts'
import { InputError, messageOf } from '../errors.ts'
import { createLog } from '../log.ts'
import type { ToolDefinition } from '../mcp/define-tool.ts'
import { serveStdio } from '../mcp/stdio.ts'
import { firstTenantId, localCaller } from '../model/access.ts'
import { startStoreEarly } from '../start-store.ts'
import type { Verbatim } from '../verbatim.ts'
import { packageVersion } from '../version.ts'
import { exitCodes } from './exit-codes.ts'
import { tellError } from './tell-error.ts'

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

async function loadTools(server: ServerArguments): Promise<readonly ToolDefinition[]> {
  const { selectTools } = await import('../mcp/tool-list.ts')
  return selectTools({ readOnly: server.readOnly, only: server.tools })
}

/** Makes a thing when it is first needed, once; a failed attempt is made again by the next request. */
function lazily<T>(make: () => Promise<T>): () => Promise<T> {
  let making: Promise<T> | undefined
  return () => {
    making ??= make().catch((error: unknown) => {
      making = undefined
      throw error
    })
    return making
  }
}

/** Runs the MCP server on stdin and stdout until the client goes away. Returns the exit code; what fails is said on stderr. */
export async function runStdioServer(args: readonly string[]): Promise<number> {
  try {
    await serve(readServerArguments(args))
    return exitCodes.ok
  } catch (error) {
    return tellError(error)
  }
}

async function serve(server: ServerArguments): Promise<void> {
  const config = readConfig(server.envFile === undefined ? undefined : readEnvFile(server.envFile))
  // Names of tools that do not exist are refused at the start; without any, nothing is loaded before the handshake.
  if (server.tools !== undefined) await loadTools(server)
  const log = createLog(config.logLevel)
  const version = packageVersion()
  // The store's process begins to start now, beside the handshake and not in front of the first call. What talks to it is
  // loaded after the handshake: loading it costs more than all the rest.
  if (config.store.kind === 'embedded') startStoreEarly(config, version)
  if (process.stdin.isTTY) {
    const { greet } = await import('./greeting.ts')
    await greet({ version, config })
  }
  let opened: Promise<Verbatim> | undefined
  let tenantId: number | undefined
  const open = lazily(async () => {
    const user = { home: homedir(), environment: processEnvironment() }
    const { loadSearch, openVerbatim } = await import('../compose.ts')
    opened = openVerbatim(config, undefined, user)
    const verbatim = await opened
    const { database } = verbatim.stores
    try {
      if (config.tenant !== undefined) {
        const { tenantIdOf } = await import('../access/tenants.ts')
        tenantId = await tenantIdOf(database, config.tenant)
      }
      const { refuseOtherSetting } = await import('../store/keys/refuse-other-setting.ts')
      // While the store's process answers.
      await Promise.all([refuseOtherSetting(database), loadSearch()])
      await database.vault.check(tenantId ?? firstTenantId)
    } catch (error) {
      // It is opened anew by the next request.
      await verbatim[Symbol.asyncDispose]()
      throw error
    }
    return verbatim
  })
  const leave = () => process.stdin.destroy()
  process.once('SIGTERM', leave).once('SIGINT', leave).once('SIGHUP', leave)
  await serveStdio({
    version,
    tools: lazily(() => loadTools(server)),
    readOnly: server.readOnly,
    open,
    // Nothing is asked of the store before it is open.
    caller: (client) => ({ ...localCaller(client, tenantId), door: { origin: 'stdio', auth: 'local' } }),
    log,
  })
  // The newest rows of the audit log are written; on a server this process has work of its own to hand back.
  await (await opened)?.[Symbol.asyncDispose]()
}
