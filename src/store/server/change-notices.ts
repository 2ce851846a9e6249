import type { Sql } from 'postgres'
import { z } from 'zod'

import type { Change } from '../database.ts'

const channel = 'verbatim'
/** Notices are sent together: each one makes the server take a lock that all of its databases share. */
const collectMs = 15
const listenAgainMs = 1_000
const changeSchema = z.object({ tenantId: z.number(), sessionId: z.string() })

/**
 * Tells other processes on the same server which sessions have changed, by NOTIFY, and hears it from them. A hint that
 * saves looking: a notice may be lost with its process or its connection, so whoever listens also looks now and then.
 */
export class ChangeNotices {
  readonly #sql: Sql
  readonly #waiting = new Map<string, Change>()
  readonly #listeners = new Set<(change: Change) => void>()
  #sending: NodeJS.Timeout | undefined
  #isListening = false
  #attempt = 0
  #isClosed = false

  constructor(sql: Sql) {
    this.#sql = sql
  }

  /** Never fails, and waits for nothing. */
  announce(change: Change): void {
    this.#waiting.set(`${change.tenantId} ${change.sessionId}`, change)
    this.#sending ??= setTimeout(() => void this.#send(), collectMs)
  }

  /** Calls back at each notice, those of this process among them, until the returned function is called. */
  listen(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener)
    if (!this.#isListening) void this.#listen()
    this.#isListening = true
    return () => this.#listeners.delete(listener)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#listeners.clear()
    clearTimeout(this.#sending)
    // What was saved last should not wait for the next look of a worker.
    if (this.#waiting.size > 0) await this.#send()
  }

  async #send(): Promise<void> {
    this.#sending = undefined
    const payloads = [...this.#waiting.values()].map((change) => JSON.stringify(change))
    this.#waiting.clear()
    try {
      // A notice is lost with its process anyway: it does not wait for the disk, nor does it make saves wait for theirs.
      await this.#sql`
        select set_config('synchronous_commit', 'off', true), pg_notify(${channel}, payload)
        from jsonb_array_elements_text(${JSON.stringify(payloads)}::text::jsonb) as payload`
    } catch {
      // The server is away: who waits for the change looks by itself.
    }
  }

  async #listen(): Promise<void> {
    try {
      // postgres.js listens again by itself after a connection was lost; only the first time may fail, and what it was
      // given then stays with it: of several attempts one is heard.
      const attempt = ++this.#attempt
      await this.#sql.listen(channel, (payload) => {
        if (attempt === this.#attempt) this.#hear(payload)
      })
    } catch {
      if (!this.#isClosed) setTimeout(() => void this.#listen(), listenAgainMs).unref()
    }
  }

  #hear(payload: string): void {
    const change = changeSchema.safeParse(JSON.parse(payload))
    if (!change.success) return
    for (const listener of this.#listeners) listener(change.data)
  }
}
