import { hkdfSync, randomBytes, type KeyObject } from 'node:crypto'

import { keyBytes, openBytes, sealBytes, takeKey } from './aead.ts'

/** What a key is for. `tenant` wraps the others; `data` seals what belongs to no session; `search` hashes search terms. */
export type KeyPurpose = 'tenant' | 'session' | 'data' | 'search'

/** Which key it is: a wrapped key opens as this one only. */
export interface KeyName {
  readonly tenantId: number
  readonly purpose: KeyPurpose
  readonly id: string
  /** Of a session's key. */
  readonly sessionId: string | null
  readonly version: number
}

export const wrapAlgorithm = 'AES-256-GCM'

/**
 * What a key consists of: what seals, and what hashes. They are apart so that a new version can seal anew and hash as before:
 * what was hashed is compared where it is stored.
 */
export interface KeyMaterial {
  readonly sealing: Uint8Array
  readonly hashing: Uint8Array
}

function boundTo({ tenantId, purpose, id, sessionId, version }: KeyName): string {
  return ['verbatim key', 1, tenantId, purpose, sessionId ?? '', id, version].join('|')
}

/** New material; `hashing` is kept where it is given. */
export function newMaterial(hashing: Uint8Array = randomBytes(keyBytes)): KeyMaterial {
  return { sealing: randomBytes(keyBytes), hashing }
}

export function wrapKey(wrapping: KeyObject, name: KeyName, { sealing, hashing }: KeyMaterial): Buffer {
  const bytes = Buffer.concat([sealing, hashing])
  const wrapped = sealBytes(wrapping, bytes, { boundTo: boundTo(name) })
  bytes.fill(0)
  return wrapped
}

/** Throws BrokenSeal where it is not this key wrapped by that one. */
export function unwrapKey(wrapping: KeyObject, name: KeyName, wrapped: Uint8Array): KeyMaterial {
  const bytes = openBytes(wrapping, wrapped, boundTo(name))
  return { sealing: bytes.subarray(0, keyBytes), hashing: bytes.subarray(keyBytes) }
}

/** A key for one use, made from another. */
export function deriveKey(material: Uint8Array | KeyObject, use: string): KeyObject {
  return takeKey(new Uint8Array(hkdfSync('sha256', material, Buffer.alloc(0), `verbatim ${use}`, keyBytes)))
}
