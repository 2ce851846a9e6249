import { loadPayload } from '../capture/large-payload.ts'
import { UnavailableError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { ArchiveStore } from '../ports/archive-store.ts'
import { unobserved, type Observer } from '../ports/observer.ts'
import { readableText } from '../sessions/document.ts'
import { flagsOfMessage } from '../sessions/message-flags.ts'
import type { Database } from '../store/database.ts'
import { analyzeGrown } from '../store/grown-tables.ts'
import { holdTerms } from '../store/keys/encryption-state.ts'
import { recordDigestOf, writeRecordDigests, type RecordDigest } from '../store/message-digests.ts'
import { readMessages, type MessageRow } from '../store/messages.ts'
import { namesTopic } from '../store/names/name-work.ts'
import { levelOfTerms, sortPendingEntries, writeUnits, type SearchUnit } from '../store/search/search-units.ts'
import { addEmbedding, addOutbox, type Stretch } from '../store/work/add-work.ts'
import {
  advanceOutbox,
  finishOutbox,
  indexTopic,
  learnTopic,
  msUntilDue,
  workOff,
  type Commit,
  type OutboxItem,
} from '../store/work/outbox.ts'
import { isNew } from './age.ts'
import { ArchiveQueue } from './archive-queue.ts'
import { AwayMessages } from './away-messages.ts'
import { Drain } from './drain.ts'
import { recordFailure } from './failed-work.ts'
import { makeUnits } from './make-units.ts'
import type { TermHashers, TermIndex } from './terms/term-hashers.ts'

export interface WorkerDependencies {
  readonly database: Database
  readonly archive: ArchiveStore
  readonly hashers: TermHashers
  readonly log: Log
  /** Whether this process makes vectors: what is indexed is left as work for that. */
  readonly embeds: boolean
  /** Whether what is indexed is left to be learned from. */
  readonly learns: boolean
  /** Whether a model is to look for names in what is indexed. */
  readonly looksForNames?: boolean
  /** After how long an indexed session is looked at by who archives it. */
  readonly archiveAfterMs: number
  readonly observer?: Observer
  /** Told when everything that was pending is done. */
  readonly onIdle?: () => void
}

/** Bounds of one round: the database has one engine, and a save must not wait long behind the index. */
const itemsPerRound = 200
const messagesPerRound = 400
const bytesPerRound = 2 * 1024 * 1024
const retries = { name: 'indexing', attemptsMax: 8, baseMs: 500 } as const
/** Some 50 sessions of a few messages: how much has come is asked in some milliseconds. */
const lookAfterUnits = 250
/** Entries of fewer units cost a search 2 ms; those of an import are sorted in when it is done. */
const sortAfterUnits = 100

/** The index worker: makes search units of what was saved, from the outbox, newest and oldest first. */
export class IndexWorker {
  readonly #dependencies: WorkerDependencies
  readonly #drain: Drain
  readonly #archiveQueue: ArchiveQueue
  /** Units written since it was last looked how much the tables have grown. */
  #unitsUnseen = 0
  /** Units that searches find in an unsorted list. What an earlier process left there is not known. */
  #unitsUnsorted = sortAfterUnits

  constructor(dependencies: WorkerDependencies) {
    this.#dependencies = dependencies
    const { log, onIdle } = dependencies
    this.#archiveQueue = new ArchiveQueue(dependencies.archiveAfterMs)
    this.#drain = new Drain({ name: 'indexing', round: () => this.#round(), log, onIdle })
  }

  /** Says that something may have been committed. Cheap; call it as often as you like. */
  wake(): void {
    this.#drain.wake()
  }

  async stop(): Promise<void> {
    await this.#drain.stop()
  }

  /** Works off a bounded piece of the outbox; true where there may be more. */
  async #round(): Promise<boolean> {
    const { database } = this.#dependencies
    const units = await workOff(database, { topic: indexTopic, limit: itemsPerRound }, async (items, commit) => {
      if (items.length === 0) return undefined
      let written = 0
      // In one order everywhere: two workers that write statistics of the same tenants must not wait for each other.
      for (const [tenantId, tenantItems] of [...groupByTenant(items)].toSorted(([a], [b]) => a - b))
        written += await this.#indexItems(tenantId, tenantItems, commit)
      return written
    })
    if (units !== undefined) {
      this.#unitsUnsorted += units
      await this.#analyzeWhenGrown(units)
      return true
    }
    await this.#sortWhenIdle()
    const dueMs = await database.run((sql) => msUntilDue(sql, indexTopic))
    if (dueMs !== undefined) this.#drain.wakeLater(dueMs)
    return false
  }

  /** Returns how many units were written. */
  async #indexItems(tenantId: number, items: readonly OutboxItem[], commit: Commit): Promise<number> {
    const finished: number[] = []
    const advanced: { id: number; firstSeq: number }[] = []
    const indexed: Stretch[] = []
    const unnamed: Stretch[] = []
    const away = new AwayMessages(tenantId)
    // After the items were read: a key that is made later is not for what was saved before it.
    const { indexes, state } = await this.#dependencies.hashers.written(tenantId)
    const written = indexes.map((index) => ({
      index,
      units: Array.of<SearchUnit>(),
      records: Array.of<RecordDigest>(),
    }))
    let messages = 0
    let bytes = 0
    for (const item of items) {
      if (messages >= messagesPerRound || bytes >= bytesPerRound) break
      try {
        const read = await this.#readItem(item, { messages: messagesPerRound - messages, bytes: bytesPerRound - bytes })
        for (const message of read.rows) {
          const made = await this.#unitsOf(message, indexes, away)
          for (const [at, { index, units, records }] of written.entries()) {
            units.push(...(made[at] ?? []))
            // A place of which nothing was there to read may be filled by now, and is work again then.
            if (made[at]?.length === 0 && message.kind !== 'erased') records.push(recordDigestOf(message, index.key))
          }
        }
        const last = read.rows.at(-1)
        if (last !== undefined)
          indexed.push({ tenantId, sessionId: item.sessionId, firstSeq: item.firstSeq, lastSeq: last.seq })
        if (this.#dependencies.looksForNames === true) unnamed.push(...newPart(item, read.rows))
        messages += read.rows.length
        bytes += read.bytes
        if (read.nextSeq === undefined) finished.push(item.id)
        else advanced.push({ id: item.id, firstSeq: read.nextSeq })
      } catch (error) {
        // Neither is a database or a key that cannot be had a failure of the work.
        if (error instanceof UnavailableError) throw error
        await recordFailure({ commit, log: this.#dependencies.log }, item, { error, policy: retries })
      }
    }
    const unarchived = this.#archiveQueue.notQueued(indexed)
    let queued: Parameters<ArchiveQueue['queued']>[0] = []
    await commit(async (sql) => {
      // The index can be rebuilt, so it need not wait for the disk: after a power cut the outbox rows are back as well.
      await sql`set local synchronous_commit = off`
      await holdTerms(sql, tenantId, state)
      for (const { level, termsVersion, units, records } of inOrderOfLevels(written)) {
        await writeUnits(sql, { tenantId, level }, units)
        await writeRecordDigests(sql, { tenantId, termsVersion }, records)
      }
      if (finished.length > 0) await finishOutbox(sql, finished)
      if (indexed.length > 0) await addEmbedding(sql, indexed, { tenantId, embeds: this.#dependencies.embeds })
      if (indexed.length > 0 && this.#dependencies.learns) await addOutbox(sql, learnTopic, indexed)
      if (unnamed.length > 0) await addOutbox(sql, namesTopic, unnamed)
      for (const { id, firstSeq } of advanced) await advanceOutbox(sql, id, firstSeq)
      await away.leave(sql, indexTopic)
      queued = await this.#archiveQueue.add(sql, unarchived)
    })
    this.#archiveQueue.queued(queued)
    const { observer = unobserved } = this.#dependencies
    observer.note({ kind: 'worked_off', topic: indexTopic, messages })
    return written.reduce((sum, { units }) => sum + units.length, 0)
  }

  async #sortWhenIdle(): Promise<void> {
    if (this.#unitsUnsorted < sortAfterUnits) return
    this.#unitsUnsorted = 0
    await this.#dependencies.database.run(sortPendingEntries)
  }

  async #analyzeWhenGrown(added: number): Promise<void> {
    this.#unitsUnseen += added
    if (this.#unitsUnseen < lookAfterUnits) return
    this.#unitsUnseen = 0
    await this.#dependencies.database.run(analyzeGrown)
  }

  async #readItem(
    item: OutboxItem,
    room: { readonly messages: number; readonly bytes: number },
  ): Promise<{ rows: MessageRow[]; bytes: number; nextSeq: number | undefined }> {
    const key = { tenantId: item.tenantId, sessionId: item.sessionId }
    const range = { fromSeq: item.firstSeq, toSeq: item.lastSeq, limit: Math.max(room.messages, 1) }
    const rows = await readMessages(this.#dependencies.database, key, range)
    const bytes = rows.reduce((sum, row) => sum + row.payloadBytes, 0)
    const last = rows.at(-1)
    return { rows, bytes, nextSeq: last === undefined || last.seq >= item.lastSeq ? undefined : last.seq + 1 }
  }

  /** Of each index those of a message, which is read once: none where it has no words; nothing of any where it cannot be read now. */
  async #unitsOf(message: MessageRow, indexes: readonly TermIndex[], away: AwayMessages): Promise<SearchUnit[][]> {
    if (away.skips(message)) return []
    try {
      const payload = await loadPayload(this.#dependencies.archive, message)
      const read = { text: readableText(message, payload), flags: flagsOfMessage(message, payload) }
      const made: SearchUnit[][] = []
      for (const index of indexes) made.push(await makeUnits(message, read, index))
      return made
    } catch (error) {
      if (away.take(message, error)) return []
      // A damaged or strange message is reported by `verify` and by every read; it must not keep the others from being found.
      this.#dependencies.log.error(`message ${message.id} was not indexed`, error)
      return []
    }
  }
}

/** From the first message on that is no history; nothing where all of them are. */
function newPart({ tenantId, sessionId }: OutboxItem, rows: readonly MessageRow[]): Stretch[] {
  const first = rows.find(isNew)
  const last = rows.at(-1)
  if (first === undefined || last === undefined) return []
  return [{ tenantId, sessionId, firstSeq: first.seq, lastSeq: last.seq }]
}

/** Whoever writes to several levels goes through them in this order, so that none waits for another in a ring. */
function inOrderOfLevels<T extends { readonly index: TermIndex }>(written: readonly T[]) {
  return written
    .map(({ index, ...made }) => ({ ...made, termsVersion: index.version, level: levelOfTerms(index.version) }))
    .toSorted((a, b) => a.level - b.level)
}

/** `Map.groupBy` came with Node 21. */
function groupByTenant(items: readonly OutboxItem[]): Map<number, OutboxItem[]> {
  const groups = new Map<number, OutboxItem[]>()
  for (const item of items) groups.set(item.tenantId, [...(groups.get(item.tenantId) ?? []), item])
  return groups
}
