import type { Vault } from '../store/keys/vault.ts'
import { createTermHasher, defaultTermKey, type TermHasher } from './terms.ts'

/** How terms are hashed for each tenant: under its own secret key where it has one, else under the public one. */
export class TermHashers {
  readonly #vault: Pick<Vault, 'searchKey'>
  readonly #plain = createTermHasher(defaultTermKey)
  readonly #byKey = new Map<string, TermHasher>()

  constructor(vault: Pick<Vault, 'searchKey'>) {
    this.#vault = vault
  }

  async of(tenantId: number): Promise<TermHasher> {
    const key = await this.#vault.searchKey(tenantId)
    if (key === undefined) return this.#plain
    const known = this.#byKey.get(key.id) ?? createTermHasher(key.terms)
    this.#byKey.set(key.id, known)
    return known
  }
}
