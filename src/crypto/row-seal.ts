import { createCipheriv, createDecipheriv, createHmac, type KeyObject } from 'node:crypto'
import { deflateRawSync, inflateRawSync } from 'node:zlib'

import { limits } from '../limits.ts'
import { BrokenSeal, nonceOf, openBytes, sealBytes, takeKey } from './aead.ts'
import { deriveKey, type KeyMaterial } from './wrapped-key.ts'

/** Whose rows a seal is for: those of a session, or of a tenant where they belong to no session. */
export interface SealScope {
  readonly tenantId: number
  readonly sessionId: string | null
  /** Of the key, which the rows name. From 1 on: 0 stands for what is not sealed. */
  readonly version: number
}

/** The place of a value: which column, and the id of its row. */
export interface SealPlace {
  readonly field:
    | 'payload'
    | 'text'
    | 'metadata'
    | 'title'
    | 'session metadata'
    | 'summary'
    | 'fact'
    | 'names'
    | 'layout'
    | 'session head'
    | 'reason'
  readonly id: string
}

/** What the keys are for that are made of the one that hashes. */
type HashUse = 'hash of a payload' | 'nonce of an object' | 'digest'

/** The first byte of a sealed value: how the bytes inside are written. It is part of what the seal is bound to. */
const plain = 1
const deflated = 2

/** PostgreSQL compresses larger values by itself, and can no more when they are sealed. */
const deflateFromBytes = 1_024
const deflateLevel = 1

/** Seals the private columns of rows, and opens them again. It holds its keys and shows them to nobody. */
export class RowSeal {
  readonly version: number
  readonly #scope: string
  readonly #sealing: KeyObject
  readonly #hashing: KeyObject
  /** Made of that when they are first needed: a search opens rows of fifty sessions, and needs the first of them alone. */
  readonly #derived = new Map<HashUse, KeyObject>()

  /** Clears the material that is given. */
  constructor({ tenantId, sessionId, version }: SealScope, { sealing, hashing }: KeyMaterial) {
    this.version = version
    this.#scope = ['verbatim', 1, tenantId, sessionId ?? '', version].join('|')
    this.#sealing = takeKey(sealing)
    this.#hashing = takeKey(hashing)
  }

  seal({ field, id }: SealPlace, bytes: Uint8Array): Buffer {
    const isLong = bytes.length >= deflateFromBytes
    const smaller = isLong ? deflateRawSync(bytes, { level: deflateLevel }) : undefined
    const isSmaller = smaller !== undefined && smaller.length < bytes.length
    const format = isSmaller ? deflated : plain
    const sealed = sealBytes(this.#sealing, isSmaller ? smaller : bytes, { boundTo: this.#place(format, field, id) })
    return Buffer.concat([Buffer.of(format), sealed])
  }

  /** Throws BrokenSeal where the bytes were not sealed for this place under this key. */
  open({ field, id }: SealPlace, sealed: Uint8Array): Buffer {
    const format = sealed[0]
    if (format !== plain && format !== deflated) throw new BrokenSeal('Cannot open a seal of an unknown format')
    const opened = openBytes(this.#sealing, sealed.subarray(1), this.#place(format, field, id))
    return format === plain ? opened : inflateRawSync(opened, { maxOutputLength: limits.importedMessageBytesMax })
  }

  /**
   * A SHA-256 as it is stored: whoever knows it could guess a short text by trying. It is a permutation, so that equal ones
   * stay equal within the session, where a retry is known by it, and so that the hash can be had back without the bytes.
   */
  mask(sha256: Uint8Array): Buffer {
    const cipher = createCipheriv('aes-256-ecb', this.#key('hash of a payload'), null).setAutoPadding(false)
    return Buffer.concat([cipher.update(sha256), cipher.final()])
  }

  unmask(masked: Uint8Array): Buffer {
    const decipher = createDecipheriv('aes-256-ecb', this.#key('hash of a payload'), null).setAutoPadding(false)
    return Buffer.concat([decipher.update(masked), decipher.final()])
  }

  /** A hash that tells nothing to who has not the key, in place of a SHA-256 that is kept where others can see it. */
  digest(bytes: Uint8Array): Buffer {
    return createHmac('sha256', this.#key('digest')).update(bytes).digest()
  }

  /** Seals an object of the archive store. The same bytes for the same key give the same object, so that it is put once. */
  sealObject(key: string, bytes: Uint8Array): Buffer {
    const nonces = this.#key('nonce of an object')
    const digest = createHmac('sha256', nonces).update(bytes).digest('hex')
    const boundTo = this.#place(plain, 'object', key)
    return sealBytes(this.#sealing, bytes, { boundTo, nonce: nonceOf(nonces, `${boundTo}|${digest}`) })
  }

  openObject(key: string, sealed: Uint8Array): Buffer {
    return openBytes(this.#sealing, sealed, this.#place(plain, 'object', key))
  }

  #key(use: HashUse): KeyObject {
    const known = this.#derived.get(use) ?? deriveKey(this.#hashing, use)
    this.#derived.set(use, known)
    return known
  }

  #place(format: number, field: string, id: string): string {
    return `${this.#scope}|${format}|${field}|${id}`
  }
}
