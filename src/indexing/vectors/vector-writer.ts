import type { Role } from '../../model/messages/message.ts'
import type { Embedder } from '../../ports/embedder.ts'
import { ProviderError } from '../../ports/provider-error.ts'
import type { VectorIndex, VectorKey, VectorRecord, VectorSpace } from '../../ports/vector-index.ts'
import type { Database } from '../../store/database.ts'
import { holdTerms, type TermsState } from '../../store/keys/encryption-state.ts'
import { inTransaction } from '../../store/transaction.ts'
import { embedLostAgain, readEmbedded, recordEmbedded, unitsWithTexts } from '../../store/vectors/embedded-units.ts'
import { noteUpcoming, unnotedUnits, type EmbeddedStretch } from '../../store/vectors/upcoming-vectors.ts'
import { meanOf } from './embedding-texts.ts'

/** A unit with the text that its vector is to be of. */
export interface UnitText extends VectorKey {
  /** Of these the mean of their vectors is taken. */
  readonly texts: readonly string[]
  /** Of the texts, in hexadecimal; what stands for it where the tenant has a key. */
  readonly sha256: string
  readonly role: Role
  readonly timestampMs: number
}

/** The same, with how often messages of its session were erased or anonymised before they were read. */
export type ReadText = UnitText & { readonly erasures: number }

/** A text that the provider does not take, for good. */
export interface RejectedText {
  readonly text: ReadText
  readonly error: string
}

export interface WriterDependencies {
  readonly database: Database
  readonly embedder: Embedder
  readonly index: VectorIndex
}

interface WriteContext {
  readonly signal: AbortSignal
  /** Under which texts are known by their hashes. */
  readonly terms: TermsState | undefined
}

const keyOf = (key: VectorKey) => `${key.level} ${key.sessionId} ${key.firstSeq} ${key.part}`

/**
 * Gives units their vectors. A unit that has one of the same text is passed over, a text that another unit has is copied, and
 * each of the others is embedded once, so that repeating a write has the effect of doing it once.
 */
export class VectorWriter {
  readonly #dependencies: WriterDependencies

  constructor(dependencies: WriterDependencies) {
    this.#dependencies = dependencies
  }

  /** Returns the texts that were refused for good. A ProviderError where the provider failed: nothing is lost, some may be done. */
  async write(space: VectorSpace, texts: readonly ReadText[], signal: AbortSignal): Promise<RejectedText[]> {
    const { units, state } = await this.#digested(space, texts)
    const missing = await this.#missing(space, units)
    const context = { signal, terms: state }
    const rest = await this.#copy(space, missing, context)
    const byText = new Map<string, ReadText[]>()
    for (const unit of rest) byText.set(unit.sha256, [...(byText.get(unit.sha256) ?? []), unit])
    const rejected: RejectedText[] = []
    for (const batch of callsOf([...byText.values()], this.#dependencies.embedder.limits.textsPerCallMax))
      rejected.push(...(await this.#embed(space, batch, context)))
    return rejected
  }

  /** Which of the texts have no vector. */
  async missing(space: VectorSpace, texts: readonly ReadText[]): Promise<readonly ReadText[]> {
    return await this.#missing(space, (await this.#digested(space, texts)).units)
  }

  /**
   * Which units of some stretches, all of whose texts are given, may have a vector in an index elsewhere that is of no text any more: their
   * messages were erased while it was written, say, by somebody who died.
   */
  async unnoted(
    space: VectorSpace,
    stretches: readonly EmbeddedStretch[],
    texts: readonly ReadText[],
  ): Promise<readonly VectorKey[]> {
    const { database, index } = this.#dependencies
    if (index.kind === 'pgvector') return []
    const own = new Set(texts.map(keyOf))
    const found = await database.run((sql) => unnotedUnits(sql, space, stretches))
    return found.filter((unit) => !own.has(keyOf(unit)))
  }

  /** The same, and removes them; to be forgotten by whoever ends the work on the stretches. */
  async removeUnnoted(
    space: VectorSpace,
    stretches: readonly EmbeddedStretch[],
    { texts, signal }: { readonly texts: readonly ReadText[]; readonly signal: AbortSignal },
  ): Promise<readonly VectorKey[]> {
    const unnoted = await this.unnoted(space, stretches, texts)
    if (unnoted.length > 0) await this.#dependencies.index.delete(space, unnoted, { signal })
    return unnoted
  }

  /** The texts under the hashes by which they are known in the store. */
  async #digested(space: VectorSpace, texts: readonly ReadText[]) {
    const { texts: key, state } = await this.#dependencies.database.vault.search.termsOf(space.tenantId)
    const units = key === undefined ? texts : texts.map((unit) => ({ ...unit, sha256: key.digestOfText(unit.sha256) }))
    return { units, state }
  }

  async #missing(space: VectorSpace, units: readonly ReadText[]): Promise<ReadText[]> {
    const known = await this.#dependencies.database.run((sql) => readEmbedded(sql, space, units))
    const hashes = new Map(known.map((unit) => [keyOf(unit), unit.textSha256]))
    return units.filter((unit) => hashes.get(keyOf(unit)) !== unit.sha256)
  }

  /** Copies the vectors of texts that are embedded already, and returns the units that are left. */
  async #copy(space: VectorSpace, units: readonly ReadText[], context: WriteContext): Promise<readonly ReadText[]> {
    if (units.length === 0) return units
    const { signal } = context
    const { database, index } = this.#dependencies
    const hashes = [...new Set(units.map(({ sha256 }) => sha256))]
    const same = await database.run((sql) => unitsWithTexts(sql, space, hashes))
    if (same.length === 0) return units
    const vectors = new Map((await index.fetch(space, same, { signal })).map((found) => [keyOf(found), found.vector]))
    const bySha = new Map(
      same.flatMap((unit) => {
        const vector = vectors.get(keyOf(unit))
        return vector === undefined ? [] : [[unit.textSha256, vector] as const]
      }),
    )
    const records = units.flatMap((unit) => {
      const vector = bySha.get(unit.sha256)
      return vector === undefined ? [] : [{ unit, vector }]
    })
    await this.#store(space, records, context)
    return units.filter(({ sha256 }) => !bySha.has(sha256))
  }

  /** Embeds one call's worth of texts; each may belong to several units. */
  async #embed(
    space: VectorSpace,
    batch: readonly (readonly ReadText[])[],
    context: WriteContext,
  ): Promise<RejectedText[]> {
    const { embedder } = this.#dependencies
    const texts = batch.flatMap(([first]) => first?.texts ?? [])
    try {
      const vectors = await embedder.embed(texts, { purpose: 'document', signal: context.signal })
      let at = 0
      const records = batch.flatMap((units) => {
        const count = units[0]?.texts.length ?? 0
        const vector = meanOf(vectors.slice(at, (at += count)))
        return units.map((unit) => ({ unit, vector }))
      })
      await this.#store(space, records, context)
      return []
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error
      const isRejected = error.failure === 'rejected'
      const [only] = batch
      if (batch.length === 1 && only !== undefined && isRejected)
        return only.map((text) => ({ text, error: error.message }))
      if (batch.length === 1 || (!isRejected && error.failure !== 'over_budget')) throw error
      // One of them is not taken, or all together are too much for today: each by itself shows which, and how far it goes.
      const rejected: RejectedText[] = []
      for (const units of batch) rejected.push(...(await this.#embed(space, [units], context)))
      return rejected
    }
  }

  /** Whoever erases a message removes its vectors with it where they are in the database. */
  async #noteUpcoming<Unit extends ReadText & { readonly textSha256: string }>(
    space: VectorSpace,
    units: readonly Unit[],
  ): Promise<ReadonlySet<Unit>> {
    const { database, index } = this.#dependencies
    if (index.kind === 'pgvector') return new Set()
    return await database.run((sql) => inTransaction(sql, (transaction) => noteUpcoming(transaction, space, units)))
  }

  async #store(
    space: VectorSpace,
    records: readonly { readonly unit: ReadText; readonly vector: Float32Array }[],
    { signal, terms }: WriteContext,
  ): Promise<void> {
    if (records.length === 0) return
    const { database, index } = this.#dependencies
    const all = records.map(({ unit, vector }) => ({ unit: { ...unit, textSha256: unit.sha256 }, vector }))
    const late = await this.#noteUpcoming(
      space,
      all.map(({ unit }) => unit),
    )
    const written = all.filter(({ unit }) => !late.has(unit))
    const vectors = written.map(({ unit, vector }): VectorRecord => {
      const { level, sessionId, firstSeq, part, role, timestampMs } = unit
      return { level, sessionId, firstSeq, part, role, timestampMs, vector }
    })
    if (vectors.length > 0) await index.upsert(space, vectors, { signal })
    // After the vectors: a crash in between embeds them again and writes the same.
    const units = written.map(({ unit }) => unit)
    const removed = await database.run((sql) =>
      inTransaction(sql, async (transaction) => {
        await holdTerms(transaction, space.tenantId, terms)
        return await recordEmbedded(transaction, space, units)
      }),
    )
    const erased = [...late, ...removed]
    if (erased.length === 0) return
    await index.delete(space, erased, { signal })
    // Not before they are removed: what is made anew would go with them.
    await database.run((sql) => inTransaction(sql, (transaction) => embedLostAgain(transaction, space, erased)))
  }
}

/** Splits units so that a call has no more texts than the embedder takes; the texts of one unit stay together. */
function* callsOf(
  groups: readonly (readonly ReadText[])[],
  textsMax: number,
): Generator<readonly (readonly ReadText[])[]> {
  let call: (readonly ReadText[])[] = []
  let texts = 0
  for (const units of groups) {
    const count = units[0]?.texts.length ?? 0
    if (texts + count > textsMax && call.length > 0) {
      yield call
      call = []
      texts = 0
    }
    call.push(units)
    texts += count
  }
  if (call.length > 0) yield call
}
