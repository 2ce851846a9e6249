import { BrokenSeal } from '../../crypto/aead.ts'
import { readRootKey, type RootKeySettings } from '../../crypto/root-key.ts'
import { RowSeal } from '../../crypto/row-seal.ts'
import { newMaterial, unwrapKey, wrapKey, type KeyMaterial, type KeyName } from '../../crypto/wrapped-key.ts'
import { UnavailableError } from '../../errors.ts'
import { BoundedMap } from '../../model/bounded-map.ts'
import { newId } from '../../model/ids.ts'
import type { Database } from '../database.ts'
import {
  insertKey,
  readKeyVersion,
  readSessionKeys,
  readTenantKeys,
  type SessionKeyVersion,
  type StoredKey,
} from './encryption-keys.ts'
import { SearchKeys, type SearchKey } from './search-key.ts'
import { makeTenantKey, openTenantKeys, type TenantKeys } from './tenant-keys.ts'

export interface VaultSettings {
  readonly rootKey: RootKeySettings
  /** Whether what is begun anew is sealed. What is sealed already is opened in any case. */
  readonly encrypts: boolean
}

/** The seals of some rows; undefined for a version from 1 on where the key was destroyed or altered, or is missing. */
export type Seals = (sessionId: string, version: number) => RowSeal | undefined

const cachedSealsMax = 10_000
/** A tenant's key is replaced seldom; each time another process may do it again. */
const attemptsMax = 5

/**
 * The keys of a store: root → tenant → session. Keys are opened when they are needed and kept in memory, a bounded number of
 * them; what is forgotten is cleared. It asks the database as its owner, never on behalf of a caller, and must not be used
 * while a transaction is open: it may need a connection of its own.
 */
export class Vault {
  readonly settings: VaultSettings
  readonly #run: Database['run']
  readonly #tenants = new Map<number, Promise<TenantKeys | undefined>>()
  readonly #seals = new BoundedMap<string, RowSeal>(cachedSealsMax)
  readonly #current = new BoundedMap<string, number>(cachedSealsMax)
  readonly #search: SearchKeys

  constructor(run: Database['run'], settings: VaultSettings) {
    this.#run = run
    this.settings = settings
    this.#search = new SearchKeys(run, {
      wrappingOf: (stored) => this.#wrappingOf(stored),
      newest: async (tenantId) => (await this.#require(tenantId)).newest,
    })
  }

  /** What opens the rows of sessions, each with the version of its key. */
  async sealsOf(tenantId: number, rows: readonly SessionKeyVersion[]): Promise<Seals> {
    const found = new Map<string, RowSeal>()
    const missing = new Map<string, SessionKeyVersion>()
    for (const row of rows) {
      if (row.version === 0) continue
      const place = placeOf(tenantId, row.sessionId, row.version)
      const known = this.#seals.get(place)
      if (known === undefined) missing.set(place, row)
      else found.set(place, known)
    }
    if (missing.size > 0) {
      const stored = await this.#run((sql) => readSessionKeys(sql, tenantId, [...missing.values()]))
      for (const key of stored) {
        const seal = await this.#open(key)
        if (seal !== undefined) found.set(placeOf(tenantId, key.sessionId, key.version), seal)
      }
    }
    return (sessionId, version) => found.get(placeOf(tenantId, sessionId, version))
  }

  /** What seals a session that is there; undefined where it is not sealed, or is not there. */
  async sealOf(tenantId: number, sessionId: string): Promise<RowSeal | undefined> {
    const place = `${tenantId} ${sessionId}`
    const version = this.#current.get(place) ?? (await this.#run((sql) => readKeyVersion(sql, tenantId, sessionId)))
    if (version === undefined) return undefined
    this.#current.set(place, version)
    if (version === 0) return undefined
    const seals = await this.sealsOf(tenantId, [{ sessionId, version }])
    const seal = seals(sessionId, version)
    if (seal !== undefined) return seal
    throw new UnavailableError(`Cannot save to session "${sessionId}" as its key is missing or was altered`, {
      remedy: 'Use another session_id, and run "verbatim verify"',
    })
  }

  /** What will seal a session that is about to be made; undefined where it is not to be sealed. */
  async sealOfNew(tenantId: number, sessionId: string): Promise<RowSeal | undefined> {
    if (!this.settings.encrypts) return undefined
    await this.#search.ensure(tenantId)
    return await this.#make({ tenantId, purpose: 'session', sessionId, version: 1 })
  }

  /** What the terms of a tenant are hashed with; undefined where they are hashed under the public key. */
  searchKey(tenantId: number): Promise<SearchKey | undefined> {
    return this.#search.keyOf(tenantId)
  }

  /** What seals rows of a tenant that belong to no session; undefined where they are not to be sealed. */
  async sealOfTenant(tenantId: number): Promise<RowSeal | undefined> {
    if (!this.settings.encrypts) return undefined
    const newest = (await this.#run((sql) => readTenantKeys(sql, tenantId, 'data'))).at(-1)
    return (
      (newest === undefined ? undefined : await this.#open(newest)) ??
      (await this.#make({ tenantId, purpose: 'data', sessionId: null, version: 1 }))
    )
  }

  /** What opens rows of a tenant that belong to no session, by the version of the key. */
  async sealsOfTenant(
    tenantId: number,
    versions: readonly number[],
  ): Promise<(version: number) => RowSeal | undefined> {
    const found = new Map<number, RowSeal>()
    if (versions.every((version) => version === 0)) return () => undefined
    for (const key of await this.#run((sql) => readTenantKeys(sql, tenantId, 'data'))) {
      const seal = await this.#open(key)
      if (seal !== undefined) found.set(key.version, seal)
    }
    return (version) => found.get(version)
  }

  /** Forgets which version of its key a session has, and the key that it was made with: it has another by now. */
  forget(tenantId: number, sessionId: string): void {
    this.#seals.delete(placeOf(tenantId, sessionId, 1))
    this.#current.delete(`${tenantId} ${sessionId}`)
  }

  /**
   * Proves that the keys of a tenant can be had, as far as it has any, and that the root key is of use where one is given.
   * Makes none. Throws UnavailableError or InputError that says what is wrong with the root key.
   */
  async check(tenantId: number): Promise<void> {
    this.#tenants.delete(tenantId)
    const keys = await this.#keysOf(tenantId)
    if (keys === undefined && this.settings.encrypts) await readRootKey(this.settings.rootKey)
  }

  /** Seals that others hold stay good. */
  close(): void {
    this.#tenants.clear()
    this.#seals.clear()
    this.#current.clear()
    this.#search.clear()
  }

  async #open(stored: StoredKey): Promise<RowSeal | undefined> {
    const { tenantId, sessionId, version, wrapped } = stored
    const place = placeOf(tenantId, sessionId, version)
    const known = this.#seals.get(place)
    if (known !== undefined || wrapped === null) return known
    const wrapping = await this.#wrappingOf(stored)
    try {
      return this.#keep(stored, unwrapKey(wrapping, stored, wrapped))
    } catch (error) {
      // What it sealed is refused by name, and the rest goes on.
      if (error instanceof BrokenSeal) return undefined
      throw error
    }
  }

  #keep(name: Pick<KeyName, 'tenantId' | 'sessionId' | 'version'>, material: KeyMaterial): RowSeal {
    const seal = new RowSeal(name, material)
    this.#seals.set(placeOf(name.tenantId, name.sessionId, name.version), seal)
    return seal
  }

  async #wrappingOf({ tenantId, id, wrappedBy }: StoredKey) {
    const known = (await this.#keysOf(tenantId))?.byId.get(wrappedBy)
    if (known !== undefined) return known
    // It was wrapped anew since the tenant's keys were read.
    this.#tenants.delete(tenantId)
    const found = (await this.#keysOf(tenantId))?.byId.get(wrappedBy)
    if (found !== undefined) return found
    throw new UnavailableError(`Cannot open the key ${id} as the key of tenant ${tenantId} that wraps it is missing`, {
      remedy: 'Restore the table encryption_keys from a backup',
    })
  }

  /** Makes a key, or takes the one that another has made meanwhile. */
  async #make(about: Omit<KeyName, 'id'>): Promise<RowSeal> {
    const { tenantId, purpose, sessionId, version } = about
    for (let attempt = 1; attempt <= attemptsMax; attempt++) {
      const { newest } = await this.#require(tenantId)
      const name: KeyName = { ...about, id: newId() }
      const material = newMaterial()
      const wrapping = { wrapped: wrapKey(newest.key, name, material), wrappedBy: newest.id }
      const done = await this.#run((sql) => insertKey(sql, name, wrapping))
      if (done === 'made') return this.#keep(name, material)
      if (done === 'stale') {
        this.#tenants.delete(tenantId)
        continue
      }
      const [taken] =
        purpose === 'session' && sessionId !== null
          ? await this.#run((sql) => readSessionKeys(sql, tenantId, [{ sessionId, version }]))
          : await this.#run((sql) => readTenantKeys(sql, tenantId, 'data'))
      const seal = taken === undefined ? undefined : await this.#open(taken)
      if (seal !== undefined) return seal
    }
    throw new UnavailableError(`Cannot make a key for tenant ${tenantId} as its keys are being changed`, {
      remedy: 'Try again',
    })
  }

  async #require(tenantId: number): Promise<TenantKeys> {
    const known = await this.#keysOf(tenantId)
    if (known !== undefined) return known
    await makeTenantKey(this.#run, this.settings.rootKey, tenantId)
    this.#tenants.delete(tenantId)
    const made = await this.#keysOf(tenantId)
    if (made === undefined) throw new Error(`Tenant ${tenantId} has no key after one was made`)
    return made
  }

  /** One look for all that ask at the same time; a failure, and that there are none, is looked at again. */
  #keysOf(tenantId: number): Promise<TenantKeys | undefined> {
    const known = this.#tenants.get(tenantId)
    if (known !== undefined) return known
    const forget = () => {
      if (this.#tenants.get(tenantId) === looking) this.#tenants.delete(tenantId)
    }
    const looking = openTenantKeys(this.#run, this.settings.rootKey, tenantId).then(
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
}

function placeOf(tenantId: number, sessionId: string | null, version: number): string {
  return `${tenantId} ${sessionId ?? ''} ${version}`
}
