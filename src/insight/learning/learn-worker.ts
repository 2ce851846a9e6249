import { isNew } from '../../indexing/age.ts'
import type { JoinedStretch } from '../../indexing/joined-stretches.ts'
import {
  messagesWaitingMax,
  StretchWorker,
  type StretchReading,
  type StretchWork,
  type StretchWorkerDependencies,
  type Made,
} from '../../indexing/stretch-worker.ts'
import type { TermHashers } from '../../indexing/terms/term-hashers.ts'
import type { ArchiveStore } from '../../ports/archive-store.ts'
import { readErasures } from '../../store/erasure/keep-from-erasure.ts'
import { readMessages, type SessionKey } from '../../store/messages.ts'
import type { TellingMessage } from './extract-facts.ts'
import type { Batch, FactFinder } from './fact-finder.ts'
import { makeFindings, storeFindings } from './findings.ts'
import { tellingMessage } from './meant/telling-message.ts'

export interface LearnWorkerDependencies extends StretchWorkerDependencies {
  readonly archive: ArchiveStore
  readonly hashers: TermHashers
}

interface Reading extends StretchReading {
  readonly telling: Batch['messages']
  /** The numbers of the messages that could be read. */
  readonly seqs: readonly number[]
  /** The numbers of those that are damaged. */
  readonly damaged: readonly number[]
  readonly erasures: number
  /** Whether it begins with the first message of the session. */
  readonly isFirst: boolean
}

const messagesPerRound = 200
/** Who says a fact writes no more than this, but for pictures and documents. */
const payloadBytesMax = 256 * 1024

/** Learns from what was indexed. Done twice it has the effect of once, as a fact has its id from the place that it stands at. */
class LearnWork implements StretchWork<Reading> {
  readonly name = 'learning'
  readonly topic: string
  readonly quietMs: number | undefined
  readonly next: string | undefined
  readonly model: string | undefined
  readonly version: string | undefined
  /** Where a model is waited for a round ends with the first that was asked. */
  readonly messagesPerRound: number
  readonly #dependencies: LearnWorkerDependencies
  readonly #finder: FactFinder

  constructor(dependencies: LearnWorkerDependencies, finder: FactFinder) {
    this.#dependencies = dependencies
    this.#finder = finder
    this.topic = finder.topic
    this.quietMs = finder.quietMs
    this.next = finder.next
    this.model = finder.model
    this.version = finder.version
    this.messagesPerRound = finder.quietMs === undefined ? messagesPerRound : 1
  }

  async read({ tenantId, sessionId, firstSeq, lastSeq }: JoinedStretch): Promise<Reading> {
    const { database, archive } = this.#dependencies
    const key = { tenantId, sessionId }
    // No more are read at once where a model reads them.
    const limit = this.quietMs === undefined ? messagesPerRound : messagesWaitingMax
    const erasures = await database.run((sql) => readErasures(sql, key))
    const range = { fromSeq: firstSeq, toSeq: lastSeq, limit, payloadBytesMax, usable: true, withFlags: true }
    const rows = await readMessages(database, key, range)
    const found: TellingMessage[] = []
    const seqs: number[] = []
    const damaged: number[] = []
    for (const row of rows) {
      const message = await tellingMessage(archive, row)
      const { seq } = row
      if (message === 'damaged') damaged.push(seq)
      else seqs.push(seq)
      if (message !== undefined && message !== 'damaged') found.push(message)
    }
    const { messages: telling, nextSeq } = this.#finder.firstBatch(found)
    const read = nextSeq === undefined ? rows : rows.filter(({ seq }) => seq < nextSeq)
    const whole = rows.length < limit ? lastSeq : (rows.at(-1)?.seq ?? lastSeq)
    const nextFrom = read.find(isNew)?.seq
    const upTo = nextSeq === undefined ? whole : nextSeq - 1
    return { messages: read.length, telling, seqs, damaged, erasures, isFirst: firstSeq === 1, upTo, nextFrom }
  }

  async make(key: SessionKey, { telling, seqs, damaged, erasures, isFirst }: Reading): Promise<Made> {
    const facts = await this.#finder.find(telling)
    const { madeBy, isAnew } = this.#finder
    const findings = await makeFindings(this.#dependencies, key, { facts, madeBy, isFirst })
    const anew = isAnew === true ? { madeBy, seqs, damaged } : undefined
    return { write: async (sql) => await storeFindings(sql, key, { ...findings, erasures, anew }) }
  }
}

/** Learns from what was indexed, from the outbox: a stretch of a session at a time, each message once. */
export class LearnWorker {
  readonly #worker: StretchWorker<Reading>

  constructor(dependencies: LearnWorkerDependencies, finder: FactFinder) {
    this.#worker = new StretchWorker(dependencies, new LearnWork(dependencies, finder))
  }

  /** Says that something may have been indexed. Cheap; call it as often as you like. */
  wake(): void {
    this.#worker.wake()
  }

  async stop(): Promise<void> {
    await this.#worker.stop()
  }
}
