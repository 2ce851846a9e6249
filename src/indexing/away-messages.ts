import { DamagedPayload, UnavailableError } from '../errors.ts'
import type { MessageRow } from '../store/messages.ts'
import type { Queries } from '../store/rows.ts'
import { addLater, type LaterMessage } from '../store/work/later-work.ts'

/** When the archive is asked again for what could not be read. */
const archiveAwayMs = 60_000

/** The messages of a round that the archive holds and did not give: they are looked at again, and hold nothing up meanwhile. */
export class AwayMessages {
  readonly #tenantId: number
  /** Each once, though it is looked at for each of two indexes. */
  readonly #messages = new Map<string, LaterMessage>()
  #error = ''

  constructor(tenantId: number) {
    this.#tenantId = tenantId
  }

  get isEmpty(): boolean {
    return this.#messages.size === 0
  }

  /** Takes a message whose payload the archive holds without asking it, where it has not answered before; false where it is to be asked. */
  skips({ sessionId, seq, payload, damage }: MessageRow): boolean {
    if (this.#messages.size === 0 || payload !== null || damage !== undefined) return false
    this.#messages.set(`${sessionId} ${seq}`, { sessionId, seq })
    return true
  }

  /** Takes a message that could not be read where the archive was away; false where that is not why. */
  take({ sessionId, seq }: LaterMessage, error: unknown): boolean {
    if (!(error instanceof UnavailableError) || error instanceof DamagedPayload) return false
    this.#messages.set(`${sessionId} ${seq}`, { sessionId, seq })
    this.#error = error.message
    return true
  }

  async leave(sql: Queries, topic: string): Promise<void> {
    if (this.#messages.size === 0) return
    await addLater(sql, topic, {
      tenantId: this.#tenantId,
      messages: [...this.#messages.values()],
      error: this.#error,
      delayMs: archiveAwayMs,
    })
  }
}
