import { loadPayload } from '../capture/large-payload.ts'
import { DamagedPayload } from '../errors.ts'
import type { JoinedStretch } from '../indexing/joined-stretches.ts'
import {
  messagesWaitingMax,
  StretchWorker,
  type StretchReading,
  type StretchWork,
  type Made,
} from '../indexing/stretch-worker.ts'
import { limits } from '../limits.ts'
import type { Log } from '../log.ts'
import type { ArchiveStore } from '../ports/archive-store.ts'
import type { NameFinder } from '../ports/name-finder.ts'
import { readableText } from '../sessions/document.ts'
import type { Database } from '../store/database.ts'
import { readErasures } from '../store/erasure/keep-from-erasure.ts'
import { readMessages, type MessageRow, type SessionKey } from '../store/messages.ts'
import { alreadyRead, saveNames, sealNames } from '../store/names/message-names.ts'
import { namesTopic } from '../store/names/name-work.ts'
import type { Transaction } from '../store/rows.ts'
import { addDead } from '../store/work/failed-work.ts'
import { lookForNames } from './look-for-names.ts'
import { aloneMax } from './model-name-finder.ts'

export interface NameWorkerDependencies {
  readonly database: Database
  readonly archive: ArchiveStore
  readonly log: Log
}

/** A message as names are looked for in it. */
interface NamedMessage {
  readonly id: string
  readonly seq: number
  readonly text: string
}

interface Reading extends StretchReading {
  readonly named: readonly NamedMessage[]
  /** The numbers of messages that cannot be read, as they are damaged. */
  readonly damaged: readonly number[]
  readonly erasures: number
}

/** A conversation that goes on is asked about together. A model on this machine is no dearer for one message. */
const quietMsUsual = 15_000
const localMessagesMax = 20
const payloadBytesMax = limits.namedPayloadBytesMax

/**
 * Has a model look for names in what was indexed. What is restricted, corrected, erased or anonymised is not given to it, and no message
 * twice. A text that it gives no usable answer for, and a damaged message, are left to the rules, and counted.
 */
class NameWork implements StretchWork<Reading> {
  readonly name = 'looking for names'
  readonly topic = namesTopic
  readonly quietMs: number | undefined
  /** A round ends with the first call: on a server it is one transaction. */
  readonly messagesPerRound = 1
  readonly #dependencies: NameWorkerDependencies
  readonly #finder: NameFinder

  constructor(dependencies: NameWorkerDependencies, finder: NameFinder, quietMs: number) {
    this.#dependencies = dependencies
    this.#finder = finder
    this.quietMs = finder.isRemote ? quietMs : undefined
  }

  async read({ tenantId, sessionId, firstSeq, lastSeq, items }: JoinedStretch): Promise<Reading> {
    const { database } = this.#dependencies
    const key = { tenantId, sessionId }
    // Nothing fails for good that was not asked about alone.
    const failed = items.some(({ attempts }) => attempts > 0)
    const limit = !this.#finder.isRemote ? localMessagesMax : failed ? aloneMax : messagesWaitingMax
    const erasures = await database.run((sql) => readErasures(sql, key))
    const range = { fromSeq: firstSeq, toSeq: lastSeq, limit, payloadBytesMax, usable: true }
    const rows = await readMessages(database, key, range)
    const known = await database.run((sql) =>
      alreadyRead(
        sql,
        tenantId,
        rows.map(({ id }) => id),
      ),
    )
    const named: NamedMessage[] = []
    const damaged: number[] = []
    let characters = 0
    for (const row of rows) {
      if (row.kind !== 'message' || row.anonymizedAt !== null || known.has(row.id)) continue
      const message = await this.#messageOf(row)
      if (message === undefined) {
        damaged.push(row.seq)
        continue
      }
      characters += message.text.length
      if (characters > limits.namesCallCharactersMax && named.length > 0) {
        const read = rows.filter(({ seq }) => seq < row.seq).length
        return { messages: read, named, damaged, erasures, upTo: row.seq - 1 }
      }
      named.push(message)
    }
    return {
      messages: rows.length,
      named,
      damaged,
      erasures,
      upTo: rows.length < limit ? lastSeq : (rows.at(-1)?.seq ?? lastSeq),
    }
  }

  async make(
    key: SessionKey,
    { named, damaged, erasures }: Reading,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Made> {
    const { database, log } = this.#dependencies
    const { tenantId, sessionId } = key
    const found = await lookForNames(
      this.#finder,
      named.map(({ text }) => text),
      { signal },
    )
    const seal = await database.vault.sealOf(tenantId, sessionId, 'look for names in')
    const read = named.flatMap(({ id }, at) => {
      const own = found[at]
      return own === undefined ? [] : [sealNames({ id, ...own }, seal)]
    })
    const unread = named.slice(0, found.length).filter((_message, at) => found[at] === undefined)
    const about = { read, keyVersion: seal?.version ?? 0, erasures, madeBy: this.#finder.provider }
    const next = named[found.length]
    const upTo = next === undefined ? undefined : next.seq - 1
    const unreadable = damaged.filter((seq) => upTo === undefined || seq <= upTo)
    const left = [
      ...unread.map(({ seq }) => ({ seq, error: 'the model gave no usable answer' })),
      ...unreadable.map((seq) => ({ seq, error: 'the message is damaged' })),
    ]
    const write = async (sql: Transaction) => {
      if (!(await saveNames(sql, key, about))) return false
      for (const { seq, error } of left) {
        log.warn(`a message of session ${sessionId} is left to the rules for names, as ${error}`)
        await addDead(sql, namesTopic, { tenantId, sessionId, seq, error })
      }
      return true
    }
    return { write, upTo }
  }

  /** Undefined where it is damaged, which `verify` and every read report too. Throws UnavailableError where the archive is away. */
  async #messageOf(row: MessageRow): Promise<NamedMessage | undefined> {
    try {
      const text = readableText(row, await loadPayload(this.#dependencies.archive, row))
      return { id: row.id, seq: row.seq, text }
    } catch (error) {
      if (error instanceof DamagedPayload) return undefined
      throw error
    }
  }
}

/** Has a model look for names in what was indexed, from the outbox: a stretch of a session at a time, each message once. */
export class NameWorker {
  readonly #worker: StretchWorker<Reading>
  readonly #finder: NameFinder

  constructor(
    dependencies: NameWorkerDependencies,
    finder: NameFinder,
    { quietMs = quietMsUsual }: { readonly quietMs?: number } = {},
  ) {
    this.#worker = new StretchWorker(dependencies, new NameWork(dependencies, finder, quietMs))
    this.#finder = finder
  }

  /** Says that something may have been indexed. Cheap; call it as often as you like. */
  wake(): void {
    this.#worker.wake()
  }

  async stop(): Promise<void> {
    await this.#worker.stop()
    await this.#finder.close()
  }
}
