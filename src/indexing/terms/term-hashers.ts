import type { TermsState } from '../../store/keys/encryption-state.ts'
import type { SearchKey } from '../../store/keys/search-key.ts'
import type { Vault } from '../../store/keys/vault.ts'
import { createTermHasher, defaultTermKey, type TermHasher } from './terms.ts'

/** A version of a tenant's index of words, and how its words are hashed: under a secret key of the tenant, or the public one. */
export interface TermIndex {
  readonly version: number
  readonly hasher: TermHasher
  /** Absent where it is the public one. */
  readonly key?: SearchKey
}

/** The indexes that are written to: the one that searches look at, and the next one while a conversion makes it. */
export interface WrittenIndexes {
  readonly indexes: readonly TermIndex[]
  /** To be held by who writes (`holdTerms`). */
  readonly state: TermsState | undefined
}

/** How terms are hashed for each tenant. */
export class TermHashers {
  readonly #vault: Pick<Vault, 'search'>
  readonly #plain = createTermHasher(defaultTermKey)
  readonly #byKey = new Map<string, TermHasher>()
  readonly #looked = new Map<number, TermIndex>()
  readonly #indexed = new Set<number>()

  constructor(vault: Pick<Vault, 'search'>) {
    this.#vault = vault
  }

  /** The index that searches look at. To be forgotten where the store says that it has another version by now. */
  async of(tenantId: number): Promise<TermIndex> {
    const known = this.#looked.get(tenantId)
    if (known !== undefined) return known
    const { indexes, state } = await this.#vault.search.termsOf(tenantId)
    const [first = { version: 0, key: undefined }] = indexes
    const index = this.#indexOf(first)
    // That there is no key is asked anew each time while nothing is indexed: the first message may make one.
    if (state !== undefined || first.key !== undefined || this.#indexed.has(tenantId)) this.#looked.set(tenantId, index)
    return index
  }

  /** Says that something is indexed: whether its words have a key is decided, but for a conversion. */
  noteIndexed(tenantId: number): void {
    this.#indexed.add(tenantId)
  }

  forget(tenantId: number): void {
    this.#looked.delete(tenantId)
  }

  /** As they are now, for who writes. */
  async written(tenantId: number): Promise<WrittenIndexes> {
    const { indexes, state } = await this.#vault.search.termsOf(tenantId)
    return { indexes: indexes.map((index) => this.#indexOf(index)), state }
  }

  #indexOf({ version, key }: { readonly version: number; readonly key: SearchKey | undefined }): TermIndex {
    if (key === undefined) return { version, hasher: this.#plain }
    const hasher = this.#byKey.get(key.id) ?? createTermHasher(key.terms)
    this.#byKey.set(key.id, hasher)
    return { version, hasher, key }
  }
}
