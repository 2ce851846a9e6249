import type { ArchiveStore } from '../ports/archive-store.ts'
import { fingerprintOf, type AcceptedKey } from './accept-key.ts'
import type { AuditProblem } from './audit-problems.ts'
import { readAtOnce, readHead, type HeadKey, type SignedHead } from './signed-head.ts'

/** A key that heads of a record are signed with, and that is not this store's. */
export interface OtherKey {
  /** The fingerprint that `audit accept-key` takes. */
  readonly key: string
  /** How many heads it has signed, and of which seals: the lowest and the highest. */
  readonly heads: number
  readonly first_seal: number
  readonly last_seal: number
  /** One of them, by its place in the archive. */
  readonly head: string
  /** When somebody with this store's key said that it is known, in ISO 8601; undefined where nobody did. */
  readonly accepted_at?: string
}

/** Where the heads of a tenant are. */
export interface HeadSource {
  readonly archive: ArchiveStore
  readonly tenantId: number
  /** The public key of this store; undefined where it is not at hand. */
  readonly key: string | undefined
}

/** Heads that were altered are all counted, and so many are named. */
const alteredToldMax = 1_000

/** Reads heads, tells those that were altered, and keeps account of who signed the others. */
export class HeadSigners {
  readonly #source: HeadSource
  readonly #accepted: ReadonlyMap<string, AcceptedKey>
  readonly #others = new Map<string, OtherKey>()
  readonly #altered: AuditProblem[] = []
  #alteredCount = 0

  constructor(source: HeadSource, accepted: ReadonlyMap<string, AcceptedKey>) {
    this.#source = source
    this.#accepted = accepted
  }

  /** Of some heads those that prove something, in their order: signed with this store's key or with one that was accepted. */
  async *genuine(heads: readonly HeadKey[]): AsyncGenerator<SignedHead> {
    const { archive, tenantId } = this.#source
    for (let from = 0; from < heads.length; from += readAtOnce) {
      const some = heads.slice(from, from + readAtOnce)
      const read = await Promise.all(some.map((head) => readHead(archive, tenantId, head)))
      for (const [at, head] of some.entries()) {
        const signed = read[at]
        if (signed === undefined) this.#tellAltered(head)
        else if (this.#isKnown(signed, head)) yield signed
      }
    }
  }

  get altered(): readonly AuditProblem[] {
    const untold = this.#alteredCount - this.#altered.length
    if (untold === 0) return this.#altered
    return [...this.#altered, { problem: `${untold} further signed heads in the archive were altered` }]
  }

  /** Keys of others that were accepted, and those that were not. */
  get keys(): { readonly earlier: readonly OtherKey[]; readonly unknown: readonly OtherKey[] } {
    const keys = [...this.#others.values()]
    return {
      earlier: keys.filter(({ accepted_at: at }) => at !== undefined),
      unknown: keys.filter(({ accepted_at: at }) => at === undefined),
    }
  }

  /** Of each key that was accepted the newest head that it had signed by then: who accepted it has seen that. */
  get gone(): readonly AuditProblem[] {
    return [...this.#accepted].flatMap(([key, { seal, newestSeal }]) => {
      const last = this.#others.get(placeOf(key, true))?.last_seal ?? 0
      if (last >= seal || seal < newestSeal) return []
      return [{ seal, problem: `had a head when the earlier key ${fingerprintOf(key)} was accepted, which is gone` }]
    })
  }

  #tellAltered({ key }: HeadKey): void {
    this.#alteredCount++
    if (this.#altered.length < alteredToldMax)
      this.#altered.push({ problem: `the signed head ${key} in the archive was altered` })
  }

  /** Where the key of the store is not at hand, who signed is not looked at. */
  #isKnown({ key, seal }: SignedHead, head: HeadKey): boolean {
    if (this.#source.key === undefined || key === this.#source.key) return true
    const accepted = this.#accepted.get(key)
    const isAccepted = accepted !== undefined && seal <= accepted.seal
    const place = placeOf(key, isAccepted)
    const before = this.#others.get(place)
    this.#others.set(place, {
      key: fingerprintOf(key),
      heads: (before?.heads ?? 0) + 1,
      first_seal: Math.min(before?.first_seal ?? seal, seal),
      last_seal: Math.max(before?.last_seal ?? seal, seal),
      head: before?.head ?? head.key,
      ...(isAccepted ? { accepted_at: accepted.accepted_at } : {}),
    })
    return isAccepted
  }
}

/** Of one key there are heads that were accepted, and others. */
function placeOf(key: string, isAccepted: boolean): string {
  return `${key} ${isAccepted}`
}
