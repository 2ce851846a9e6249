import { setImmediate as turn } from 'node:timers/promises'

import { describeForLog, InputError, NotFoundError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Log } from '../log.ts'
import type { Caller, Scope } from '../model/access.ts'
import type { Observer } from '../ports/observer.ts'
import type { Verbatim } from '../verbatim.ts'
import { callTool, describeError, opensSession, type ToolResult } from './call-tool.ts'
import type { ToolDefinition } from './define-tool.ts'
import { complete, getPrompt, text, type Params } from './protocol-answers.ts'
import { failureOf } from './protocol-failure.ts'
import { lacksScope, promptGet, refusedTool, request, resourceRead, type RecordedRequest } from './recorded-request.ts'
import { Subscriptions } from './subscriptions.ts'
import { traceIdOf } from './trace-parent.ts'

/** Does something when its turn has come. */
export type InTurn = <T>(work: () => Promise<T>) => Promise<T>

export interface ProtocolOptions {
  readonly version: string
  /** The tools on offer; loaded when they are first asked for. */
  readonly tools: () => Promise<readonly ToolDefinition[]>
  readonly readOnly: boolean
  /** Opens the store; called at the first request that needs it, so that the handshake waits for nothing. */
  readonly open: () => Promise<Verbatim>
  readonly caller: (client: string) => Caller
  readonly log: Log
  readonly observer?: Observer | undefined
  /** What the caller may do; absent for everything. Tools outside of it are not in `tools`. */
  readonly scopes?: readonly Scope[]
  /** Which notices can reach the client: default `all`; of changed resources only, or none. */
  readonly notices?: 'all' | 'updates' | 'none'
  /** For the work of each request; absent where all are worked on at once. */
  readonly inTurn?: InTurn | undefined
}

/** Loaded when they are first asked for: what writes them out is as much code as all the rest. */
const loadResources = async () => import('./resources.ts')
const loadPrompts = async () => import('./prompts.ts')

/** What a kit must be able to send to the client. */
export interface Notifier {
  resourceUpdated(uri: string): void
  resourceListChanged(): void
}

/**
 * The server's side of the protocol without any SDK: what it is, what it can do, and a handler a method. The kits
 * (`kit-legacy.ts`, `kit-modern.ts`) put it behind the SDK of their era.
 */
export class ProtocolServer {
  readonly #options: ProtocolOptions
  readonly #subscriptions: Subscriptions
  #client = 'unknown'
  #notifier: Notifier | undefined
  #inFlight = 0
  #idle: (() => void) | undefined

  constructor(options: ProtocolOptions) {
    this.#options = options
    this.#subscriptions = new Subscriptions({
      open: options.open,
      caller: () => this.#caller(),
      log: options.log,
      changed: (uri) => this.#notifier?.resourceUpdated(uri),
    })
  }

  get info() {
    return { name: 'verbatim', title: 'Verbatim', version: this.#options.version }
  }

  /** Tools and prompts never change while a server runs, so no notice of a change is promised. */
  get capabilities() {
    return {
      tools: { listChanged: false },
      prompts: { listChanged: false },
      resources: { subscribe: this.#notices !== 'none', listChanged: this.#notices === 'all' },
      completions: {},
    }
  }

  get #notices(): 'all' | 'updates' | 'none' {
    return this.#options.notices ?? 'all'
  }

  /** Whether a client can be told of changes, and may ask to be. */
  get canSubscribe(): boolean {
    return this.#notices !== 'none'
  }

  get instructions(): string {
    return 'The complete memory of past conversations. Search it (search_memory) before you answer from guesswork about earlier work; save messages with save_message so that they are remembered.'
  }

  /** Connects the notices. `client` is who connected, in its own words. */
  attach(notifier: Notifier): void {
    this.#notifier = notifier
  }

  /** Loads in the background what the first requests will need. A failure shows again in the request that needs it. */
  warm(): void {
    const report = (error: unknown) => this.#options.log.debug(`not ready yet: ${describeForLog(error)}`)
    this.#options
      .tools()
      // The store's client takes longest to load: a client that waits for the tools gets them first.
      .then(async () => turn())
      .then(async () => this.#options.open())
      .catch(report)
  }

  setClient(client: string): void {
    // It goes into the audit log, which takes well-formed text only.
    this.#client = client.toWellFormed().replaceAll('\0', '').slice(0, limits.nameCharactersMax)
  }

  /** Waits until no request is being worked on, at most so long: a save that began is finished, and answered. */
  async settle(waitMs: number): Promise<void> {
    this.stopWatching()
    // The SDKs hand a request that was read to its handler, and its answer to the pipe, within one turn of the loop.
    await turn()
    if (this.#inFlight === 0) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, waitMs)
      this.#idle = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    await turn()
  }

  /** A handler a method. Every failure is a ProtocolFailure. */
  get handlers() {
    /** What shows something of the memory: it needs a scope, and leaves a row in the audit log. */
    const reads =
      <T>(call: RecordedRequest, run: (verbatim: Verbatim, caller: Caller, params: Params) => Promise<T>) =>
      async (params: Params): Promise<T> => {
        const verbatim = await this.#options.open()
        const description = { action: call.action, tool: call.nameOf(params), traceId: traceIdOf(params) }
        const scope = call.scopeOf?.(params) ?? 'memory:read'
        if (this.#options.scopes?.includes(scope) === false) {
          verbatim.noteDenied(this.#caller(), description, 'scope')
          throw lacksScope(scope)
        }
        return await verbatim.recorded(this.#caller(), { ...description, writes: false }, (caller) =>
          run(verbatim, caller, params),
        )
      }
    const guard =
      <T>(run: (params: Params) => Promise<T> | T) =>
      async (params: Params): Promise<T> => {
        const { inTurn } = this.#options
        this.#inFlight++
        try {
          return await (inTurn === undefined ? run(params) : inTurn(async () => run(params)))
        } catch (error) {
          throw failureOf(error, this.#options.log)
        } finally {
          this.#inFlight--
          if (this.#inFlight === 0) this.#idle?.()
        }
      }
    return {
      'tools/list': guard(async () => ({
        tools: (await this.#options.tools()).map(({ run: _run, ...listing }) => listing),
      })),
      'tools/call': guard((params) => this.#callTool(params)),
      'resources/list': guard(
        reads(request('resources/list'), async (verbatim, caller, params) => {
          const { listResources } = await loadResources()
          return { ...(await listResources(verbatim, caller, text(params, 'cursor'))) }
        }),
      ),
      'resources/templates/list': guard(async () => ({
        resourceTemplates: [...(await loadResources()).resourceTemplates],
      })),
      'resources/read': guard(
        reads(resourceRead, async (verbatim, caller, params) => {
          const { readResource } = await loadResources()
          return { contents: [await readResource(verbatim, caller, text(params, 'uri') ?? '')] }
        }),
      ),
      'resources/subscribe': guard(
        reads(request('resources/subscribe'), (_verbatim, caller, params) => this.#subscribe(caller, params)),
      ),
      'resources/unsubscribe': guard((params): Record<string, never> => {
        this.#subscriptions.unsubscribe(text(params, 'uri') ?? '')
        return {}
      }),
      'prompts/list': guard(async () => ({
        prompts: (await loadPrompts()).prompts.map(({ name, title, description, argument }) => ({
          name,
          title,
          description,
          arguments: [{ ...argument, required: true }],
        })),
      })),
      'prompts/get': guard(reads(promptGet, getPrompt)),
      'completion/complete': guard(reads(request('completion/complete'), complete)),
    }
  }

  /** Ends what watches resources for the client. */
  stopWatching(): void {
    this.#subscriptions.close()
  }

  #caller(): Caller {
    return this.#options.caller(this.#client)
  }

  async #callTool(params: Params): Promise<ToolResult> {
    const name = text(params, 'name')
    const tools = await this.#options.tools()
    const tool = tools.find((candidate) => candidate.name === name)
    if (tool === undefined) {
      const { description, reason } = await refusedTool(name ?? '')
      ;(await this.#options.open()).noteDenied(this.#caller(), description, reason)
      throw new InputError(`Unknown tool "${name}"`, {
        remedy: `Tools: ${tools.map((known) => known.name).join(', ')}`,
      })
    }
    let verbatim: Verbatim
    try {
      verbatim = await this.#options.open()
    } catch (error) {
      return { content: [{ type: 'text', text: describeError(error, this.#options.log) }], isError: true }
    }
    const mayWrite = this.#options.scopes?.includes('memory:write') ?? true
    const context = { verbatim, caller: this.#caller(), readOnly: this.#options.readOnly || !mayWrite }
    const result = await callTool(tool, context, { ...this.#options, params })
    if (!tool.annotations.readOnlyHint && result.isError !== true && opensSession(result))
      this.#notifier?.resourceListChanged()
    return result
  }

  async #subscribe(caller: Caller, params: Params): Promise<Record<string, never>> {
    const uri = text(params, 'uri') ?? ''
    if (!(await this.#subscriptions.subscribe(uri, caller))) {
      throw new NotFoundError(`Cannot subscribe to "${uri}"`, {
        remedy: 'Subscribe to session://… or memory://… resources, 1,000 at most',
      })
    }
    return {}
  }
}
