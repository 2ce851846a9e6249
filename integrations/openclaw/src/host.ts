/** The part of OpenClaw's plugin API that is used here. The published types are checked against it, see the README. */

export interface HostLogger {
  info(message: string): void
  warn(message: string): void
  error(message: string): void
}

/** Which session of which agent something happens in. */
export interface HostContext {
  readonly agentId?: string | undefined
  readonly sessionKey?: string | undefined
  readonly sessionId?: string | undefined
  /** What started the run: `user`, `cron`, `heartbeat` … */
  readonly trigger?: string | undefined
}

export interface AgentEndEvent {
  readonly messages: readonly unknown[]
}

export interface SessionEvent {
  readonly sessionId: string
  readonly sessionKey?: string | undefined
}

export interface PromptEvent {
  readonly prompt: string
  /** The request alone, without the history that some harnesses put into `prompt`. */
  readonly currentUserMessage?: string | undefined
  readonly messages: readonly unknown[]
}

export interface PromptAdditions {
  readonly prependContext?: string
}

type Handler<Event, Result = void> = (event: Event, context: HostContext) => Promise<Result> | Result

export interface Host {
  /** OpenClaw's whole configuration. */
  readonly config: unknown
  /** What stands in `plugins.entries.verbatim.config`. */
  readonly pluginConfig?: unknown
  readonly logger: HostLogger
  readonly runtime: { readonly state: { resolveStateDir(): string } }
  on(name: 'agent_end', handler: Handler<AgentEndEvent>, options?: HookOptions): void
  on(name: 'session_end', handler: Handler<SessionEvent>, options?: HookOptions): void
  on(name: 'session_start', handler: Handler<SessionEvent>, options?: HookOptions): void
  on(name: 'after_compaction', handler: Handler<unknown>, options?: HookOptions): void
  on(
    name: 'before_prompt_build',
    handler: Handler<PromptEvent, PromptAdditions | undefined>,
    options?: HookOptions,
  ): void
  on(name: 'gateway_start', handler: Handler<unknown>, options?: HookOptions): void
  on(name: 'gateway_stop', handler: Handler<unknown>, options?: HookOptions): void
}

export interface HookOptions {
  readonly timeoutMs?: number
}
