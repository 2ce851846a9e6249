/** What the daemon's main thread and the engine's thread say to each other. One request is answered before the next. */
export interface EngineThreadOptions {
  readonly dataDir: string
  readonly image?: string
}

export type EngineRequest =
  /** Frames up to a Sync, Query or Flush. */
  { readonly type: 'run'; readonly bytes: Uint8Array<ArrayBuffer> } | { readonly type: 'close' }

export type EngineReply =
  /** `greeting` is what a new client is sent: AuthenticationOk, parameters, ReadyForQuery. */
  | { readonly type: 'ready'; readonly greeting: Uint8Array }
  /** `troubled`: PostgreSQL reported an input or output error or a full disk; it may hang at the next request. */
  | { readonly type: 'answer'; readonly bytes: Uint8Array; readonly troubled: boolean }
  /** The engine cannot go on; the thread ends by itself. */
  | { readonly type: 'broken'; readonly reason: string }
  | { readonly type: 'closed' }
