import { explain, messageOf, UnavailableError } from '../errors.ts'
import { Drain } from '../indexing/drain.ts'
import { recordFailure } from '../indexing/failed-work.ts'
import type { StandBack } from '../indexing/stand-back.ts'
import { limits } from '../limits.ts'
import { tenantIds } from '../store/access/tenants.ts'
import { archiveTopic, deferArchive, forgetDeadArchive, queueUnarchived } from '../store/archive/archive-queue.ts'
import { readArchiveDue, type ArchiveDue } from '../store/archive/archive-state.ts'
import {
  finishOutbox,
  msUntilDue,
  postponeOutbox,
  workOff,
  type Commit,
  type OutboxItem,
} from '../store/work/outbox.ts'
import type { ArchiveDependencies } from './archive-dependencies.ts'
import { archiveChangedKeys } from './archive-keys.ts'
import { Archiver, type FileProblem } from './archiver.ts'
import { isOfOneSession } from './is-of-one-session.ts'

export interface ArchiveWorkerOptions extends ArchiveDependencies {
  /** A session is archived when nothing was saved to it for so long. */
  readonly idleMs: number
  /** Who serves others meanwhile; absent where that is not known. */
  readonly standBack?: StandBack | undefined
}

const itemsPerRound = 20
const retries = { name: 'archiving', attemptsMax: 5, baseMs: 30_000 } as const
/** Wakes come with every save; to look costs the store two short queries. */
const lookMs = 1_000
/** How long a session that fills up by and by waits at most until it is looked at again. */
export const lookAgainMsMax = 60_000
/** A session that is never idle is archived after so many times the idle time all the same. */
const neverIdle = 12
/** What changed without being queued, by an older version for example, is found so often. */
const sweepMs = 3_600_000
/** An archive that does not answer is tried again after this, doubled each time. */
const pauseMs = 30_000
const pauseMsMax = 600_000

/**
 * Archives sessions in the background, from the outbox: when they are closed or idle, or when a segment is full. Nothing
 * waits for it.
 */
export class ArchiveWorker {
  readonly #options: ArchiveWorkerOptions
  readonly #archiver: Archiver
  readonly #drain: Drain
  #sweptAtMs = -Infinity
  #failures = 0
  readonly #told = new Set<string>()
  readonly #stopping = new AbortController()

  constructor(options: ArchiveWorkerOptions) {
    this.#options = options
    this.#archiver = new Archiver(options)
    this.#drain = new Drain({ name: 'archiving', round: () => this.#round(), log: options.log })
  }

  /** Says that something may have been saved. Cheap; call it as often as you like. */
  wake(): void {
    this.#drain.wakeLater(lookMs)
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#drain.stop()
  }

  /** Works off a bounded piece of the outbox; true where there may be more. */
  async #round(): Promise<boolean> {
    const { database } = this.#options
    if (performance.now() - this.#sweptAtMs > sweepMs) await this.#sweep()
    const wanted = { topic: archiveTopic, limit: itemsPerRound }
    const archived = await workOff(database, wanted, (items, commit) => this.#archiveItems(items, commit))
    if (archived > 0) {
      await this.#archiveFiles()
      return true
    }
    const dueMs = await database.run((sql) => msUntilDue(sql, archiveTopic))
    if (dueMs !== undefined) this.#drain.wakeLater(Math.max(dueMs, lookMs))
    return false
  }

  async #sweep(): Promise<void> {
    const { database } = this.#options
    for (const tenantId of await database.run(tenantIds)) await database.run((sql) => queueUnarchived(sql, tenantId, 0))
    this.#sweepAfter(sweepMs)
    await this.#archiveFiles()
  }

  #sweepAfter(delayMs: number): void {
    this.#sweptAtMs = performance.now() - sweepMs + delayMs
    this.#drain.wakeLater(delayMs)
  }

  /** Documents and keys are in no outbox: which of them are to be archived is seen in the database. */
  async #archiveFiles(): Promise<void> {
    const { database, standBack } = this.#options
    const { signal } = this.#stopping
    const isOver = () => signal.aborted
    try {
      for (const tenantId of await database.run(tenantIds)) {
        const { problems } = await this.#archiver.archiveFiles(tenantId, {
          isOver,
          turn: async () => await standBack?.turn(signal),
        })
        this.#tell(problems)
        await archiveChangedKeys(this.#options, tenantId, { isOver })
      }
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error
      this.#options.log.warn(`archiving waits: ${messageOf(error)}`)
      this.#sweepAfter(pauseMs)
    }
  }

  /** Each problem once, though it is met again with every round. */
  #tell(problems: readonly FileProblem[]): void {
    for (const { id, problem } of problems) {
      if (this.#told.has(id)) continue
      this.#told.add(id)
      this.#options.log.error(`the imported document ${id} was not archived: ${problem}`)
    }
  }

  /** How many items were worked on; an archive that does not answer ends the round. */
  async #archiveItems(items: readonly OutboxItem[], commit: Commit): Promise<number> {
    const { database, log, standBack } = this.#options
    // There is much more, as after an import.
    const isLong = items.length >= itemsPerRound
    for (const [index, item] of items.entries()) {
      if (isLong) await standBack?.turn(this.#stopping.signal)
      if (this.#stopping.signal.aborted) return 0
      const key = { tenantId: item.tenantId, sessionId: item.sessionId }
      try {
        const due = await database.run((sql) => readArchiveDue(sql, key, limits.archiveSegmentMessagesMax))
        const waitMs = due === undefined ? 0 : waitMsOf(due, this.#options.idleMs)
        if (waitMs > 0) {
          await commit((sql) => deferArchive(sql, item, waitMs))
          continue
        }
        await this.#archiver.archiveSession(key)
        await commit(async (sql) => {
          await finishOutbox(sql, [item.id])
          await forgetDeadArchive(sql, item.tenantId, item.sessionId)
        })
        this.#failures = 0
      } catch (error) {
        if (isOfOneSession(error)) await this.#putOffAlone(item, error, commit)
        else if (error instanceof UnavailableError) {
          await this.#putOff(items.slice(index), error, commit)
          return 0
        } else await recordFailure({ commit, log }, item, { error, policy: retries })
      }
    }
    return items.length
  }

  /** A session whose key is not there, or that is damaged, is tried again now and then, as it may be restored; others do not wait for it. */
  async #putOffAlone({ id, sessionId }: OutboxItem, error: UnavailableError, commit: Commit): Promise<void> {
    if (!this.#told.has(sessionId)) this.#options.log.error(explain(error))
    this.#told.add(sessionId)
    await commit((sql) => postponeOutbox(sql, [id], { error: messageOf(error), delayMs: pauseMsMax }))
  }

  /** The archive does not answer, which is no failure of the work. */
  async #putOff(items: readonly OutboxItem[], error: UnavailableError, commit: Commit): Promise<void> {
    const delayMs = Math.min(pauseMs * 2 ** this.#failures, pauseMsMax)
    this.#failures++
    this.#options.log.warn(`archiving waits for ${Math.round(delayMs / 1_000)} s: ${messageOf(error)}`)
    const ids = items.map(({ id }) => id)
    await commit((sql) => postponeOutbox(sql, ids, { error: messageOf(error), delayMs }))
  }
}

/** How long a session is left before it is archived; 0 where it is due. */
function waitMsOf(due: ArchiveDue, idleMs: number): number {
  const waiting = due.lastSeq - due.archivedSeq
  const isDue =
    due.closed ||
    waiting === 0 ||
    waiting >= limits.archiveSegmentMessagesMax ||
    due.waitingBytes >= limits.archiveSegmentBytesMax ||
    due.quietMs >= idleMs ||
    due.waitingMs >= idleMs * neverIdle
  return isDue ? 0 : Math.min(idleMs - due.quietMs + 1, lookAgainMsMax)
}
