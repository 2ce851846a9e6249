import { setImmediate as turn } from 'node:timers/promises'

import { InputError, messageOf, NotFoundError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Log } from '../log.ts'
import type { Caller } from '../model/access.ts'
import { isJsonObject } from '../model/json.ts'
import type { Verbatim } from '../verbatim.ts'
import { callTool, describeError, type ToolResult } from './call-tool.ts'
import type { ToolDefinition } from './define-tool.ts'
import { failureOf } from './protocol-failure.ts'
import { Subscriptions } from './subscriptions.ts'

export interface ProtocolOptions {
  readonly version: string
  /** The tools on offer; loaded when they are first asked for. */
  readonly tools: () => Promise<readonly ToolDefinition[]>
  readonly readOnly: boolean
  /** Opens the store; called at the first request that needs it, so that the handshake waits for nothing. */
  readonly open: () => Promise<Verbatim>
  readonly caller: (client: string) => Caller
  readonly log: Log
}

/** Loaded when they are first asked for: what writes them out is as much code as all the rest. */
const loadResources = async () => import('./resources.ts')
const loadPrompts = async () => import('./prompts.ts')

type Params = Readonly<Record<string, unknown>> | undefined

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
      resources: { subscribe: true, listChanged: true },
      completions: {},
    }
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
    const report = (error: unknown) => this.#options.log.debug(`not ready yet: ${messageOf(error)}`)
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
    this.#subscriptions.close()
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
    const guard =
      <T>(run: (params: Params) => Promise<T> | T) =>
      async (params: Params): Promise<T> => {
        this.#inFlight++
        try {
          return await run(params)
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
      'resources/list': guard(async (params) => {
        const { listResources } = await loadResources()
        return { ...(await listResources(await this.#options.open(), this.#caller(), text(params, 'cursor'))) }
      }),
      'resources/templates/list': guard(async () => ({
        resourceTemplates: [...(await loadResources()).resourceTemplates],
      })),
      'resources/read': guard(async (params) => {
        const { readResource } = await loadResources()
        return { contents: [await readResource(await this.#options.open(), this.#caller(), text(params, 'uri') ?? '')] }
      }),
      'resources/subscribe': guard((params) => this.#subscribe(params)),
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
      'prompts/get': guard((params) => this.#getPrompt(params)),
      'completion/complete': guard((params) => this.#complete(params)),
    }
  }

  #caller(): Caller {
    return this.#options.caller(this.#client)
  }

  async #callTool(params: Params): Promise<ToolResult> {
    const name = text(params, 'name')
    const tools = await this.#options.tools()
    const tool = tools.find((candidate) => candidate.name === name)
    if (tool === undefined) {
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
    const context = { verbatim, caller: this.#caller(), readOnly: this.#options.readOnly }
    const result = await callTool(tool, context, { args: params?.['arguments'], log: this.#options.log })
    if (!tool.annotations.readOnlyHint && result.isError !== true && opensSession(result))
      this.#notifier?.resourceListChanged()
    return result
  }

  async #subscribe(params: Params): Promise<Record<string, never>> {
    const uri = text(params, 'uri') ?? ''
    if (!(await this.#subscriptions.subscribe(uri))) {
      throw new NotFoundError(`Cannot subscribe to "${uri}"`, {
        remedy: 'Subscribe to session://… or memory://… resources, 1,000 at most',
      })
    }
    return {}
  }

  async #getPrompt(params: Params) {
    const name = text(params, 'name')
    const { promptArgument, prompts } = await loadPrompts()
    const prompt = prompts.find((candidate) => candidate.name === name)
    if (prompt === undefined) {
      throw new InputError(`Unknown prompt "${name}"`, {
        remedy: `Prompts: ${prompts.map((known) => known.name).join(', ')}`,
      })
    }
    const value = promptArgument(prompt, params?.['arguments'])
    const written = await prompt.write(await this.#options.open(), this.#caller(), value)
    return {
      description: prompt.description,
      messages: [{ role: 'user' as const, content: { type: 'text' as const, text: written } }],
    }
  }

  async #complete(params: Params) {
    const argument = isJsonObject(params?.['argument']) ? params['argument'] : {}
    const wanted =
      argument['name'] === 'session_id' && typeof argument['value'] === 'string' ? argument['value'] : undefined
    const values =
      wanted === undefined
        ? []
        : await (
            await this.#options.open()
          ).completeSessionId(this.#caller(), { prefix: wanted, limit: completionsMax })
    return { completion: { values, total: values.length, hasMore: values.length === completionsMax } }
  }
}

/** The protocol lets a completion have this many values. */
const completionsMax = 100

function text(params: Params, name: string): string | undefined {
  const value = params?.[name]
  return typeof value === 'string' ? value : undefined
}

/** A save whose first message has number 1 has opened a session. */
function opensSession(result: ToolResult): boolean {
  const saved = result.structuredContent
  if (saved === undefined) return false
  const messages: unknown = saved['messages']
  const first: unknown = Array.isArray(messages) ? messages[0] : saved
  return isJsonObject(first) && first['seq'] === 1 && first['duplicate'] === false
}
