import { createHmac, type KeyObject } from 'node:crypto'

import { BrokenSeal } from '../../crypto/aead.ts'
import { deriveKey, newMaterial, unwrapKey, wrapKey, type KeyMaterial, type KeyName } from '../../crypto/wrapped-key.ts'
import { UnavailableError } from '../../errors.ts'
import { newId } from '../../model/ids.ts'
import type { Database } from '../database.ts'
import { hasSessions, insertKey, readTenantKeys, type StoredKey } from './encryption-keys.ts'
import type { TenantKeyring } from './tenant-keyring.ts'

/** What the words of a tenant are hashed with. It never changes: other keys find none of its terms. */
export class SearchKey {
  readonly id: string
  readonly terms: KeyObject
  readonly #texts: KeyObject

  /** Clears the material that is given. */
  constructor(id: string, { sealing, hashing }: KeyMaterial) {
    this.id = id
    this.terms = deriveKey(hashing, 'search terms')
    this.#texts = deriveKey(hashing, 'texts that have a vector')
    sealing.fill(0)
    hashing.fill(0)
  }

  /** What stands for the SHA-256 of a text that has a vector, both in hexadecimal: who knows that could guess the text. */
  digestOfText(sha256: string): string {
    return createHmac('sha256', this.#texts).update(sha256, 'hex').digest('hex')
  }
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

  constructor(run: Database['run'], keyring: TenantKeyring) {
    this.#run = run
    this.#keyring = keyring
  }

  /** That there is none is asked anew each time: another process may make it with the first message. */
  async keyOf(tenantId: number): Promise<SearchKey | undefined> {
    const known = this.#keys.get(tenantId)
    if (known !== undefined) return known
    const [found] = await this.#keyring.read(tenantId, () =>
      this.#run((sql) => readTenantKeys(sql, tenantId, 'search')),
    )
    if (found?.wrapping === undefined || found.stored.wrapped === null) return undefined
    const key = new SearchKey(found.stored.id, open(found.wrapping, found.stored, found.stored.wrapped))
    this.#keys.set(tenantId, key)
    return key
  }

  /** Makes one where nothing was ever saved: terms that are there already would not be found any more. */
  async ensure(tenantId: number): Promise<void> {
    if (this.#begun.has(tenantId)) return
    const isNeeded =
      (await this.keyOf(tenantId)) === undefined && !(await this.#run((sql) => hasSessions(sql, tenantId)))
    if (isNeeded) await this.#make(tenantId)
    this.#begun.add(tenantId)
  }

  clear(): void {
    this.#keys.clear()
  }

  async #make(tenantId: number): Promise<void> {
    for (let attempt = 1; attempt <= attemptsMax; attempt++) {
      const { newest } = await this.#keyring.require(tenantId)
      const name: KeyName = { tenantId, purpose: 'search', id: newId(), sessionId: null, version: 1 }
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
