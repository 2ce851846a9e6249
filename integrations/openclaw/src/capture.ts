import { setTimeout as sleep } from 'node:timers/promises'

import { z } from 'zod'

import type { Cursor, Cursors } from './cursors.ts'
import { reasonOf } from './files.ts'
import type { HostLogger } from './host.ts'
import type { RowPage, RowReader } from './reading/row-reader.ts'
import type { Session } from './session.ts'
import { SpoolFullError, type Spool } from './spool.ts'

export interface CaptureOptions {
  readonly readers: readonly RowReader[]
  readonly cursors: Cursors
  readonly spool: Spool
  readonly log: HostLogger
  /** Told when rows were put into the spool. */
  readonly onSpooled: () => void
  /** When to look again after a turn: OpenClaw writes some rows after it has told of the turn's end. */
  readonly lookAgainAfterMs?: readonly number[]
}

const rowSchema = z.object({ type: z.string(), customType: z.string().optional() })
/** How long the end of a turn waits for its rows to be on disk. */
const waitMs = 5_000
/** At how many sessions it looks at the same time when the gateway stops. */
const looksAtOnce = 8

/**
 * Puts the new rows of a session into the spool, one look at a time for each session. Nothing here is waited for by a
 * turn, and nothing that fails is lost: the rows stay where OpenClaw keeps them, and the next look reads them.
 */
export class Capture {
  readonly #options: CaptureOptions
  readonly #running = new Map<string, Promise<boolean>>()
  readonly #timers = new Map<string, { readonly session: Session; readonly timers: readonly NodeJS.Timeout[] }>()
  #lastProblem = ''

  constructor(options: CaptureOptions) {
    this.#options = options
  }

  /** Reads what is new now, and again a little later. Resolves when it is on disk, or too slow to be waited for. */
  async turnEnded(session: Session, messages?: readonly unknown[]): Promise<void> {
    const key = keyOf(session)
    for (const timer of this.#timers.get(key)?.timers ?? []) clearTimeout(timer)
    const times = this.#options.lookAgainAfterMs ?? [2_000, 15_000]
    const timers = times.map((afterMs, index) =>
      setTimeout(() => {
        if (index === times.length - 1 && this.#timers.get(key)?.timers === timers) this.#timers.delete(key)
        void this.look(session)
      }, afterMs).unref(),
    )
    this.#timers.set(key, { session, timers })
    await this.look(session, messages)
  }

  /**
   * Reads what is new; whether the spool has room for more. Never throws: what goes wrong is said in the log, once until it
   * changes.
   */
  async look(session: Session, messages?: readonly unknown[]): Promise<boolean> {
    const key = keyOf(session)
    const before = this.#running.get(key) ?? Promise.resolve(true)
    const now = before.then(() => this.#read(session, messages))
    this.#running.set(key, now)
    const finished = now.finally(() => {
      if (this.#running.get(key) === now) this.#running.delete(key)
    })
    return await Promise.race([finished, sleep(waitMs, true, { ref: false })])
  }

  /** Looks at several sessions at the same time. Begins no more once the signal has fired or the spool is full. */
  async lookAtAll(sessions: readonly Session[], signal: AbortSignal): Promise<void> {
    const left = [...sessions]
    const lookAtNext = async (): Promise<void> => {
      for (let next = left.shift(); next !== undefined && !signal.aborted; next = left.shift())
        if (!(await this.look(next))) left.length = 0
    }
    await Promise.all(Array.from({ length: looksAtOnce }, lookAtNext))
  }

  /** Looks again at every session that a timer still waits for, and ends the timers. */
  async close(): Promise<void> {
    const waiting = [...this.#timers.values()]
    this.#timers.clear()
    for (const { timers } of waiting) for (const timer of timers) clearTimeout(timer)
    await Promise.all(waiting.map(({ session }) => this.look(session)))
  }

  async #read(session: Session, messages: readonly unknown[] | undefined): Promise<boolean> {
    try {
      while (await this.#readPage(session, messages)) this.#options.onSpooled()
      this.#lastProblem = ''
      return true
    } catch (error) {
      const isFull = error instanceof SpoolFullError
      const problem = isFull
        ? 'Verbatim: the spool is full as Verbatim could not be reached for long; new rows wait in OpenClaw until it is back'
        : `Verbatim: the rows of a session could not be read and kept (${reasonOf(error)}); they are read at the next turn`
      if (problem !== this.#lastProblem) this.#options.log.warn(problem)
      this.#lastProblem = problem
      return !isFull
    }
  }

  /** Whether there may be more. */
  async #readPage(session: Session, messages: readonly unknown[] | undefined): Promise<boolean> {
    const { cursors, spool } = this.#options
    const last = await cursors.read(session)
    const found = await this.#firstPage(session, last, messages)
    if (found === undefined) return false
    const { page, reader } = found
    if (page.lines.length === 0) return false
    const from = last?.reader === reader ? last : undefined
    const { header, before, model } = context(page, from)
    await spool.write({ agentId: session.agentId, topic: page.topic, lines: [...before, ...page.lines] })
    const { sessionKey } = session
    await cursors.write(session, { sessionKey, reader, position: page.position, header, model })
    page.onKept?.()
    return true
  }

  async #firstPage(
    session: Session,
    last: Cursor | undefined,
    messages: readonly unknown[] | undefined,
  ): Promise<{ readonly page: RowPage; readonly reader: RowReader['name'] } | undefined> {
    for (const reader of this.#options.readers) {
      // Messages have ids of their own making: a session that was read by its rows would be there twice.
      if (reader.name === 'messages' && last !== undefined && last.reader !== 'messages') continue
      const position = last?.reader === reader.name ? last.position : undefined
      const page = await reader.read(session, { position, messages })
      if (page !== undefined) return { page, reader: reader.name }
    }
    return undefined
  }
}

function keyOf({ agentId, sessionId }: Session): string {
  return `${agentId}/${sessionId}`
}

interface PageContext {
  readonly header: string | undefined
  readonly model: string | undefined
  /** Rows that Verbatim knows already and that tell it whose the page's rows are. */
  readonly before: readonly Uint8Array[]
}

/** What is to be known of a transcript to understand rows from its middle: its header, and which model spoke last. */
function context(page: RowPage, last: Cursor | undefined): PageContext {
  let { header, model } = last ?? {}
  const before: Uint8Array[] = []
  const first = page.lines[0]
  if (first !== undefined && typeOf(first) === 'session') header = Buffer.from(first).toString('utf8')
  else for (const known of [header, model]) if (known !== undefined) before.push(Buffer.from(known))
  for (const line of page.lines) {
    const type = typeOf(line)
    if (type === 'model_change' || type === 'model-snapshot') model = Buffer.from(line).toString('utf8')
  }
  return { header, model, before }
}

function typeOf(line: Uint8Array): string | undefined {
  try {
    const row = rowSchema.safeParse(JSON.parse(Buffer.from(line).toString('utf8')))
    return row.data?.type === 'custom' ? row.data.customType : row.data?.type
  } catch {
    // A damaged row tells nothing, and is kept as it is.
    return undefined
  }
}
