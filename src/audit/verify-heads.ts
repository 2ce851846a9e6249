import type { ArchiveStore } from '../ports/archive-store.ts'
import type { SealRow } from '../store/audit/audit-seals.ts'
import type { AuditProblem } from './audit-problems.ts'
import { readClosing } from './close-record.ts'
import { headKeys, nameOfHash, readHead, type HeadKey, type SignedHead } from './signed-head.ts'

/** What the signed heads outside of the database say of a tenant's record. */
export interface HeadReport {
  /** Heads that the seals bear out, by their names. */
  readonly heads: number
  /** The newest of them, which was read and is signed. */
  readonly newest: { readonly seal: number; readonly at: string } | undefined
  /** Other records of the tenant in the archive which need not be here. */
  readonly others: readonly OtherRecord[]
  /** Those that must be here, as they are signed with this store's key and were not closed. */
  readonly gone: readonly OtherRecord[]
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
}

export interface HeadSource {
  readonly archive: ArchiveStore
  readonly tenantId: number
  /** The public key of this store; undefined where it is not at hand. */
  readonly key: string | undefined
}

/** Heads that do not fit are read to tell why; more of them are not. */
const readMax = 1_000

/**
 * Compares the seals of a tenant with what was signed of them while they were made. All heads are compared by their names; the
 * newest that fits and those that do not are read. To be told of every seal in order by `see`, and then asked for the `report`.
 */
export class HeadCheck {
  readonly #source: HeadSource
  /** By record, and there by seal. */
  readonly #records: ReadonlyMap<string, Map<number, readonly HeadKey[]>>
  #own = new Map<number, readonly HeadKey[]>()
  readonly #misfits: HeadKey[] = []
  #fitting = 0
  #newest: HeadKey | undefined

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
    if (seal.number === 1) this.#own = this.#records.get(nameOfHash(seal.hash)) ?? this.#own
    for (const head of this.#own.get(seal.number) ?? []) {
      if (head.hash !== nameOfHash(seal.hash)) this.#misfits.push(head)
      else {
        this.#fitting++
        this.#newest = head
      }
    }
    this.#own.delete(seal.number)
  }

  async report(): Promise<HeadReport> {
    const { archive, tenantId, key } = this.#source
    const problems: AuditProblem[] = []
    const read = async (head: HeadKey) => {
      const signed = await readHead(archive, tenantId, head)
      if (signed === undefined) problems.push({ problem: `the signed head ${head.key} in the archive was altered` })
      else if (key !== undefined && signed.key !== key)
        problems.push({ seal: head.seal, problem: `has the head ${head.key}, which is signed with another key` })
      else return signed
      return undefined
    }
    const tell = async (heads: readonly HeadKey[], problem: string) => {
      for (const head of heads.slice(0, readMax))
        if ((await read(head)) !== undefined) problems.push({ seal: head.seal, problem })
    }
    await tell(this.#misfits, 'is another than its signed head says: it was made anew')
    await tell([...this.#own.values()].flat(), 'is gone, of which there is a signed head: it was deleted')
    const newest = this.#newest === undefined ? undefined : await read(this.#newest)
    return {
      heads: this.#fitting,
      newest: newest === undefined ? undefined : { seal: newest.seal, at: newest.sealed_at },
      ...(await this.#others(problems)),
      problems,
    }
  }

  /** One that was signed with this store's key was in this database, and must be, unless who has the key closed it. */
  async #others(problems: AuditProblem[]): Promise<Pick<HeadReport, 'gone' | 'others'>> {
    const { archive, tenantId, key } = this.#source
    const others: OtherRecord[] = []
    const gone: OtherRecord[] = []
    for (const [record, bySeal] of this.#records) {
      if (bySeal === this.#own) continue
      const { newest, isOwn } = await this.#signerOf([...bySeal.values()].flat())
      if (newest === undefined) {
        problems.push({ problem: `no signed head of the record ${record} in the archive is what was signed` })
        continue
      }
      const sealed = { record, sealed_at: newest.sealed_at }
      const closing = isOwn && key !== undefined ? await readClosing(archive, tenantId, { record, key }) : undefined
      if (closing !== undefined) others.push({ ...sealed, closed_at: closing.closed_at })
      else if (isOwn) gone.push(sealed)
      else others.push(sealed)
    }
    return { others, gone }
  }

  /** The newest genuine head of a record, and whether one of its heads is signed with this store's key: whoever has none can add others. */
  async #signerOf(heads: readonly HeadKey[]): Promise<{ newest: SignedHead | undefined; isOwn: boolean }> {
    const { archive, tenantId, key } = this.#source
    let newest: SignedHead | undefined
    for (const head of heads.slice(-readMax).toReversed()) {
      const signed = await readHead(archive, tenantId, head)
      newest ??= signed
      if (signed !== undefined && signed.key === key) return { newest, isOwn: true }
      if (newest !== undefined && key === undefined) break
    }
    return { newest, isOwn: false }
  }
}
