import { loadPayload } from '../../capture/large-payload.ts'
import type { Log } from '../../log.ts'
import type { ArchiveStore } from '../../ports/archive-store.ts'
import type { Embedder } from '../../ports/embedder.ts'
import { unobserved, type Observer } from '../../ports/observer.ts'
import { ProviderError } from '../../ports/provider-error.ts'
import type { VectorIndex, VectorSpace } from '../../ports/vector-index.ts'
import { readableText } from '../../sessions/document.ts'
import type { Database } from '../../store/database.ts'
import { readErasuresOf } from '../../store/erasure/keep-from-erasure.ts'
import { readMessages, type MessageRow } from '../../store/messages.ts'
import { forgetUnnoted, type EmbeddedStretch } from '../../store/vectors/upcoming-vectors.ts'
import { addDead } from '../../store/work/failed-work.ts'
import {
  advanceOutbox,
  embedTopic,
  finishOutbox,
  msUntilDue,
  workOff,
  type Commit,
  type OutboxItem,
} from '../../store/work/outbox.ts'
import { AwayMessages } from '../away-messages.ts'
import { Drain } from '../drain.ts'
import { recordFailure } from '../failed-work.ts'
import { unitTexts } from '../unit-texts.ts'
import { lacksAny, pauseAfter, postpone, together } from './embedding-items.ts'
import { ModelRegistry } from './model-registry.ts'
import { VectorWriter, type ReadText } from './vector-writer.ts'

export interface VectorWorkerDependencies {
  readonly database: Database
  readonly archive: ArchiveStore
  readonly embedder: Embedder
  readonly index: VectorIndex
  readonly log: Log
  readonly observer?: Observer
  /** Told when everything that was pending is done, or waits for a provider. */
  readonly onIdle?: () => void
}

/** Bounds of one round. */
const itemsPerRound = 64
const messagesPerRound = 64
const bytesPerRound = 8 * 1024 * 1024
/** Put off at once where the provider does not even say which its model is: what is left then is put off the next time. */
const itemsPutOff = 1_000
/** Of work that fails by itself. */
const retries = { name: 'embedding', attemptsMax: 6, baseMs: 5_000 } as const

/** A stretch of one item's messages that is worked on in a round. */
interface Piece {
  readonly item: OutboxItem
  readonly rows: readonly MessageRow[]
  /** Where the item goes on; undefined where this was its last stretch. */
  readonly nextSeq: number | undefined
}

function stretchOf({ item: { sessionId, firstSeq, lastSeq }, nextSeq }: Piece): EmbeddedStretch {
  return { sessionId, firstSeq, lastSeq: nextSeq === undefined ? lastSeq : nextSeq - 1 }
}

interface Writing {
  readonly space: VectorSpace
  readonly texts: readonly ReadText[]
  readonly pieces: readonly Piece[]
}

/**
 * Makes messages findable by meaning, in the background, newest first. A provider that fails costs no work and no attempt:
 * what is pending waits until it answers again. A text that a provider does not take is dead alone.
 */
export class VectorWorker {
  readonly #dependencies: VectorWorkerDependencies
  readonly #drain: Drain
  readonly #models: ModelRegistry
  readonly #writer: VectorWriter
  readonly #abort = new AbortController()

  constructor(dependencies: VectorWorkerDependencies) {
    this.#dependencies = dependencies
    const { log, onIdle } = dependencies
    this.#drain = new Drain({ name: 'embedding', round: () => this.#round(), log, onIdle })
    this.#models = new ModelRegistry(dependencies)
    this.#writer = new VectorWriter(dependencies)
  }

  wake(): void {
    this.#drain.wake()
  }

  async stop(): Promise<void> {
    this.#abort.abort()
    await this.#drain.stop()
  }

  async #round(): Promise<boolean> {
    const { database } = this.#dependencies
    try {
      await this.#models.prepare(this.#abort.signal)
    } catch (error) {
      return await this.#putOffAll(error)
    }
    const worked = await workOff(database, { topic: embedTopic, limit: itemsPerRound }, (pending, commit) =>
      this.#embed(together(pending), commit),
    )
    if (worked === 'some') return true
    if (worked === 'none') {
      await this.#models.tidy(this.#abort.signal)
      const dueMs = await database.run((sql) => msUntilDue(sql, embedTopic))
      if (dueMs !== undefined) this.#drain.wakeLater(dueMs)
    }
    return false
  }

  /** Embeds some work, or puts it off; `none` where there is none. */
  async #embed(items: readonly OutboxItem[], commit: Commit): Promise<'some' | 'none' | 'waits'> {
    const [first] = items
    if (first === undefined) return 'none'
    // Before the texts: who erases or anonymises meanwhile is known by them.
    const erasures = await this.#dependencies.database.run((sql) => readErasuresOf(sql, first.tenantId, items))
    const pieces = await this.#read(items)
    try {
      const space = await this.#models.spaceOf(first.tenantId, this.#abort.signal)
      if (!(await this.#models.isCurrent(space))) return 'waits'
      const away = new AwayMessages(first.tenantId)
      const source = { database: this.#dependencies.database, textOf: (row: MessageRow) => this.#textOf(row, away) }
      const rows = pieces.flatMap((piece) => piece.rows)
      const texts = (await unitTexts(source, first.tenantId, rows)).map((unit) => ({
        ...unit,
        erasures: erasures.get(unit.sessionId) ?? 0,
      }))
      // What has its vectors is not said to lack them while the rest waits.
      const rejected = await this.#writer.write(space, texts, this.#abort.signal).catch(async (error: unknown) => {
        if (away.isEmpty) await this.#finishWritten({ space, texts, pieces }, commit)
        throw error
      })
      const signal = this.#abort.signal
      const unnoted = await this.#writer.removeUnnoted(space, pieces.map(stretchOf), { texts, signal })
      await commit(async (sql) => {
        const finished = pieces.filter(({ nextSeq }) => nextSeq === undefined).map(({ item }) => item.id)
        if (finished.length > 0) await finishOutbox(sql, finished)
        for (const { item, nextSeq } of pieces) if (nextSeq !== undefined) await advanceOutbox(sql, item.id, nextSeq)
        // When it is work no more.
        await forgetUnnoted(sql, space, unnoted)
        await away.leave(sql, embedTopic)
        for (const { text, error } of rejected)
          await addDead(sql, embedTopic, {
            tenantId: first.tenantId,
            sessionId: text.sessionId,
            seq: text.firstSeq,
            error,
          })
      })
      const messages = pieces.reduce((sum, { rows }) => sum + rows.length, 0)
      const { observer = unobserved } = this.#dependencies
      observer.note({ kind: 'worked_off', topic: embedTopic, messages })
      return 'some'
    } catch (error) {
      return await this.#putOff(items, error, commit)
    }
  }

  /** Finishes what has all of its vectors; where that fails it waits with the rest. */
  async #finishWritten({ space, texts, pieces }: Writing, commit: Commit): Promise<void> {
    try {
      const unnoted = await this.#writer.unnoted(space, pieces.map(stretchOf), texts)
      const missing = [...(await this.#writer.missing(space, texts)), ...unnoted]
      const written = pieces.filter((piece) => piece.nextSeq === undefined && !lacksAny(piece.item, missing))
      const ids = written.map(({ item }) => item.id)
      if (ids.length > 0) await commit((sql) => finishOutbox(sql, ids))
    } catch (error) {
      this.#dependencies.log.error('what has its vectors was not finished', error)
    }
  }

  /** Reads whole messages of some items until the round is full. */
  async #read(items: readonly OutboxItem[]): Promise<Piece[]> {
    const pieces: Piece[] = []
    let room = messagesPerRound
    let bytes = bytesPerRound
    for (const item of items) {
      if (room <= 0 || bytes <= 0) break
      const key = { tenantId: item.tenantId, sessionId: item.sessionId }
      // What is restricted goes to no embedder; when it is released, it is work again.
      const range = { fromSeq: item.firstSeq, toSeq: item.lastSeq, limit: room, usable: true }
      const read = await readMessages(this.#dependencies.database, key, range)
      // A message is worked on whole, however large it is; what follows it waits for the next round.
      const rows = read.filter((row) => {
        const fits = bytes > 0
        bytes -= row.payloadBytes
        return fits
      })
      room -= rows.length
      const last = rows.at(-1)
      pieces.push({ item, rows, nextSeq: last === undefined || last.seq >= item.lastSeq ? undefined : last.seq + 1 })
    }
    return pieces
  }

  async #textOf(message: MessageRow, away: AwayMessages): Promise<string | undefined> {
    if (away.skips(message)) return undefined
    try {
      return readableText(message, await loadPayload(this.#dependencies.archive, message))
    } catch (error) {
      if (away.take(message, error)) return undefined
      // A damaged message is reported by `verify` and by every read; it must not keep the others from being found.
      this.#dependencies.log.error(`message ${message.id} was not embedded`, error)
      return undefined
    }
  }

  /** A provider's failure puts work off until it may answer again; any other is counted as a failure of the work. */
  async #putOff(items: readonly OutboxItem[], error: unknown, commit: Commit): Promise<'some' | 'waits'> {
    if (this.#abort.signal.aborted) return 'waits'
    const { log } = this.#dependencies
    if (error instanceof ProviderError) {
      await postpone(items, error, commit)
      await this.#wait(error)
      return 'waits'
    }
    // It may have cost a paid call, so that it is not repeated for ever. The rest goes on.
    for (const item of items) await recordFailure({ commit, log }, item, { error, policy: retries })
    return 'some'
  }

  /** The provider does not say which its model is: what is due is put off with the reason, for who waits for it and who looks after it. */
  async #putOffAll(error: unknown): Promise<false> {
    const { database } = this.#dependencies
    if (error instanceof ProviderError && !this.#abort.signal.aborted)
      await workOff(database, { topic: embedTopic, limit: itemsPutOff }, async (items, commit) => {
        const own = await this.#models.withoutModel(items)
        if (own.length > 0) await postpone(own, error, commit)
      })
    return await this.#wait(error)
  }

  /** Looks again when a provider may answer. Always false, for the round. */
  async #wait(error: unknown): Promise<false> {
    if (this.#abort.signal.aborted) return false
    if (!(error instanceof ProviderError)) throw error
    const delayMs = pauseAfter(error)
    this.#dependencies.log.warn(`embedding waits for ${Math.round(delayMs / 1_000)} s: ${error.message}`)
    this.#drain.wakeLater(delayMs)
    return false
  }
}
