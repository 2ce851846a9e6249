import { setTimeout as sleep } from 'node:timers/promises'

import { codeOf, VerbatimError } from '../errors.ts'

export interface ReconnectOptions {
  /** How long new attempts are started; default 15 s. */
  readonly withinMs?: number | (() => number)
  readonly signal?: AbortSignal
  /** Told before each further attempt. */
  readonly onRetry?: () => void
}

const defaultWithinMs = 15_000
const firstPauseMs = 20
const pauseMsMax = 500

/**
 * Codes by which a connection, not the statement, failed: postgres.js, the operating system, and PostgreSQL's
 * shutdowns (57P..) and engine errors (58030); and those of a moment: no connection free (53300), two transactions in each
 * other's way (40001, 40P01), a server that is no longer the primary one after a failover (25006). A full disk (53100)
 * is not among them: it does not pass by itself.
 */
const lossCodes: ReadonlySet<string> = new Set([
  'CONNECTION_CLOSED',
  'CONNECTION_ENDED',
  'CONNECTION_DESTROYED',
  'CONNECT_TIMEOUT',
  'ECONNREFUSED',
  'ECONNRESET',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  'ERR_SOCKET_CLOSED',
  'ERR_STREAM_DESTROYED',
  '08000',
  '08003',
  '08006',
  '25006',
  '40001',
  '40P01',
  '53300',
  '57P01',
  '57P02',
  '57P03',
  '58030',
])

/**
 * Runs `work` again, with growing and jittered pauses, while it fails because the connection was lost. It may have been
 * done although its answer was lost: only for idempotent work, writes with ids made by the client and
 * `on conflict do nothing` for example.
 */
export async function withReconnect<T>(work: () => Promise<T>, options: ReconnectOptions = {}): Promise<T> {
  const startedAt = performance.now()
  const { withinMs = defaultWithinMs } = options
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, pauseMsMax)) {
    try {
      return await work()
    } catch (error) {
      options.signal?.throwIfAborted()
      if (
        !isConnectionLoss(error) ||
        performance.now() + pauseMs > startedAt + (typeof withinMs === 'number' ? withinMs : withinMs())
      )
        throw error
      options.onRetry?.()
      await sleep(
        pauseMs * (0.5 + Math.random()),
        undefined,
        options.signal === undefined ? {} : { signal: options.signal },
      )
    }
  }
}

/** Looks through `cause` too: drizzle wraps the errors of its driver. */
export function isConnectionLoss(error: unknown): boolean {
  // A VerbatimError says what to do, and trying again is not it, whatever its cause was.
  if (!(error instanceof Error) || error instanceof VerbatimError) return false
  const code = codeOf(error)
  if (code !== undefined && lossCodes.has(code)) return true
  return isConnectionLoss(error.cause)
}

/** Whether it is PostgreSQL's FATAL: by an error of that kind it refuses, or ends, the connection, whatever was asked on it. */
export function endsConnection(error: Error): boolean {
  return 'severity' in error && error.severity === 'FATAL'
}
