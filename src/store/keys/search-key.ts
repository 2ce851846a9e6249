import { createHmac, type KeyObject } from 'node:crypto'

import { BrokenSeal } from '../../crypto/aead.ts'
import { deriveKey, newMaterial, unwrapKey, wrapKey, type KeyMaterial, type KeyName } from '../../crypto/wrapped-key.ts'
import { KeysMissing, UnavailableError } from '../../errors.ts'
import { newId } from '../../model/ids.ts'
import type { Database } from '../database.ts'
import { firstKeyVersion, hasSessions, insertKey, lacksKey, readTenantKeys, type StoredKey } from './encryption-keys.ts'
import { readEncryptionState, sealsNew, type TermsState } from './encryption-state.ts'
import type { TenantKeyring } from './tenant-keyring.ts'

/** What the words of a tenant are hashed with: other keys find none of its terms. */
export class SearchKey {
  readonly id: string
  readonly terms: KeyObject
  readonly #texts: KeyObject
  readonly #records: KeyObject
  readonly #entries: KeyObject

  /** Clears the material that is given. */
  constructor(id: string, { sealing, hashing }: KeyMaterial) {
    this.id = id
    this.terms = deriveKey(hashing, 'search terms')
    this.#texts = deriveKey(hashing, 'texts that have a vector')
    this.#records = deriveKey(hashing, 'records of messages')
    this.#entries = deriveKey(hashing, 'entries that were erased')
    sealing.fill(0)
    hashing.fill(0)
  }

  /** What stands for the SHA-256 of a text that has a vector, both in hexadecimal: who knows that could guess the text. */
  digestOfText(sha256: string): string {
    return createHmac('sha256', this.#texts).update(sha256, 'hex').digest('hex')
  }

  /** What stands for the SHA-256 of an entry that was erased; in hexadecimal. */
  digestOfEntry(sha256: Uint8Array): string {
    return createHmac('sha256', this.#entries).update(sha256).digest('hex')
  }

  /** HMAC-SHA-256 of what a message says beside its bytes. */
  digestOfRecord(record: string): Buffer {
    return createHmac('sha256', this.#records).update(record, 'utf8').digest()
  }
}

/** How the words of a tenant are hashed. */
export interface TermKeys {
  /** As it was read; undefined where nothing was ever converted. */
  readonly state: TermsState | undefined
  /** The index that searches look at, and the one that is being made beside it; without a key under the public one. */
  readonly indexes: readonly { readonly version: number; readonly key: SearchKey | undefined }[]
  /** What stands for texts that have a vector is made with this one; their SHA-256 itself without. */
  readonly texts: SearchKey | undefined
  /** The tenant's key, whatever is hashed under it. */
  readonly key: SearchKey | undefined
}

/** A tenant's key is replaced seldom; each time another process may do it again. */
const attemptsMax = 5

/** The search keys of tenants, each opened once. */
export class SearchKeys {
  readonly #run: Database['run']
  readonly #keyring: TenantKeyring
  readonly #keys = new Map<number, SearchKey>()
  /** Tenants of which it was seen to whether their terms are to have a key. */
  readonly #begun = new Set<number>()

  /** Tenants of which it was seen that no key is gone. */
  readonly #whole = new Set<number>()

  constructor(run: Database['run'], keyring: TenantKeyring) {
    this.#run = run
    this.#keyring = keyring
  }

  /** As they are now: another process may make a key with the first message, and a conversion changes them. */
  async termsOf(tenantId: number): Promise<TermKeys> {
    const stored = await this.#run((sql) => readEncryptionState(sql, tenantId))
    const key = (await this.#find(tenantId)) ?? (await this.#findOrRefuse(tenantId))
    if (stored === undefined) return { state: undefined, indexes: [{ version: 0, key }], texts: key, key }
    const { state, terms } = stored
    const keyed = (isKeyed: boolean) => (isKeyed ? (key ?? missing(tenantId)) : undefined)
    const indexes = [{ version: terms.version, key: keyed(terms.isKeyed) }]
    if (terms.hasNext) indexes.push({ version: terms.version + 1, key: keyed(!terms.isKeyed) })
    return { state: terms, indexes, texts: sealsNew(state) ? key : undefined, key }
  }

  /** Makes one where nothing was ever saved: terms that are there already would not be found any more. */
  async ensure(tenantId: number): Promise<void> {
    if (this.#begun.has(tenantId)) return
    const isNeeded = !(await this.#run((sql) => hasSessions(sql, tenantId)))
    if (isNeeded) await this.make(tenantId)
    this.#begun.add(tenantId)
  }

  /** Makes one where there is none. */
  async make(tenantId: number): Promise<void> {
    if ((await this.#find(tenantId)) === undefined) await this.#make(tenantId)
  }

  clear(): void {
    this.#keys.clear()
  }

  /** Under the public key nothing would be found of what was hashed under one that is gone, and nobody told. */
  async #findOrRefuse(tenantId: number): Promise<SearchKey | undefined> {
    if (this.#whole.has(tenantId)) return undefined
    if (await this.#run((sql) => lacksKey(sql, tenantId)))
      throw new KeysMissing('Cannot search as this store holds encrypted sessions and none of their keys', {
        remedy:
          'Run "verbatim restore --keys", which takes them from the archive, or restore the table encryption_keys from a backup',
      })
    this.#whole.add(tenantId)
    // One that was made meanwhile is for what is saved from then on: it is read last.
    return await this.#find(tenantId)
  }

  async #find(tenantId: number): Promise<SearchKey | undefined> {
    const [found] = await this.#keyring.read(tenantId, () =>
      this.#run((sql) => readTenantKeys(sql, tenantId, 'search')),
    )
    if (found?.wrapping === undefined || found.stored.wrapped === null) return undefined
    const known = this.#keys.get(tenantId)
    if (known?.id === found.stored.id) return known
    const key = new SearchKey(found.stored.id, open(found.wrapping, found.stored, found.stored.wrapped))
    this.#keys.set(tenantId, key)
    return key
  }

  async #make(tenantId: number): Promise<void> {
    const version = await this.#run((sql) => firstKeyVersion(sql, tenantId, 'search'))
    for (let attempt = 1; attempt <= attemptsMax; attempt++) {
      const { newest } = await this.#keyring.require(tenantId)
      const name: KeyName = { tenantId, purpose: 'search', id: newId(), sessionId: null, version }
      const wrapped = wrapKey(newest.key, name, newMaterial())
      const done = await this.#run((sql) => insertKey(sql, name, { wrapped, wrappedBy: newest.id }))
      if (done !== 'stale') return
      this.#keyring.forget(tenantId)
    }
    throw new UnavailableError(`Cannot make a search key for tenant ${tenantId} as its keys are being changed`, {
      remedy: 'Try again',
    })
  }
}

function missing(tenantId: number): never {
  throw new KeysMissing(`Cannot search as the search key of tenant ${tenantId} is missing`, {
    remedy: 'Restore the table encryption_keys from a backup, or run "verbatim keys decrypt"',
  })
}

/** Without it nothing is found, and what is indexed could not be found later: the work waits. */
function open(wrapping: KeyObject, stored: StoredKey, wrapped: Uint8Array): KeyMaterial {
  try {
    return unwrapKey(wrapping, stored, wrapped)
  } catch (error) {
    if (!(error instanceof BrokenSeal)) throw error
    throw new UnavailableError(`Cannot search as the search key ${stored.id} was altered`, {
      remedy: 'Restore the table encryption_keys from a backup',
      cause: error,
    })
  }
}
