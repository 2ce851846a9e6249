import { UnavailableError } from '../../errors.ts'
import { Drain } from '../../indexing/drain.ts'
import { recordFailure } from '../../indexing/failed-work.ts'
import type { TermHashers } from '../../indexing/term-hashers.ts'
import type { Log } from '../../log.ts'
import type { ArchiveStore } from '../../ports/archive-store.ts'
import { ProviderError } from '../../ports/provider-error.ts'
import type { Database } from '../../store/database.ts'
import { readErasures } from '../../store/erasure/keep-from-erasure.ts'
import { saveFacts, sealFact } from '../../store/learning/sealed-facts.ts'
import { readMessages, type MessageRow } from '../../store/messages.ts'
import {
  addOutbox,
  advanceOutbox,
  finishOutbox,
  msUntilDue,
  postponeOutbox,
  workOff,
  type Commit,
  type OutboxItem,
} from '../../store/outbox.ts'
import type { TellingMessage } from './extract-facts.ts'
import type { FoundFact } from './fact.ts'
import { joinedStretches, type JoinedStretch } from './joined-stretches.ts'
import { newFact } from './new-fact.ts'
import { tellingMessage } from './telling-message.ts'

export interface LearnWorkerDependencies {
  readonly database: Database
  readonly archive: ArchiveStore
  readonly hashers: TermHashers
  readonly log: Log
}

/** What finds facts in messages, and what work it takes. */
export interface FactFinder {
  readonly topic: string
  /** `patterns`, or the provider of a model. */
  readonly madeBy: string
  find(messages: readonly TellingMessage[]): Promise<readonly FoundFact[]>
  /** A conversation that goes on is waited for so long, so that it is not read message by message. */
  readonly quietMs?: number | undefined
  /** Whose work what was just saved is after that. */
  readonly next?: string | undefined
}

/** Bounds of one round: nobody waits for what is learned, and others wait for the database. */
const itemsPerRound = 100
const messagesPerRead = 200
const messagesPerRound = 200
const retries = { name: 'learning', attemptsMax: 5, baseMs: 5_000 } as const
/** Wakes come with every save. */
const lookMs = 1_000
/** A session that is just being changed, as put under another key or anonymised, and a provider that does not answer, are looked at again after this. */
const otherKeyMs = 2_000
const providerMs = 60_000
/** So many messages are not waited with. */
const messagesWaitingMax = 40
/** What was saved before this is history: no model is sent all of it by itself. */
const newMs = 86_400_000

/**
 * Learns from what was indexed, from the outbox: a stretch of a session at a time, each message once. Done twice it has the effect
 * of once, as a fact has its id from the place that it stands at.
 */
export class LearnWorker {
  readonly #dependencies: LearnWorkerDependencies
  readonly #finder: FactFinder
  readonly #drain: Drain
  #isStopping = false

  constructor(dependencies: LearnWorkerDependencies, finder: FactFinder) {
    this.#dependencies = dependencies
    this.#finder = finder
    this.#drain = new Drain({ name: 'learning', round: () => this.#round(), log: dependencies.log })
  }

  /** Says that something may have been indexed. Cheap; call it as often as you like. */
  wake(): void {
    this.#drain.wakeLater(lookMs)
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    await this.#drain.stop()
  }

  /** Works off a bounded piece of the outbox; true where there may be more. */
  async #round(): Promise<boolean> {
    const { database } = this.#dependencies
    const { topic } = this.#finder
    const worked = await workOff(database, { topic, limit: itemsPerRound }, async (items, commit) => {
      let messages = 0
      for (const stretch of joinedStretches(items)) {
        if (this.#isStopping || messages >= messagesPerRound) break
        messages += await this.#tryStretch(stretch, commit)
      }
      return items.length
    })
    if (worked > 0) return true
    const dueMs = await database.run((sql) => msUntilDue(sql, topic))
    if (dueMs !== undefined) this.#drain.wakeLater(Math.max(dueMs, lookMs))
    return false
  }

  /** Returns how many messages were read. */
  async #tryStretch(stretch: JoinedStretch, commit: Commit): Promise<number> {
    const { log } = this.#dependencies
    const { items } = stretch
    try {
      return await this.#learn(stretch, commit)
    } catch (error) {
      if (error instanceof ProviderError && error.failure !== 'rejected' && error.failure !== 'malformed') {
        const delayMs = error.retryAfterMs ?? providerMs
        log.warn(`learning waits for ${Math.round(delayMs / 1_000)} s: ${error.message}`)
        await commit((sql) => postponeOutbox(sql, idsOf(items), { error: error.message, delayMs }))
        return 0
      }
      // Neither is a database or a key that cannot be had a failure of the work.
      if (error instanceof UnavailableError && !(error instanceof ProviderError)) throw error
      for (const item of items) await recordFailure({ commit, log }, item, { error, policy: retries })
      return 0
    }
  }

  async #learn({ items, tenantId, sessionId, firstSeq, lastSeq }: JoinedStretch, commit: Commit): Promise<number> {
    const { database, hashers } = this.#dependencies
    const key = { tenantId, sessionId }
    const range = { fromSeq: firstSeq, toSeq: lastSeq, limit: messagesPerRead, usable: true, withFlags: true }
    const erasures = await database.run((sql) => readErasures(sql, key))
    const rows = await readMessages(database, key, range)
    const waitMs = this.#waitMs(rows)
    if (waitMs > 0) {
      await commit((sql) => postponeOutbox(sql, idsOf(items), { error: 'the conversation goes on', delayMs: waitMs }))
      return rows.length
    }
    const telling: TellingMessage[] = []
    for (const row of rows) {
      const message = await tellingMessage(this.#dependencies.archive, row)
      if (message !== undefined) telling.push(message)
    }
    const found = await this.#finder.find(telling)
    // While the words of a store are put under another key, what is new is hashed under the one that is to be.
    const hasher = (await hashers.written(tenantId)).indexes.at(-1)?.hasher
    if (hasher === undefined) throw new Error(`Tenant ${tenantId} has no index`)
    const seal = await database.vault.sealOf(tenantId, sessionId)
    const facts = found.map((fact) => sealFact(newFact(fact, { madeBy: this.#finder.madeBy, hasher }), seal))
    await commit(async (sql) => {
      if (facts.length > 0 && !(await saveFacts(sql, key, { facts, keyVersion: seal?.version ?? 0, erasures }))) {
        database.vault.forget(tenantId, sessionId)
        const delay = { error: 'the session was changed meanwhile', delayMs: otherKeyMs }
        return await postponeOutbox(sql, idsOf(items), delay)
      }
      const isDone = rows.length < messagesPerRead
      const nextSeq = (rows.at(-1)?.seq ?? lastSeq) + 1
      const done = idsOf(isDone ? items : items.filter((item) => item.lastSeq < nextSeq))
      if (done.length > 0) await finishOutbox(sql, done)
      for (const { id, firstSeq: first } of items)
        if (!done.includes(id) && first < nextSeq) await advanceOutbox(sql, id, nextSeq)
      const recent = this.#finder.next === undefined ? undefined : rows.find(({ savedAt }) => ageMs(savedAt) < newMs)
      if (this.#finder.next !== undefined && recent !== undefined)
        await addOutbox(sql, this.#finder.next, [{ ...key, firstSeq: recent.seq, lastSeq: nextSeq - 1 }])
    })
    return rows.length
  }

  /** How long a conversation is waited for; 0 where it is not. */
  #waitMs(rows: readonly MessageRow[]): number {
    const last = rows.at(-1)
    if (this.#finder.quietMs === undefined || last === undefined || rows.length >= messagesWaitingMax) return 0
    return Math.max(0, this.#finder.quietMs - ageMs(last.savedAt))
  }
}

const idsOf = (items: readonly OutboxItem[]) => items.map(({ id }) => id)
const ageMs = (time: string) => Date.now() - Date.parse(time)
