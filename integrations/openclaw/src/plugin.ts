import { join } from 'node:path'

import { Capture } from './capture.ts'
import { Cursors } from './cursors.ts'
import { Delivery } from './delivery.ts'
import { environment } from './environment.ts'
import type { Host } from './host.ts'
import { lookBeforeStop } from './look-before-stop.ts'
import { DeltaReader, importReadDelta } from './reading/delta-reader.ts'
import { MessagesReader } from './reading/messages-reader.ts'
import { StoreReader } from './reading/store-reader.ts'
import { Recall } from './recall.ts'
import { capturedSession, isShared } from './session.ts'
import { hasOwnServer, mayReadConversations, readSettings, type Settings } from './settings.ts'
import { Spool } from './spool.ts'
import { forgetFirstStart, UnreadSessions } from './unread-sessions.ts'
import { findVerbatim, howToInstall, type FindVerbatim } from './verbatim-command.ts'

const howToAllow =
  'openclaw config set plugins.entries.verbatim.hooks.allowConversationAccess true --strict-json, and restart the gateway'

/** OpenClaw loads this. Nothing is read or started before a hook is called. */
export default {
  id: 'verbatim',
  name: 'Verbatim',
  description: 'Keeps every row of every session word for word, and recalls what earlier sessions hold',
  register,
}

function register(host: Host): void {
  if (!mayReadConversations(host.config)) {
    host.logger.warn(
      `Verbatim captures nothing and recalls nothing by itself, as OpenClaw shows conversations only to plugins that you allow it to: ${howToAllow}`,
    )
    registerNoCapture(host)
    return
  }
  const settings = readSettings(host.pluginConfig)
  const find = () => findVerbatim(settings.command)
  if (find() === undefined)
    host.logger.error(
      `Verbatim was not found: ${howToInstall}. Until then rows wait on disk, and it is looked for again`,
    )
  tellOfTwoStores(host, settings)
  if (settings.capture) registerCapture(host, settings, find)
  else registerNoCapture(host)
  if (settings.recall) registerRecall(host, settings, find)
}

/** OpenClaw starts MCP servers with little of its environment: the one of the manifest would use another store than this plugin. */
function tellOfTwoStores(host: Host, settings: Settings): void {
  const env = environment(settings.env)
  const naming = ['VERBATIM_HOME', 'DATABASE_URL'].filter((name) => env[name] !== undefined)
  if (naming.length === 0 || hasOwnServer(host.config)) return
  host.logger.warn(
    `Verbatim: the memory is split, as ${naming.join(' and ')} is set for capture and recall only: the tools that the model calls use Verbatim's default store. Run "verbatim setup openclaw --write" with the same setting: it adds mcp.servers.verbatim with it`,
  )
}

/** Where the plugin keeps what is its own. */
function ownDirectory(host: Host): string {
  return join(host.runtime.state.resolveStateDir(), 'verbatim')
}

function registerNoCapture(host: Host): void {
  const forget = () => forgetFirstStart({ directory: ownDirectory(host), log: host.logger })
  host.on('gateway_start', forget)
  host.on('gateway_stop', forget)
}

function registerCapture(host: Host, settings: Settings, find: FindVerbatim): void {
  const stateDirectory = () => host.runtime.state.resolveStateDir()
  const directory = ownDirectory(host)
  const spool = new Spool(join(directory, 'spool'), { bytesMax: settings.spoolMegabytes * 1024 * 1024 })
  const log = host.logger
  const env = environment(settings.env)
  const delivery = new Delivery({ spool, find, env, log })
  const delta = new DeltaReader(importReadDelta, () =>
    log.warn("Verbatim: OpenClaw's reader answers in a shape that is not known; its store is read instead"),
  )
  const all = [delta, new StoreReader(stateDirectory), new MessagesReader()]
  const cursors = new Cursors(join(directory, 'cursors'))
  const unread = new UnreadSessions({ directory, stateDirectory, cursors, log })
  const capture = new Capture({
    readers: settings.readers.flatMap((name) => all.filter((reader) => reader.name === name)),
    cursors,
    spool,
    log,
    onSpooled: () => delivery.wake(),
  })
  host.on('agent_end', async (event, context) => {
    const session = capturedSession(context)
    if (session !== undefined) await capture.turnEnded(session, event.messages)
  })
  const look = async (context: Parameters<typeof capturedSession>[0]): Promise<void> => {
    const session = capturedSession(context)
    if (session !== undefined) await capture.look(session)
  }
  // What these tell of the session stands in the event as well; which agent's it is, in the context alone.
  host.on('session_end', (event, context) => look({ ...context, ...given(event) }))
  host.on('session_start', (event, context) => look({ ...context, ...given(event) }))
  host.on('after_compaction', (_event, context) => look(context))
  host.on('gateway_start', async () => {
    delivery.wake()
    // What was written while the plugin was not there.
    const skip = (sessionId: string, reason: string) =>
      log.warn(`Verbatim: it cannot be read how far session ${sessionId} was captured (${reason}); the others are`)
    for (const session of await cursors.sessions(Date.now(), skip)) await capture.look(session)
    for (const session of await unread.find(Date.now())) await capture.look(session)
  })
  host.on('gateway_stop', async () => {
    await lookBeforeStop({ capture, unread })
    delivery.close()
  })
}

function given(event: { readonly sessionId: string; readonly sessionKey?: string | undefined }) {
  const { sessionId, sessionKey } = event
  return sessionKey === undefined ? { sessionId } : { sessionId, sessionKey }
}

function registerRecall(host: Host, settings: Settings, find: FindVerbatim): void {
  const { recallMaxTokens: maxTokens, recallTimeoutMs: timeoutMs, recallFirstTimeoutMs: firstTimeoutMs } = settings
  const env = environment(settings.env)
  const recall = new Recall({ find, env, log: host.logger, maxTokens, timeoutMs, firstTimeoutMs })
  host.on(
    'before_prompt_build',
    async (event, context) => {
      // Runs that no person started ask for nothing, and nothing of an incognito session leaves it.
      const isAsked = context.trigger === undefined || context.trigger === 'user'
      const session = capturedSession(context)
      if (!isAsked || session === undefined) return undefined
      // What was said in private is not for those who read along.
      if (isShared(session.sessionKey) && !settings.recallInGroups) return undefined
      return await recall.before({ ...event, sessionId: `${session.agentId}/${session.sessionId}` })
    },
    { timeoutMs: Math.max(timeoutMs, firstTimeoutMs) + 500 },
  )
  host.on('gateway_start', () => void recall.warm())
  host.on('gateway_stop', () => recall.close())
}
