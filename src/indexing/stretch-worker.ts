import { UnavailableError } from '../errors.ts'
import type { Log } from '../log.ts'
import { ProviderError } from '../ports/provider-error.ts'
import type { Database } from '../store/database.ts'
import { postponeConversation, readConversation } from '../store/learning/conversations.ts'
import { reviveWithheld, splitOutbox } from '../store/learning/learning-work.ts'
import type { SessionKey } from '../store/messages.ts'
import type { Transaction } from '../store/rows.ts'
import { addOutbox } from '../store/work/add-work.ts'
import {
  advanceOutbox,
  finishOutbox,
  msUntilDue,
  postponeOutbox,
  workOff,
  type Commit,
  type OutboxItem,
} from '../store/work/outbox.ts'
import { Drain } from './drain.ts'
import { recordFailure } from './failed-work.ts'
import { joinedStretches, type JoinedStretch } from './joined-stretches.ts'
import type { StandBack } from './stand-back.ts'

/** The first part of a stretch, as it is read. */
export interface StretchReading {
  /** How many messages count as read when it is done. */
  readonly messages: number
  /** The number of the last message that it deals with. */
  readonly upTo: number
  /** The first message of it that is left as work to who is `next`. */
  readonly nextFrom?: number | undefined
}

/** What is made of a stretch. */
export interface Made {
  /** Writes it: false where the session was changed since it was read. */
  readonly write: (sql: Transaction) => Promise<boolean>
  /** The number of the last message that it is made of, where it is not all that was read. */
  readonly upTo?: number | undefined
}

/** What is done with stretches of sessions, each message once. */
export interface StretchWork<Reading extends StretchReading> {
  /** What the work is, for the log. */
  readonly name: string
  readonly topic: string
  /** A conversation that goes on is waited for so long, so that it is not read message by message; undefined: nobody is waited for. */
  readonly quietMs?: number | undefined
  /** Of one round: on a server that is one transaction. */
  readonly messagesPerRound: number
  /** Whose work it is after that. */
  readonly next?: string | undefined
  /** The model that does it: what it holds its answer back to is left until it is another one. */
  readonly model?: string | undefined
  /** The version that does it, where what fails for good in it is left until it is another one. */
  readonly version?: string | undefined
  read(stretch: JoinedStretch): Promise<Reading>
  /** Done twice it must have the effect of once. Where the signal is aborted it may throw its reason: the work stays as it is. */
  make(key: SessionKey, reading: Reading, options: { readonly signal: AbortSignal }): Promise<Made>
}

/** For how long work waits, and why. */
interface Delay {
  readonly error: string
  readonly delayMs: number
}

/** Nobody waits for this work, and others wait for the database. */
const itemsPerRound = 100
const attempts = { attemptsMax: 5, baseMs: 5_000 } as const
/** Wakes come with every save. */
const lookMs = 1_000
/** A session that is just being changed, as put under another key or anonymised, and a provider that does not answer, are looked at again after this. */
const otherKeyMs = 2_000
const providerMs = 60_000
/** So many messages of a conversation are not waited with. */
export const messagesWaitingMax = 40

export interface StretchWorkerDependencies {
  readonly database: Database
  readonly log: Log
  /** Who serves others meanwhile; absent where that is not known. */
  readonly standBack?: StandBack | undefined
}

/** Works at what was indexed, from the outbox: a stretch of a session at a time, each message once. */
export class StretchWorker<Reading extends StretchReading> {
  readonly #stores: StretchWorkerDependencies
  readonly #work: StretchWork<Reading>
  readonly #drain: Drain
  readonly #stopping = new AbortController()
  #isRevived = false
  /** Whether the last round was full, as after an import: there is much more, and nobody waits for it. Where a model is waited for, it takes the time. */
  #isLong = false

  constructor(stores: StretchWorkerDependencies, work: StretchWork<Reading>) {
    this.#stores = stores
    this.#work = work
    this.#drain = new Drain({ name: work.name, round: () => this.#round(), log: stores.log })
  }

  /** Says that something may have been indexed. Cheap; call it as often as you like. */
  wake(): void {
    this.#drain.wakeLater(lookMs)
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the work is being stopped'))
    await this.#drain.stop()
  }

  /** Works off a bounded piece of the outbox; true where there may be more. */
  async #round(): Promise<boolean> {
    const { database } = this.#stores
    const { topic, messagesPerRound } = this.#work
    await this.#revive()
    if (this.#isLong) await this.#stores.standBack?.turn(this.#stopping.signal)
    const worked = await workOff(database, { topic, limit: itemsPerRound }, async (items, commit) => {
      let messages = 0
      for (const stretch of joinedStretches(items)) {
        if (this.#stopping.signal.aborted || messages >= messagesPerRound) break
        messages += await this.#tryStretch(stretch, commit)
      }
      const isFull = messages >= messagesPerRound || items.length >= itemsPerRound
      this.#isLong = this.#work.quietMs === undefined && isFull
      return items.length
    })
    if (worked > 0) return true
    const dueMs = await database.run((sql) => msUntilDue(sql, topic))
    if (dueMs !== undefined) this.#drain.wakeLater(Math.max(dueMs, lookMs))
    return false
  }

  /** Once: a process has one model. */
  async #revive(): Promise<void> {
    const { topic, model } = this.#work
    if (this.#isRevived || model === undefined) return
    await this.#stores.database.run((sql) => reviveWithheld(sql, { topic, model }))
    this.#isRevived = true
  }

  /** Returns how many messages were read, or tried to. */
  async #tryStretch(stretch: JoinedStretch, commit: Commit): Promise<number> {
    const { log } = this.#stores
    const { name } = this.#work
    const { firstSeq, lastSeq } = stretch
    let upTo = lastSeq
    try {
      const delay = await this.#delayOf(stretch)
      if (delay !== undefined) {
        await commit((sql) => this.#postpone(sql, stretch, delay))
        return 0
      }
      const reading = await this.#work.read(stretch)
      upTo = reading.upTo
      await this.#make(stretch, reading, commit)
      return reading.messages
    } catch (error) {
      const { signal } = this.#stopping
      if (signal.aborted && error === signal.reason) return 0
      if (error instanceof ProviderError && !error.isAboutInput && error.failure !== 'malformed') {
        const delayMs = error.retryAfterMs ?? providerMs
        log.warn(`${name} waits for ${Math.round(delayMs / 1_000)} s: ${error.message}`)
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
    const { log } = this.#stores
    const { name, version } = this.#work
    const policy = { name, version, ...attempts }
    const withheldBy = error instanceof ProviderError && error.failure === 'withheld' ? this.#work.model : undefined
    const isFinal = (item: OutboxItem) => withheldBy !== undefined || item.attempts + 1 >= policy.attemptsMax
    const tried = items.filter(({ firstSeq }) => firstSeq <= upTo)
    for (const item of tried) {
      if (isFinal(item) && item.lastSeq > upTo) await commit((sql) => splitOutbox(sql, item.id, upTo + 1))
      await recordFailure({ commit, log }, item, { error, policy, withheldBy })
    }
    const rest = items.filter((item) => !tried.includes(item))
    if (rest.length === 0 || tried.every(isFinal)) return
    const delayMs = policy.baseMs * 2 ** Math.max(...tried.map((item) => item.attempts))
    await commit((sql) => postponeOutbox(sql, idsOf(rest), { error: 'what was said before it is read first', delayMs }))
  }

  async #make(stretch: JoinedStretch, reading: Reading, commit: Commit): Promise<void> {
    const { tenantId, sessionId } = stretch
    const made = await this.#work.make({ tenantId, sessionId }, reading, { signal: this.#stopping.signal })
    await commit(async (sql) => {
      if (await made.write(sql))
        return await this.#finish(sql, stretch, { ...reading, upTo: made.upTo ?? reading.upTo })
      this.#stores.database.vault.forget(tenantId, sessionId)
      return await this.#postpone(sql, stretch, { error: 'the session was changed meanwhile', delayMs: otherKeyMs })
    })
  }

  /** Takes what was read from the outbox, and leaves it to who is next. */
  async #finish(
    sql: Transaction,
    { items, tenantId, sessionId }: JoinedStretch,
    { upTo, nextFrom }: StretchReading,
  ): Promise<void> {
    const { next } = this.#work
    const done = idsOf(items.filter((item) => item.lastSeq <= upTo))
    if (done.length > 0) await finishOutbox(sql, done)
    for (const { id, firstSeq } of items)
      if (!done.includes(id) && firstSeq <= upTo) await advanceOutbox(sql, id, upTo + 1)
    if (next !== undefined && nextFrom !== undefined)
      await addOutbox(sql, next, [{ tenantId, sessionId, firstSeq: nextFrom, lastSeq: upTo }])
  }

  /** A conversation that is waited for is put off as a whole, so that it is read at once. */
  async #postpone(sql: Transaction, { items, tenantId, sessionId }: JoinedStretch, delay: Delay): Promise<void> {
    const { quietMs, topic } = this.#work
    if (quietMs === undefined) return await postponeOutbox(sql, idsOf(items), delay)
    await postponeConversation(sql, { tenantId, sessionId, topic }, delay)
  }

  /** Whether a conversation is waited for: until it is quiet or much of it waits, and then for what was put off of it. */
  async #delayOf({ firstSeq, lastSeq, ...key }: JoinedStretch): Promise<Delay | undefined> {
    const { quietMs, topic } = this.#work
    if (quietMs === undefined || lastSeq - firstSeq + 1 >= messagesWaitingMax) return undefined
    const stands = await this.#stores.database.run((sql) => readConversation(sql, key, topic))
    const waitMs = quietMs - (stands.quietMs ?? quietMs)
    if (waitMs > 0 && stands.waiting < messagesWaitingMax)
      return { error: 'the conversation goes on', delayMs: Math.min(waitMs, quietMs) }
    return stands.isPutOff ? { error: 'the conversation is read as a whole', delayMs: 0 } : undefined
  }
}

const idsOf = (items: readonly OutboxItem[]) => items.map(({ id }) => id)
