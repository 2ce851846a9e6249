import { DamagedPayload, UnavailableError } from '../errors.ts'
import { addLater, type LaterMessage } from '../store/later-work.ts'
import type { Queries } from '../store/rows.ts'

/** When the archive is asked again for what could not be read. */
const archiveAwayMs = 60_000

/** The messages of a round that the archive holds and did not give: they are looked at again, and hold nothing up meanwhile. */
export class AwayMessages {
  readonly #tenantId: number
  readonly #messages: LaterMessage[] = []
  #error = ''

  constructor(tenantId: number) {
    this.#tenantId = tenantId
  }

  /** Takes a message that could not be read where the archive was away; false where that is not why. */
  take({ sessionId, seq }: LaterMessage, error: unknown): boolean {
    if (!(error instanceof UnavailableError) || error instanceof DamagedPayload) return false
    this.#messages.push({ sessionId, seq })
    this.#error = error.message
    return true
  }

  async leave(sql: Queries, topic: string): Promise<void> {
    if (this.#messages.length === 0) return
    await addLater(sql, topic, {
      tenantId: this.#tenantId,
      messages: this.#messages,
      error: this.#error,
      delayMs: archiveAwayMs,
    })
  }
}
