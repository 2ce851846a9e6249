import type { Caller } from '../model/access.ts'
import type { ArchiveStore } from '../ports/archive-store.ts'
import { writeAudit } from '../store/audit/audit-log.ts'
import { appendAudit, auditEnd, auditIdentity, auditMovedUpTo, readAudit } from '../store/copy/copied-audit.ts'
import type { ErasedThere } from '../store/copy/erased-there.ts'
import { plainTables, sessionTables } from '../store/copy/move-plan.ts'
import { countMessages } from '../store/copy/sessions-there.ts'
import { countRows, inPlainText } from '../store/copy/table-rows.ts'
import type { Database } from '../store/database.ts'
import { eraseReturned } from '../store/erasure/erase-returned.ts'
import { reopenErasing } from '../store/erasure/erasing-sessions.ts'
import { releaseSuperseded } from '../store/learning/change-facts.ts'
import { sessionsById } from '../store/sessions.ts'
import { text } from '../store/sql-text.ts'
import { inTransaction } from '../store/transaction.ts'
import { isEmptyThere, refuseConflicts, type Stores } from './conflicts.ts'
import { erasedMeanwhile, findErasedThere } from './find-erased-there.ts'
import { hashesOtherwise, hashFactsAnew } from './hash-facts.ts'
import { PayloadMover, type PayloadSource } from './payload-mover.ts'
import { Counter, ProblemList, type MoveReport } from './report.ts'
import { RowMover, type MovedPage } from './row-mover.ts'
import { SessionMover } from './session-mover.ts'
import { VectorMover } from './vector-mover.ts'

export interface MoveDependencies {
  readonly source: { readonly database: Database; readonly archives: readonly PayloadSource[] }
  readonly target: { readonly database: Database; readonly archive: ArchiveStore }
}

const auditPageRows = 1_000
const namedSessionsMax = 1_000

class StoreMove {
  readonly #stores: Stores
  readonly #caller: Caller
  readonly #rows: RowMover
  readonly #payloads: PayloadMover
  readonly #problems = new ProblemList()
  readonly #plain = new Map<string, Counter>()
  readonly #stayed = new Map<string, number>()

  constructor({ source, target }: MoveDependencies, caller: Caller) {
    this.#caller = caller
    this.#stores = { source: source.database, target: target.database, tenantId: caller.tenantId }
    this.#rows = new RowMover(this.#stores)
    this.#payloads = new PayloadMover({ from: source.archives, to: target.archive })
  }

  async run(onProgress: (messages: number) => void): Promise<MoveReport> {
    const { source, target, tenantId } = this.#stores
    const erasedThere = await findErasedThere(this.#stores)
    await refuseConflicts(this.#stores, erasedThere)
    await this.#movePlain(erasedThere)
    // A target without keys has those of the source by now.
    const isHashedOtherwise = await hashesOtherwise(this.#stores)
    if (isHashedOtherwise) await hashFactsAnew(this.#stores)
    const vectors = await VectorMover.make(this.#stores, isHashedOtherwise)
    const movers = { rows: this.#rows, payloads: this.#payloads, vectors, problems: this.#problems, erasedThere }
    const messages = new SessionMover(this.#stores, movers)
    const sessions = await this.#moveSessions(erasedThere, (session) => messages.move(session, onProgress))
    const meanwhile = await erasedMeanwhile(this.#stores, erasedThere)
    await target.run((sql) =>
      inTransaction(sql, async (transaction) => {
        await eraseReturned(transaction, this.#caller, { further: meanwhile })
        // Who erases them at the source does not do it here, until what was erased is known here too.
        await reopenErasing(transaction, tenantId)
      }),
    )
    const auditRows = await this.#moveAudit(messages.counts.copied)
    const now = await source.run((sql) => countMessages(sql, tenantId))
    return {
      sessions: sessions.toJSON(),
      messages: messages.counts.toJSON(),
      came_since: Math.max(0, now - messages.counts.total - erasedThere.wholeMessages),
      rows: Object.fromEntries([...this.#plain].map(([name, counter]) => [name, counter.toJSON()])),
      erased_at_target: {
        whole_sessions: erasedThere.whole.size,
        messages: erasedThere.messages,
        session_ids: [...erasedThere.sessions.keys()].slice(0, namedSessionsMax),
        rows: Object.fromEntries(this.#stayed),
      },
      audit_rows: auditRows,
      archived_payloads: this.#payloads.counts.toJSON(),
      vectors: vectors.report,
      problem_count: this.#problems.count,
      problems: this.#problems.found,
    }
  }

  async #movePlain(erasedThere: ErasedThere): Promise<void> {
    const { source, target, tenantId } = this.#stores
    const own = text`t.tenant_id = ${tenantId}`
    const isEmpty = await isEmptyThere(this.#stores)
    for (const table of plainTables) {
      if (table.onlyIntoEmpty === true && !isEmpty) continue
      const counter = new Counter()
      const stays = erasedThere.isEmpty ? undefined : table.stays?.(erasedThere.table)
      const where = stays === undefined ? own : text`${own} and not ${stays}`
      for await (const page of this.#rows.pages(table, where))
        this.#note(table.name, await this.#rows.move(table, page), counter)
      if (counter.total > 0) this.#plain.set(table.name, counter)
      if (stays === undefined) continue
      const stayed = await source.run((sql) => countRows(sql, table.name, text`${own} and ${stays}`))
      if (stayed > 0) this.#stayed.set(table.name, stayed)
    }
    if (!erasedThere.isEmpty) await target.run((sql) => releaseSuperseded(sql, tenantId))
  }

  /** Walks by id, which never changes: no session is missed that was there at the beginning. */
  async #moveSessions(
    erasedThere: ErasedThere,
    moveMessages: (session: { readonly id: string; readonly lastSeq: number }) => Promise<void>,
  ): Promise<Counter> {
    const { target, tenantId } = this.#stores
    const counter = new Counter()
    for (const { table, where } of sessionTables(erasedThere))
      for await (const page of this.#rows.pages(table, text`t.tenant_id = ${tenantId} and ${where}`)) {
        this.#note(table.name, await this.#rows.move(table, page), counter)
        const ids = page.keys.map(([, id]) => id ?? '')
        const there = await sessionsById(target, tenantId, ids)
        for (const session of there) await moveMessages(session)
      }
    return counter
  }

  #note(table: string, page: MovedPage, counter: Counter): void {
    counter.add(page.copied, page.known)
    for (const { key, isMissing } of page.wrong)
      this.#problems.add({
        row: `${table} ${key}`,
        problem: isMissing
          ? 'is not at the target: what must be unique of it is taken there'
          : 'is another at the target',
      })
  }

  /** The log last: what it tells of has arrived. Returns how many rows were added. */
  async #moveAudit(messagesCopied: number): Promise<number> {
    const { source, target, tenantId } = this.#stores
    const identity = await inPlainText(source, (sql) => auditIdentity(sql, tenantId))
    if (identity === undefined) return 0
    const table = await this.#rows.shapeOf('audit_log')
    const upTo = await inPlainText(source, (sql) => auditEnd(sql, tenantId, source.kind === 'server'))
    let added = 0
    for (;;) {
      const after = await target.run((sql) => auditMovedUpTo(sql, tenantId, identity))
      const page = await inPlainText(source, (sql) => readAudit(sql, tenantId, { after, upTo, limit: auditPageRows }))
      if (page.rows.length === 0) break
      await inPlainText(target, async (sql) => {
        // Where the answer to the first attempt was lost, this is the second.
        if ((await auditMovedUpTo(sql, tenantId, identity)) > after) return
        await appendAudit(sql, this.#caller, { ...page, table, identity })
      })
      added += page.rows.length
    }
    if (messagesCopied > 0)
      await target.run((sql) =>
        writeAudit(sql, this.#caller, {
          action: 'migrate',
          objectKind: 'store',
          objectId: identity,
          outcome: 'ok',
          count: messagesCopied,
        }),
      )
    return added
  }
}

/**
 * Copies everything that a caller's tenant has from one store to another, and proves it: each row is read back and compared by
 * its SHA-256, and so are payloads in the archive. It may be broken off at any moment and run again, also while others save at
 * the source: what is there already is compared and not copied. The source stays as it is. What was erased or anonymised at the target
 * stays so there, and with it what the source has made of that; what was so at the source alone becomes so by the target's background
 * work.
 *
 * Throws ConflictError, before anything is written, where the target has other content under the same ids.
 */
export async function moveStore(
  dependencies: MoveDependencies,
  caller: Caller,
  onProgress: (messages: number) => void,
): Promise<MoveReport> {
  return await new StoreMove(dependencies, caller).run(onProgress)
}
