import { sha256 } from '../model/messages/payload.ts'
import type { ErasedThere } from '../store/copy/erased-there.ts'
import { messagesTable } from '../store/copy/move-plan.ts'
import { noteCopied } from '../store/copy/note-copied.ts'
import { alteredMessages, archivedMessages, type ArchivedMessage } from '../store/copy/sessions-there.ts'
import type { RowRange } from '../store/copy/table-rows.ts'
import { readMessages } from '../store/messages.ts'
import { text } from '../store/sql-text.ts'
import { addOutbox } from '../store/work/add-work.ts'
import { indexTopic } from '../store/work/outbox.ts'
import type { Stores } from './conflicts.ts'
import { PayloadsGone, type PayloadMover } from './payload-mover.ts'
import { Counter, type ProblemList } from './report.ts'
import type { MovedPage, RowMover } from './row-mover.ts'
import type { VectorMover } from './vector-mover.ts'

export interface Movers {
  readonly rows: RowMover
  readonly payloads: PayloadMover
  readonly vectors: VectorMover
  readonly problems: ProblemList
  readonly erasedThere: ErasedThere
}

/** Payloads are erased at the target while messages come that use them; again and again is unheard of. */
const attemptsMax = 5

/** Messages of a session from one number to another, both included. */
interface Stretch {
  readonly tenantId: number
  readonly sessionId: string
  readonly fromSeq: number
  readonly toSeq: number
}

/** Copies the messages of a session, with their payloads in the archive, their vectors and the work of indexing them. */
export class SessionMover {
  readonly counts = new Counter()
  readonly #stores: Stores
  readonly #movers: Movers

  constructor(stores: Stores, movers: Movers) {
    this.#stores = stores
    this.#movers = movers
  }

  /** Up to the number that the target's row of the session knows: what comes after it may be another's there. */
  async move(
    session: { readonly id: string; readonly lastSeq: number },
    onProgress: (n: number) => void,
  ): Promise<void> {
    const { tenantId } = this.#stores
    const where = text`t.tenant_id = ${tenantId} and t.session_id = ${session.id}::text::uuid and t.seq <= ${session.lastSeq}`
    let expectedSeq = 1
    for await (const page of this.#movers.rows.pages(messagesTable, where)) {
      const stretch = { tenantId, sessionId: session.id, fromSeq: seqOf(page.from), toSeq: seqOf(page.to) }
      if (stretch.fromSeq !== expectedSeq || stretch.toSeq - stretch.fromSeq + 1 !== page.keys.length)
        this.#report(session.id, `messages between ${expectedSeq} and ${stretch.toSeq} are missing at the source`)
      expectedSeq = stretch.toSeq + 1
      await this.#movePage(page, stretch)
      onProgress(page.keys.length)
    }
  }

  async #movePage(page: RowRange, stretch: Stretch): Promise<void> {
    const { vectors, erasedThere } = this.#movers
    const hasErased = erasedThere.sessions.has(stretch.sessionId)
    // First of all, so that no message is at the target whose bytes are not.
    const archived = await this.#movePayloads(stretch)
    // A message has part of the one before it in its vector: the target makes them anew.
    const writeVectors = hasErased ? undefined : await vectors.read(stretch)
    const moved = await this.#moveHeld({ page, stretch, archived }, async (sql, copied) => {
      if (copied.length === 0) return
      // With the messages: a worker that comes upon them finds their vectors, and pays for none.
      await writeVectors?.(sql)
      const seqs = copied.map(seqOf)
      const { tenantId, sessionId } = stretch
      if (hasErased) await noteCopied(sql, stretch, seqs)
      await addOutbox(sql, indexTopic, [
        { tenantId, sessionId, firstSeq: Math.min(...seqs), lastSeq: Math.max(...seqs) },
      ])
    })
    this.counts.add(moved.copied, moved.known)
    const wrong = new Map(moved.wrong.map(({ key, isMissing }) => [seqOf(JSON.parse(key)), isMissing]))
    for (const [seq, isMissing] of wrong)
      this.#report(
        stretch.sessionId,
        `message ${seq} ${isMissing ? 'is not at the target: its id or number is taken there' : 'is another at the target'}`,
      )
    const lacking = hasErased ? 0 : await vectors.complete(stretch, moved.known === 0)
    if (lacking > 0) this.#report(stretch.sessionId, `${lacking} vectors are not at the target`)
    // The rows are the same at both ends, so the bytes were wrong before.
    const altered = await this.#stores.target.run((sql) => alteredMessages(sql, stretch, stretch))
    const unopened = await this.#unopened(stretch)
    for (const { id, seq } of [...altered, ...unopened])
      if (!wrong.has(seq))
        this.#report(stretch.sessionId, 'its bytes are not those that were saved, at the source either', id)
  }

  /** The rows with the payloads in the archive that they refer to. What cannot be brought again is reported, and the rest is moved. */
  async #moveHeld(
    { page, stretch, archived }: { page: RowRange; stretch: Stretch; archived: readonly ArchivedMessage[] },
    beside: NonNullable<Parameters<RowMover['move']>[2]>,
  ): Promise<MovedPage> {
    const { rows, payloads } = this.#movers
    let held = archived
    for (let attempt = 1; ; attempt++) {
      try {
        return await rows.move(messagesTable, page, async (sql, copied) => {
          await payloads.hold(sql, held)
          await beside(sql, copied)
        })
      } catch (error) {
        if (!(error instanceof PayloadsGone)) throw error
        const problems =
          attempt < attemptsMax
            ? await payloads.moveAgain(error)
            : new Map(error.messages.map((message) => [message, 'its payload is erased at the target again and again']))
        for (const [message, problem] of problems) this.#report(stretch.sessionId, problem, message.id)
        held = held.filter((message) => !problems.has(message))
      }
    }
  }

  /** Sealed messages that do not open at the target, as whoever reads them there would find. */
  async #unopened(stretch: Stretch): Promise<readonly { readonly id: string; readonly seq: number }[]> {
    const { fromSeq, toSeq } = stretch
    const rows = await readMessages(this.#stores.target, stretch, { fromSeq, toSeq, limit: toSeq - fromSeq + 1 })
    return rows.filter(
      ({ seal, damage, payload, payloadSha256 }) =>
        damage !== undefined || (seal !== undefined && payload !== null && !sha256(payload).equals(payloadSha256)),
    )
  }

  /** Gives the messages whose payloads are at the target now. */
  async #movePayloads(stretch: Stretch): Promise<readonly ArchivedMessage[]> {
    const there: ArchivedMessage[] = []
    const archived = await archivedMessages(this.#stores.source, stretch, stretch)
    for (const message of archived) {
      if (this.#movers.erasedThere.hasMessages(stretch.sessionId, message.seq)) continue
      const problem = await this.#movers.payloads.move(message)
      if (problem === undefined) there.push(message)
      else this.#report(stretch.sessionId, problem, message.id)
    }
    return there
  }

  #report(sessionId: string, problem: string, messageId?: string): void {
    this.#movers.problems.add({
      session_id: sessionId,
      ...(messageId === undefined ? {} : { message_id: messageId }),
      problem,
    })
  }
}

/** The last column of the primary key of messages. */
function seqOf(key: readonly string[]): number {
  return Number(key[2])
}
