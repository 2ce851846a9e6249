import type { Host, HostContext, HostLogger } from '../../src/host.ts'

type Handler = (event: unknown, context: HostContext) => unknown

/** What OpenClaw is to a plugin: a configuration, a logger, a state directory, and hooks that are called. */
export class FakeHost {
  readonly logged: string[] = []
  readonly #handlers = new Map<string, Handler[]>()
  readonly #config: unknown
  readonly #pluginConfig: unknown
  readonly #stateDirectory: string

  constructor(options: {
    readonly stateDirectory: string
    readonly pluginConfig: unknown
    readonly isAllowed?: boolean
    /** Whether the user has no MCP server of their own for Verbatim. */
    readonly hasNoServer?: boolean
  }) {
    const hooks = { allowConversationAccess: options.isAllowed ?? true }
    const mcp = options.hasNoServer === true ? {} : { servers: { verbatim: { command: 'verbatim' } } }
    this.#config = { plugins: { entries: { verbatim: { hooks } } }, mcp }
    this.#pluginConfig = options.pluginConfig
    this.#stateDirectory = options.stateDirectory
  }

  get api(): Host {
    const logger: HostLogger = {
      info: (message) => this.logged.push(`info ${message}`),
      warn: (message) => this.logged.push(`warn ${message}`),
      error: (message) => this.logged.push(`error ${message}`),
    }
    return {
      config: this.#config,
      pluginConfig: this.#pluginConfig,
      logger,
      runtime: { state: { resolveStateDir: () => this.#stateDirectory } },
      on: (name, handler) => this.#add(name, handler),
    }
  }

  /** Which events a handler takes, the plugin knows by the hook's name. */
  #add(name: string, handler: (event: never, context: HostContext) => unknown): void {
    const call = (event: unknown, context: HostContext) => Reflect.apply(handler, undefined, [event, context])
    this.#handlers.set(name, [...(this.#handlers.get(name) ?? []), call])
  }

  get hooks(): readonly string[] {
    return [...this.#handlers.keys()].toSorted()
  }

  /** Calls the handlers of a hook at once, as OpenClaw does with those that observe. */
  async call(name: string, event: unknown, context: HostContext): Promise<readonly unknown[]> {
    return await Promise.all((this.#handlers.get(name) ?? []).map(async (handler) => await handler(event, context)))
  }
}
