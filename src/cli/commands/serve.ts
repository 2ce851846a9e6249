import type { Command } from 'commander'

import type { FirstToken } from '../../access/first-token.ts'
import { isLoopback, readConfig, readEnvFile, type Config } from '../../config.ts'
import { InputError } from '../../errors.ts'
import { createLog } from '../../log.ts'
import { refuseOtherSetting } from '../../store/keys/refuse-other-setting.ts'
import { packageVersion } from '../../version.ts'
import { wholeNumber } from '../parse-options.ts'

interface ServeOptions {
  readonly host?: string
  readonly port?: number
  readonly insecureNoAuth?: boolean
}

/** How long requests that were being worked on when the process was told to leave may take to end. */
const finishMs = 10_000

export function registerServe(program: Command): void {
  program
    .command('serve')
    .description('serve MCP over HTTP, until it is told to leave (SIGTERM, Ctrl-C)')
    .option('--host <address>', 'the address to listen on; default: VERBATIM_HTTP_HOST')
    .option('--port <n>', 'the port; default: VERBATIM_HTTP_PORT', wholeNumber(0, 65_535))
    .option('--insecure-no-auth', 'let every program of this machine in without a token')
    .action(async (options: ServeOptions) => {
      const global = program.opts<{ envFile?: string; readOnly?: boolean; tools?: string }>()
      const config = readConfig(global.envFile === undefined ? undefined : readEnvFile(global.envFile), {
        logLevel: 'info',
      })
      const host = options.host ?? config.http.host
      refuseOpenDoor(host, options.insecureNoAuth === true)
      const tools = {
        readOnly: global.readOnly === true,
        only: global.tools?.split(',').map((name) => name.trim()),
      }
      const { selectTools } = await import('../../mcp/tool-list.ts')
      selectTools(tools)
      const { openServed } = await import('../../compose.ts')
      const log = createLog(config.logLevel)
      const {
        verbatim: opened,
        observer,
        metrics,
        tracing,
      } = await openServed(config, { version: packageVersion(), log })
      await using _tracing = tracing
      await using verbatim = opened
      await refuseOtherSetting(verbatim.stores.database)
      await verbatim.stores.archive.check()
      const { startHttp, startMetrics } = await import('../../compose-http.ts')
      await using metricsServer = await startMetrics(config, metrics, log)
      const { server, firstToken } = await startHttp(config, verbatim, {
        host,
        port: options.port ?? config.http.port,
        isOpenToAll: options.insecureNoAuth === true,
        tools,
        log,
        observer,
        metrics,
      })
      // It stays, so there is nothing to wait for.
      verbatim.stores.database.needWork?.()
      const url = urlOf(host, server.port)
      const lines = [
        ...aboutUrl(config, url),
        ...aboutToken(config, firstToken, url),
        ...aboutMetrics(config, metricsServer),
      ]
      process.stderr.write(`${lines.join('\n')}\n`)
      await toldToLeave()
      await server.close(finishMs)
    })
}

function refuseOpenDoor(host: string, isOpen: boolean): void {
  if (!isOpen || isLoopback(host)) return
  throw new InputError(`Cannot serve on ${host} without access tokens as other machines can reach it`, {
    remedy: 'Leave --insecure-no-auth out, or listen on 127.0.0.1',
  })
}

function aboutUrl(config: Config, url: string): string[] {
  return config.role === 'worker'
    ? [`Verbatim ${packageVersion()} works in the background; its state is at ${url}/readyz`]
    : [`Verbatim ${packageVersion()} serves MCP at ${url}/mcp`]
}

function aboutToken({ role }: Config, token: FirstToken | undefined, url: string): string[] {
  if (token === undefined)
    return ['WITHOUT access tokens: every program of this machine can read and change this memory.']
  const { path, isGood } = token
  if (!isGood) return [`The token in ${path} was revoked. Make another: verbatim token create --name …`]
  // It serves no MCP that a client could be given.
  if (role === 'worker') return [`/metrics asks for a token with memory:admin, as the content of ${path} is`]
  return [
    `Access token: the content of ${path}, sent as "Authorization: Bearer …". For example:`,
    `  claude mcp add --transport http verbatim ${url}/mcp --header "Authorization: Bearer $(cat ${path})"`,
    'More tokens, with fewer rights: verbatim token create --name … --scopes memory:read',
  ]
}

function aboutMetrics({ http: { metrics } }: Config, server: { readonly port: number } | undefined): string[] {
  return metrics === undefined || server === undefined
    ? []
    : [`Metrics without a token: ${urlOf(metrics.host, server.port)}/metrics`]
}

function urlOf(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

async function toldToLeave(): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(name, () => resolve())
  })
}
