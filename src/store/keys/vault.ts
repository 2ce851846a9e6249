import { BrokenSeal } from '../../crypto/aead.ts'
import { readRootKey } from '../../crypto/root-key.ts'
import { RowSeal } from '../../crypto/row-seal.ts'
import { newMaterial, unwrapKey, wrapKey, type KeyMaterial, type KeyName } from '../../crypto/wrapped-key.ts'
import { UnavailableError } from '../../errors.ts'
import { BoundedMap } from '../../model/bounded-map.ts'
import { newId } from '../../model/ids.ts'
import type { Database } from '../database.ts'
import {
  firstKeyVersion,
  insertKey,
  readKeyVersion,
  readRootKeyId,
  readSessionKeys,
  readTenantKeys,
  type SessionKeyVersion,
} from './encryption-keys.ts'
import { refuseLonelyRootKey, requireRootKey } from './root-keys.ts'
import { SealingChoice, type VaultSettings } from './sealing-choice.ts'
import { SearchKeys } from './search-key.ts'
import { sessionKeyMissing, type SealedWork } from './session-key-missing.ts'
import { TenantKeyring, type Openable } from './tenant-keyring.ts'

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
  /** What the terms of tenants are hashed with. */
  readonly search: SearchKeys
  readonly #run: Database['run']
  readonly #keyring: TenantKeyring
  readonly #seals = new BoundedMap<string, RowSeal>(cachedSealsMax)
  readonly #current = new BoundedMap<string, number>(cachedSealsMax)
  readonly #choice: SealingChoice

  constructor(run: Database['run'], settings: VaultSettings) {
    this.#run = run
    this.settings = settings
    this.#keyring = new TenantKeyring(run, settings)
    this.#choice = new SealingChoice(run, settings)
    this.search = new SearchKeys(run, this.#keyring)
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
      const keys = await this.#keyring.read(tenantId, () =>
        this.#run((sql) => readSessionKeys(sql, tenantId, [...missing.values()])),
      )
      for (const key of keys) {
        const seal = this.#open(key)
        if (seal !== undefined) found.set(placeOf(tenantId, key.stored.sessionId, key.stored.version), seal)
      }
    }
    return (sessionId, version) => found.get(placeOf(tenantId, sessionId, version))
  }

  /** What seals a session that is there, for some work; undefined where it is not sealed, or is not there. */
  async sealOf(tenantId: number, sessionId: string, work: SealedWork = 'save to'): Promise<RowSeal | undefined> {
    const place = `${tenantId} ${sessionId}`
    const version = this.#current.get(place) ?? (await this.#run((sql) => readKeyVersion(sql, tenantId, sessionId)))
    if (version === undefined) return undefined
    this.#current.set(place, version)
    if (version === 0) return undefined
    const seals = await this.sealsOf(tenantId, [{ sessionId, version }])
    const seal = seals(sessionId, version)
    if (seal !== undefined) return seal
    throw sessionKeyMissing(sessionId, work)
  }

  /** What will seal a session that is about to be made; undefined where it is not to be sealed. */
  async sealOfNew(tenantId: number, sessionId: string): Promise<RowSeal | undefined> {
    if (!(await this.sealsNew(tenantId))) return undefined
    await this.search.ensure(tenantId)
    return await this.#make({ tenantId, purpose: 'session', sessionId, version: 1 })
  }

  /**
   * What will seal a session from now on: another version of its key, made where it is not there. It hashes as the version
   * before it does, so that a retry is known by its hash.
   */
  async sealOfNext(tenantId: number, { sessionId, version }: SessionKeyVersion, former: number): Promise<RowSeal> {
    const about = { tenantId, purpose: 'session', sessionId, version } as const
    if (former === 0) return await this.#make(about)
    const [key] = await this.#keyring.read(tenantId, () =>
      this.#run((sql) => readSessionKeys(sql, tenantId, [{ sessionId, version: former }])),
    )
    const wrapped = key?.stored.wrapped ?? undefined
    if (key?.wrapping === undefined || wrapped === undefined)
      throw new UnavailableError(`Cannot change the key of session "${sessionId}" as it is missing`, {
        remedy: 'Run "verbatim verify"',
      })
    const { hashing } = unwrapKey(key.wrapping, key.stored, wrapped)
    return await this.#make(about, hashing)
  }

  /** Makes the key of a tenant where it has none, and proves that it can be had. */
  async requireKey(tenantId: number): Promise<void> {
    await this.#keyring.require(tenantId)
  }

  /** What seals rows of a tenant that belong to no session; undefined where they are not to be sealed. */
  async sealOfTenant(tenantId: number): Promise<RowSeal | undefined> {
    // They are written by an import that may have begun long ago.
    this.#choice.forget(tenantId)
    if (!(await this.sealsNew(tenantId))) return undefined
    const newest = (await this.#dataKeys(tenantId)).at(-1)
    const known = newest === undefined ? undefined : this.#open(newest)
    if (known !== undefined) return known
    const version = await this.#run((sql) => firstKeyVersion(sql, tenantId, 'data'))
    return await this.#make({ tenantId, purpose: 'data', sessionId: null, version })
  }

  /** What opens rows of a tenant that belong to no session, by the version of the key. */
  async sealsOfTenant(
    tenantId: number,
    versions: readonly number[],
  ): Promise<(version: number) => RowSeal | undefined> {
    const found = new Map<number, RowSeal>()
    if (versions.every((version) => version === 0)) return () => undefined
    for (const key of await this.#dataKeys(tenantId)) {
      const seal = this.#open(key)
      if (seal !== undefined) found.set(key.stored.version, seal)
    }
    return (version) => found.get(version)
  }

  /** Notes which version of its key a session has, for who has read it: it is not asked for again. */
  remember(tenantId: number, { sessionId, version }: SessionKeyVersion): void {
    this.#current.set(`${tenantId} ${sessionId}`, version)
  }

  /** Forgets which version of its key a session has, and the key that it was made with: it has another by now, or its store is another. */
  forget(tenantId: number, sessionId: string): void {
    this.#choice.forget(tenantId)
    this.#seals.delete(placeOf(tenantId, sessionId, 1))
    this.#current.delete(`${tenantId} ${sessionId}`)
  }

  /**
   * Proves that the keys of a tenant can be had, as far as it has any, and that the root key is of use where one is given.
   * Makes none. Throws UnavailableError or InputError that says what is wrong with the root key.
   */
  async check(tenantId: number): Promise<void> {
    this.#keyring.forget(tenantId)
    const keys = await this.#keyring.find(tenantId)
    if (keys !== undefined || !(await this.sealsNew(tenantId))) return
    const rootId = await this.#run(readRootKeyId)
    if (rootId !== undefined) {
      await requireRootKey(this.settings, rootId)
      return
    }
    refuseLonelyRootKey(this.settings)
    await readRootKey(this.settings.rootKey)
  }

  /** Whether what is new of a tenant is sealed. */
  async sealsNew(tenantId: number): Promise<boolean> {
    return await this.#choice.sealsNew(tenantId)
  }

  /** Seals that others hold stay good. */
  close(): void {
    this.#keyring.clear()
    this.#seals.clear()
    this.#current.clear()
    this.#choice.clear()
    this.search.clear()
  }

  #dataKeys(tenantId: number): Promise<Openable[]> {
    return this.#keyring.read(tenantId, () => this.#run((sql) => readTenantKeys(sql, tenantId, 'data')))
  }

  #open({ stored, wrapping }: Openable): RowSeal | undefined {
    const { tenantId, sessionId, version, wrapped } = stored
    const known = this.#seals.get(placeOf(tenantId, sessionId, version))
    if (known !== undefined || wrapped === null || wrapping === undefined) return known
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

  /** Makes a key, or takes the one that another has made meanwhile. */
  async #make(about: Omit<KeyName, 'id'>, hashing?: Uint8Array): Promise<RowSeal> {
    const { tenantId, purpose, sessionId, version } = about
    for (let attempt = 1; attempt <= attemptsMax; attempt++) {
      const { newest } = await this.#keyring.require(tenantId)
      const name: KeyName = { ...about, id: newId() }
      // A copy each time: what is kept, and what is wrapped, clears what it is given.
      const material = newMaterial(hashing === undefined ? undefined : Buffer.from(hashing))
      const wrapping = { wrapped: wrapKey(newest.key, name, material), wrappedBy: newest.id }
      const done = await this.#run((sql) => insertKey(sql, name, wrapping))
      if (done === 'made') return this.#keep(name, material)
      if (done === 'stale') {
        this.#keyring.forget(tenantId)
        continue
      }
      const [taken] = await this.#keyring.read(tenantId, () =>
        this.#run((sql) =>
          purpose === 'session' && sessionId !== null
            ? readSessionKeys(sql, tenantId, [{ sessionId, version }])
            : readTenantKeys(sql, tenantId, 'data'),
        ),
      )
      const seal = taken === undefined ? undefined : this.#open(taken)
      if (seal !== undefined) return seal
    }
    throw new UnavailableError(`Cannot make a key for tenant ${tenantId} as its keys are being changed`, {
      remedy: 'Try again',
    })
  }
}

function placeOf(tenantId: number, sessionId: string | null, version: number): string {
  return `${tenantId} ${sessionId ?? ''} ${version}`
}
