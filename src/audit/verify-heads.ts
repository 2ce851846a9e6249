import type { ArchiveStore } from '../ports/archive-store.ts'
import type { SealRow } from '../store/audit/audit-seals.ts'
import type { AuditProblem } from './audit-problems.ts'
import { headKeys, nameOfHash, readHead, type HeadKey } from './signed-head.ts'

/** What the signed heads outside of the database say of a tenant's record. */
export interface HeadReport {
  /** Heads that the seals bear out, by their names. */
  readonly heads: number
  /** The newest of them, which was read and is signed. */
  readonly newest: { readonly seal: number; readonly at: string } | undefined
  /** Of other records of the tenant in the archive: when each was sealed last, in ISO 8601. */
  readonly others: readonly string[]
  readonly problems: readonly AuditProblem[]
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
      others: await this.#others(),
      problems,
    }
  }

  async #others(): Promise<string[]> {
    const { archive, tenantId } = this.#source
    const times: string[] = []
    for (const bySeal of this.#records.values()) {
      if (bySeal === this.#own) continue
      const last = [...bySeal.values()].at(-1)?.at(-1)
      const head = last === undefined ? undefined : await readHead(archive, tenantId, last)
      if (head !== undefined) times.push(head.sealed_at)
    }
    return times
  }
}
