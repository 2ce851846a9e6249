import type { KeyObject } from 'node:crypto'

import { UnavailableError } from '../../errors.ts'
import type { Database } from '../database.ts'
import type { StoredKey } from './encryption-keys.ts'
import type { RootKeySources } from './root-keys.ts'
import { makeTenantKey, openTenantKeys, type TenantKeys } from './tenant-keys.ts'

/** A key as it was read, with what it is wrapped by; undefined where the key itself was destroyed. */
export interface Openable {
  readonly stored: StoredKey
  readonly wrapping: KeyObject | undefined
}

/** A tenant's key is replaced seldom; each time a key may be wrapped by another when it is looked at. */
const attemptsMax = 5

/** The keys of tenants, which wrap all others, each opened once. */
export class TenantKeyring {
  readonly #run: Database['run']
  readonly #sources: RootKeySources
  readonly #tenants = new Map<number, Promise<TenantKeys | undefined>>()

  constructor(run: Database['run'], sources: RootKeySources) {
    this.#run = run
    this.#sources = sources
  }

  /** Reads keys, and what wraps them. Read again where one was wrapped anew between the two. */
  async read(tenantId: number, read: () => Promise<readonly StoredKey[]>): Promise<Openable[]> {
    for (let attempt = 1; ; attempt++) {
      const keys = await read()
      const openable = await this.#withWrapping(tenantId, keys)
      if (openable !== undefined) return openable
      if (attempt < attemptsMax) continue
      throw new UnavailableError(
        `Cannot open the key ${keys[0]?.id} as the key of tenant ${tenantId} that wraps it is missing`,
        { remedy: 'Restore the table encryption_keys from a backup' },
      )
    }
  }

  /** The keys of a tenant; the first one is made where it has none. */
  async require(tenantId: number): Promise<TenantKeys> {
    const known = await this.find(tenantId)
    if (known !== undefined) return known
    await makeTenantKey(this.#run, this.#sources, tenantId)
    // Another's look may be under way that began before there was one.
    this.forget(tenantId)
    const made = await this.find(tenantId)
    if (made === undefined) throw new Error(`Tenant ${tenantId} has no key after one was made`)
    return made
  }

  /** One look for all that ask at the same time; a failure, and that there are none, is looked at again. */
  find(tenantId: number): Promise<TenantKeys | undefined> {
    const known = this.#tenants.get(tenantId)
    if (known !== undefined) return known
    const forget = () => {
      if (this.#tenants.get(tenantId) === looking) this.#tenants.delete(tenantId)
    }
    const looking = openTenantKeys(this.#run, this.#sources, tenantId).then(
      (keys) => {
        if (keys === undefined) forget()
        return keys
      },
      (error: unknown) => {
        forget()
        throw error
      },
    )
    this.#tenants.set(tenantId, looking)
    return looking
  }

  /** They are others by now. */
  forget(tenantId: number): void {
    this.#tenants.delete(tenantId)
  }

  clear(): void {
    this.#tenants.clear()
  }

  async #withWrapping(tenantId: number, keys: readonly StoredKey[]): Promise<Openable[] | undefined> {
    if (keys.every(({ wrapped }) => wrapped === null)) return keys.map((stored) => ({ stored, wrapping: undefined }))
    for (const isFresh of [false, true]) {
      if (isFresh) this.forget(tenantId)
      const byId = (await this.find(tenantId))?.byId
      const openable = keys.map((stored) => ({
        stored,
        wrapping: stored.wrapped === null ? undefined : byId?.get(stored.wrappedBy),
      }))
      if (openable.every(({ stored, wrapping }) => stored.wrapped === null || wrapping !== undefined)) return openable
    }
    return undefined
  }
}
