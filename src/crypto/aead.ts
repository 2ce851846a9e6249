import { createCipheriv, createDecipheriv, createHmac, createSecretKey, randomBytes, type KeyObject } from 'node:crypto'

const algorithm = 'aes-256-gcm'
export const keyBytes = 32
const nonceBytes = 12
const tagBytes = 16

/** The bytes are not what was sealed under this key for this place: they were altered, or they belong somewhere else. */
export class BrokenSeal extends Error {
  override readonly name = 'BrokenSeal'
}

/** What a seal is bound to, and which nonce it has; a random one where none is given. */
export interface SealOptions {
  readonly boundTo: string
  readonly nonce?: Uint8Array
}

/**
 * AES-256-GCM: the nonce, the ciphertext, the tag. What it is bound to is not in it, and has to be given again to open it.
 * Under one key 2^32 random nonces meet with odds of 1 in 2^33; a session has at most some millions.
 */
export function sealBytes(key: KeyObject, bytes: Uint8Array, { boundTo, nonce }: SealOptions): Buffer {
  const iv = nonce ?? randomBytes(nonceBytes)
  const cipher = createCipheriv(algorithm, key, iv, { authTagLength: tagBytes })
  cipher.setAAD(Buffer.from(boundTo, 'utf8'))
  return Buffer.concat([iv, cipher.update(bytes), cipher.final(), cipher.getAuthTag()])
}

/** Throws BrokenSeal where a single bit, the key or what it is bound to is another. */
export function openBytes(key: KeyObject, sealed: Uint8Array, boundTo: string): Buffer {
  if (sealed.length < nonceBytes + tagBytes) throw new BrokenSeal('Cannot open a seal that is too short')
  const tagStart = sealed.length - tagBytes
  const decipher = createDecipheriv(algorithm, key, sealed.subarray(0, nonceBytes), { authTagLength: tagBytes })
  decipher.setAAD(Buffer.from(boundTo, 'utf8'))
  decipher.setAuthTag(sealed.subarray(tagStart))
  const opened = decipher.update(sealed.subarray(nonceBytes, tagStart))
  try {
    // In this mode nothing is left to be given; it says whether the tag is right.
    decipher.final()
    return opened
  } catch (error) {
    throw new BrokenSeal('Cannot open a seal', { cause: error })
  }
}

/** A nonce that follows from what is sealed, so that sealing the same again gives the same bytes. */
export function nonceOf(key: KeyObject, about: string): Buffer {
  return createHmac('sha256', key).update(about, 'utf8').digest().subarray(0, nonceBytes)
}

/** Takes a key into OpenSSL's keeping, which clears it when it is let go, and clears the bytes that were given. */
export function takeKey(bytes: Uint8Array): KeyObject {
  const key = createSecretKey(bytes)
  bytes.fill(0)
  return key
}
