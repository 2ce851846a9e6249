import { UnavailableError } from '../../errors.ts'
import { Drain } from '../../indexing/drain.ts'
import { recordFailure } from '../../indexing/failed-work.ts'
import type { TermHashers } from '../../indexing/term-hashers.ts'
import type { Log } from '../../log.ts'
import type { ArchiveStore } from '../../ports/archive-store.ts'
import { ProviderError } from '../../ports/provider-error.ts'
import type { Database } from '../../store/database.ts'
import { readErasures } from '../../store/erasure/keep-from-erasure.ts'
import { holdTerms } from '../../store/keys/encryption-state.ts'
import { postponeConversation, readConversation } from '../../store/learning/conversations.ts'
import { splitOutbox } from '../../store/learning/learning-work.ts'
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
import type { Transaction } from '../../store/rows.ts'
import type { TellingMessage } from './extract-facts.ts'
import type { Batch, FactFinder } from './fact-finder.ts'
import { joinedStretches, type JoinedStretch } from './joined-stretches.ts'
import { newFact } from './new-fact.ts'
import { tellingMessage } from './telling-message.ts'

export interface LearnWorkerDependencies {
  readonly database: Database
  readonly archive: ArchiveStore
  readonly hashers: TermHashers
  readonly log: Log
}

/** The first part of a stretch, as it is read. */
interface Reading {
  /** Those that count as read when it is done. */
  readonly rows: readonly MessageRow[]
  readonly messages: Batch['messages']
  readonly erasures: number
  /** The number of the last message that it deals with. */
  readonly upTo: number
}

/** For how long work waits, and why. */
interface Delay {
  readonly error: string
  readonly delayMs: number
}

/** Bounds of one round: nobody waits for what is learned, and others wait for the database. */
const itemsPerRound = 100
const messagesPerRound = 200
/** Who says a fact writes no more than this, but for pictures and documents. */
const payloadBytesMax = 256 * 1024
const retries = { name: 'learning', attemptsMax: 5, baseMs: 5_000 } as const
/** Wakes come with every save. */
const lookMs = 1_000
/** A session that is just being changed, as put under another key or anonymised, and a provider that does not answer, are looked at again after this. */
const otherKeyMs = 2_000
const providerMs = 60_000
/** So many messages are not waited with, and no more are read at once where a model reads them. */
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
        if (this.#isStopping || messages >= this.#messagesPerRound) break
        messages += await this.#tryStretch(stretch, commit)
      }
      return items.length
    })
    if (worked > 0) return true
    const dueMs = await database.run((sql) => msUntilDue(sql, topic))
    if (dueMs !== undefined) this.#drain.wakeLater(Math.max(dueMs, lookMs))
    return false
  }

  /** On a server a round is one transaction: where a model is waited for it ends with the first that was asked. */
  get #messagesPerRound(): number {
    return this.#finder.quietMs === undefined ? messagesPerRound : 1
  }

  /** Returns how many messages were read, or tried to. */
  async #tryStretch(stretch: JoinedStretch, commit: Commit): Promise<number> {
    const { log } = this.#dependencies
    const { firstSeq, lastSeq } = stretch
    let upTo = lastSeq
    try {
      const delay = await this.#delayOf(stretch)
      if (delay !== undefined) {
        await commit((sql) => this.#postpone(sql, stretch, delay))
        return 0
      }
      const reading = await this.#read(stretch)
      upTo = reading.upTo
      await this.#learn(stretch, reading, commit)
      return reading.rows.length
    } catch (error) {
      if (error instanceof ProviderError && error.failure !== 'rejected' && error.failure !== 'malformed') {
        const delayMs = error.retryAfterMs ?? providerMs
        log.warn(`learning waits for ${Math.round(delayMs / 1_000)} s: ${error.message}`)
        await commit((sql) => this.#postpone(sql, stretch, { error: error.message, delayMs }))
        return lastSeq - firstSeq + 1
      }
      // Neither is a database or a key that cannot be had a failure of the work.
      if (error instanceof UnavailableError && !(error instanceof ProviderError)) throw error
      await this.#countFailure({ ...stretch, upTo }, error, commit)
      return lastSeq - firstSeq + 1
    }
  }

  /** Counts a failure of what was read. What comes after that waits with it, until it has failed for good: then it goes on alone. */
  async #countFailure(
    { items, upTo }: JoinedStretch & { readonly upTo: number },
    error: unknown,
    commit: Commit,
  ): Promise<void> {
    const { log } = this.#dependencies
    const isFinal = ({ attempts }: OutboxItem) => attempts + 1 >= retries.attemptsMax
    const tried = items.filter(({ firstSeq }) => firstSeq <= upTo)
    for (const item of tried) {
      if (isFinal(item) && item.lastSeq > upTo) await commit((sql) => splitOutbox(sql, item.id, upTo + 1))
      await recordFailure({ commit, log }, item, { error, policy: retries })
    }
    const rest = items.filter((item) => !tried.includes(item))
    if (rest.length === 0 || tried.every(isFinal)) return
    const delayMs = retries.baseMs * 2 ** Math.max(...tried.map(({ attempts }) => attempts))
    await commit((sql) => postponeOutbox(sql, idsOf(rest), { error: 'what was said before it is read first', delayMs }))
  }

  async #read({ tenantId, sessionId, firstSeq, lastSeq }: JoinedStretch): Promise<Reading> {
    const { database, archive } = this.#dependencies
    const key = { tenantId, sessionId }
    const limit = this.#finder.quietMs === undefined ? messagesPerRound : messagesWaitingMax
    const erasures = await database.run((sql) => readErasures(sql, key))
    const range = { fromSeq: firstSeq, toSeq: lastSeq, limit, payloadBytesMax, usable: true, withFlags: true }
    const rows = await readMessages(database, key, range)
    const telling: TellingMessage[] = []
    for (const row of rows) {
      const message = await tellingMessage(archive, row)
      if (message !== undefined) telling.push(message)
    }
    const { messages, nextSeq } = this.#finder.firstBatch(telling)
    if (nextSeq !== undefined)
      return { rows: rows.filter(({ seq }) => seq < nextSeq), messages, erasures, upTo: nextSeq - 1 }
    return { rows, messages, erasures, upTo: rows.length < limit ? lastSeq : (rows.at(-1)?.seq ?? lastSeq) }
  }

  async #learn(stretch: JoinedStretch, { rows, messages, erasures, upTo }: Reading, commit: Commit): Promise<void> {
    const { database, hashers } = this.#dependencies
    const { tenantId, sessionId } = stretch
    const key = { tenantId, sessionId }
    const found = await this.#finder.find(messages)
    // While the words of a store are put under another key, what is new is hashed under the one that is to be.
    const { indexes, state } = await hashers.written(tenantId)
    const hasher = indexes.at(-1)?.hasher
    if (hasher === undefined) throw new Error(`Tenant ${tenantId} has no index`)
    const seal = await database.vault.sealOf(tenantId, sessionId)
    const facts = found.map((fact) => sealFact(newFact(fact, { madeBy: this.#finder.madeBy, hasher }), seal))
    await commit(async (sql) => {
      if (facts.length > 0) await holdTerms(sql, tenantId, state)
      if (facts.length > 0 && !(await saveFacts(sql, key, { facts, keyVersion: seal?.version ?? 0, erasures }))) {
        database.vault.forget(tenantId, sessionId)
        return await this.#postpone(sql, stretch, { error: 'the session was changed meanwhile', delayMs: otherKeyMs })
      }
      await this.#finish(sql, stretch, { rows, nextSeq: upTo + 1 })
    })
  }

  /** Takes what was read from the outbox, and leaves it to who is next. */
  async #finish(
    sql: Transaction,
    { items, tenantId, sessionId }: JoinedStretch,
    { rows, nextSeq }: { readonly rows: readonly MessageRow[]; readonly nextSeq: number },
  ): Promise<void> {
    const { next } = this.#finder
    const done = idsOf(items.filter((item) => item.lastSeq < nextSeq))
    if (done.length > 0) await finishOutbox(sql, done)
    for (const { id, firstSeq } of items)
      if (!done.includes(id) && firstSeq < nextSeq) await advanceOutbox(sql, id, nextSeq)
    const recent = next === undefined ? undefined : rows.find(({ savedAt }) => ageMs(savedAt) < newMs)
    if (next !== undefined && recent !== undefined)
      await addOutbox(sql, next, [{ tenantId, sessionId, firstSeq: recent.seq, lastSeq: nextSeq - 1 }])
  }

  /** A conversation that is waited for is put off as a whole, so that it is read at once. */
  async #postpone(sql: Transaction, { items, tenantId, sessionId }: JoinedStretch, delay: Delay): Promise<void> {
    const { quietMs, topic } = this.#finder
    if (quietMs === undefined) return await postponeOutbox(sql, idsOf(items), delay)
    await postponeConversation(sql, { tenantId, sessionId, topic }, delay)
  }

  /** Whether a conversation is waited for: until it is quiet or much of it waits, and then for what was put off of it. */
  async #delayOf({ firstSeq, lastSeq, ...key }: JoinedStretch): Promise<Delay | undefined> {
    const { quietMs, topic } = this.#finder
    if (quietMs === undefined || lastSeq - firstSeq + 1 >= messagesWaitingMax) return undefined
    const stands = await this.#dependencies.database.run((sql) => readConversation(sql, key, topic))
    const waitMs = quietMs - (stands.quietMs ?? quietMs)
    if (waitMs > 0 && stands.waiting < messagesWaitingMax)
      return { error: 'the conversation goes on', delayMs: Math.min(waitMs, quietMs) }
    return stands.isPutOff ? { error: 'the conversation is read as a whole', delayMs: 0 } : undefined
  }
}

const idsOf = (items: readonly OutboxItem[]) => items.map(({ id }) => id)
const ageMs = (time: string) => Date.now() - Date.parse(time)
