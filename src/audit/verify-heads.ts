import type { SealRow } from '../store/audit/audit-seals.ts'
import { fingerprintOf, readAcceptedKeys, type AcceptedKey } from './accept-key.ts'
import type { AuditProblem } from './audit-problems.ts'
import { readClosing, type Closing } from './close-record.ts'
import { HeadSigners, type HeadSource, type OtherKey } from './head-signers.ts'
import { headKeys, nameOfHash, readAtOnce, readHead, type HeadKey, type SignedHead } from './signed-head.ts'

/** What the signed heads outside of the database say of a tenant's record. */
export interface HeadReport {
  /** Heads that bear out the seals: each was read, and is signed with this store's key, or with one that was accepted. */
  readonly heads: number
  /** The newest of them. */
  readonly newest: { readonly seal: number; readonly at: string } | undefined
  /** Other records of the tenant in the archive which need not be here. */
  readonly others: readonly OtherRecord[]
  /** Those that must be here, as they are signed with this store's key, or an earlier one of it, and were not closed. */
  readonly gone: readonly OtherRecord[]
  /** Keys of others that heads of this record are signed with, and that nobody has accepted. */
  readonly other_keys: readonly OtherKey[]
  /** Those that somebody with this store's key has accepted, as the key was replaced. */
  readonly earlier_keys: readonly OtherKey[]
  readonly problems: readonly AuditProblem[]
}

/** A record that is not the one in the database: of another store, or one that was closed. */
export interface OtherRecord {
  /** As it stands in the names of its heads. */
  readonly record: string
  /** When it was sealed last, in ISO 8601. */
  readonly sealed_at: string
  /** When somebody with this store's key said that it had ended, in ISO 8601; undefined of another store's. */
  readonly closed_at?: string
  /** The fingerprint of the earlier key of this store that it is signed with; undefined where it is the one of now. */
  readonly earlier_key?: string
}

/** Of heads that do not fit so many are read to tell why; more of them are not. */
const readMax = 1_000

/**
 * Compares the seals of a tenant with what was signed of them while they were made. Each head of the record is read: one in between
 * that was replaced would else hide what was changed before a later, honest one. To be told of every seal in order by `see`, and
 * then asked for the `report`.
 */
export class HeadCheck {
  readonly #source: HeadSource
  /** By record, and there by seal. */
  readonly #records: ReadonlyMap<string, Map<number, readonly HeadKey[]>>
  #own = new Map<number, readonly HeadKey[]>()
  readonly #misfits: HeadKey[] = []
  readonly #fitting: HeadKey[] = []
  /** As it stands in the names of heads. */
  #record: string | undefined

  private constructor(source: HeadSource, records: ReadonlyMap<string, Map<number, readonly HeadKey[]>>) {
    this.#source = source
    this.#records = records
  }

  static async begin(source: HeadSource): Promise<HeadCheck> {
    const records = new Map<string, Map<number, readonly HeadKey[]>>()
    for await (const head of headKeys(source.archive, source.tenantId)) {
      const bySeal = records.get(head.record) ?? new Map<number, readonly HeadKey[]>()
      bySeal.set(head.seal, [...(bySeal.get(head.seal) ?? []), head])
      records.set(head.record, bySeal)
    }
    return new HeadCheck(source, records)
  }

  see(seal: SealRow): void {
    if (seal.number === 1) {
      this.#record = nameOfHash(seal.hash)
      this.#own = this.#records.get(this.#record) ?? this.#own
    }
    for (const head of this.#own.get(seal.number) ?? []) {
      if (head.hash !== nameOfHash(seal.hash)) this.#misfits.push(head)
      else this.#fitting.push(head)
    }
    this.#own.delete(seal.number)
  }

  async report(): Promise<HeadReport> {
    const { archive, tenantId, key } = this.#source
    const record = this.#record
    const accepted: ReadonlyMap<string, AcceptedKey> =
      key === undefined || record === undefined ? new Map() : await readAcceptedKeys(archive, tenantId, { record, key })
    const signers = new HeadSigners(this.#source, accepted)
    const problems: AuditProblem[] = []
    const tell = async (heads: readonly HeadKey[], problem: string) => {
      for await (const { seal } of signers.genuine(heads.slice(0, readMax))) problems.push({ seal, problem })
    }
    await tell(this.#misfits, 'is another than its signed head says: it was made anew')
    await tell([...this.#own.values()].flat(), 'is gone, of which there is a signed head: it was deleted')
    let heads = 0
    let newest: SignedHead | undefined
    for await (const head of signers.genuine(this.#fitting)) {
      heads++
      newest = head
    }
    const others = await this.#others(problems, [...accepted.keys()])
    return {
      heads,
      newest: newest === undefined ? undefined : { seal: newest.seal, at: newest.sealed_at },
      ...others,
      other_keys: signers.keys.unknown,
      earlier_keys: signers.keys.earlier,
      problems: [...problems, ...signers.altered, ...signers.gone],
    }
  }

  /**
   * One that was signed with this store's key was in this database, and must be, unless who has the key closed it. The same of keys that this
   * store had before: `earlier` were accepted in the record that is here; others in the one that is gone, and those close nothing.
   */
  async #others(problems: AuditProblem[], earlier: readonly string[]): Promise<Pick<HeadReport, 'gone' | 'others'>> {
    const { tenantId, archive, key } = this.#source
    const known = key === undefined ? [] : [key, ...earlier]
    const others: OtherRecord[] = []
    const gone: OtherRecord[] = []
    for (const [record, bySeal] of this.#records) {
      if (bySeal === this.#own) continue
      const accepted = key === undefined ? [] : (await readAcceptedKeys(archive, tenantId, { record, key })).keys()
      const { newest, signer } = await this.#signerOf([...bySeal.values()].flat(), new Set([...known, ...accepted]))
      if (newest === undefined) {
        problems.push({ problem: `no signed head of the record ${record} in the archive is what was signed` })
        continue
      }
      const sealed = { record, sealed_at: newest.sealed_at }
      const closing = signer === undefined ? undefined : await this.#closingOf(record, known)
      if (closing !== undefined) others.push({ ...sealed, closed_at: closing.closed_at })
      else if (signer === undefined) others.push(sealed)
      else gone.push(signer === key ? sealed : { ...sealed, earlier_key: fingerprintOf(signer) })
    }
    return { others, gone }
  }

  async #closingOf(record: string, keys: readonly string[]): Promise<Closing | undefined> {
    const { archive, tenantId } = this.#source
    for (const key of keys) {
      const closing = await readClosing(archive, tenantId, { record, key })
      if (closing !== undefined) return closing
    }
    return undefined
  }

  /** The newest genuine head of a record, and a key of this store that one of its heads is signed with: whoever has none can add others. */
  async #signerOf(
    heads: readonly HeadKey[],
    own: ReadonlySet<string>,
  ): Promise<{ newest: SignedHead | undefined; signer: string | undefined }> {
    const { archive, tenantId } = this.#source
    const looked = someOf(heads)
    let newest: SignedHead | undefined
    // One by itself first: mostly it tells.
    for (let from = 0; from < looked.length;) {
      const some = looked.slice(from, from === 0 ? 1 : from + readAtOnce)
      from += some.length
      const read = await Promise.all(some.map((head) => readHead(archive, tenantId, head)))
      newest ??= read.find((signed) => signed !== undefined)
      const signer = read.find((signed) => signed !== undefined && own.has(signed.key))?.key
      if (signer !== undefined) return { newest, signer }
      if (newest !== undefined && own.size === 0) break
    }
    return { newest, signer: undefined }
  }
}

/**
 * The newest heads of a record, then some that are evenly spread over all before them, newest first: who adds heads to hide whose it is
 * has to add many times as many as there are.
 */
function someOf(heads: readonly HeadKey[]): readonly HeadKey[] {
  const newest = heads.slice(-readMax).toReversed()
  const before = heads.slice(0, -readMax).toReversed()
  const step = Math.max(1, before.length / (2 * readMax))
  const spread = Array.from({ length: Math.min(before.length, 2 * readMax) }, (_, at) => before[Math.floor(at * step)])
  return [...newest, ...spread.filter((head) => head !== undefined)]
}
