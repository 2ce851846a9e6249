import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto'

import { z } from 'zod'

import { ConflictError } from '../errors.ts'
import type { ArchiveStore } from '../ports/archive-store.ts'
import type { SealRow } from '../store/audit/audit-seals.ts'

const hashSchema = z.string().regex(/^[0-9a-f]{64}$/)
const headSchema = z.object({
  version: z.literal(1),
  tenant: z.number().int(),
  /** The hash of the first seal of the record: another store, or one that was set up anew, has another. */
  record: hashSchema,
  seal: z.number().int(),
  hash: hashSchema,
  /** ISO 8601. */
  sealed_at: z.iso.datetime(),
  /** An Ed25519 public key (SPKI, DER) and its signature, in base64. */
  key: z.string(),
  signature: z.string(),
})

/** What the end of a tenant's chain was at a time: signed, and kept where who changes the database does not reach. */
export type SignedHead = z.infer<typeof headSchema>
type Claim = Omit<SignedHead, 'key' | 'signature'>

/** What stands before the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410). */
const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex')
const numberDigits = 12
/** Reads of heads that are under way together: a store in the cloud answers each in some milliseconds. */
export const readAtOnce = 16

/** The signing key of 32 secret bytes. */
export function signingKeyOf(secret: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([pkcs8, secret]), format: 'der', type: 'pkcs8' })
}

export function publicKeyOf(key: KeyObject): string {
  return createPublicKey(key).export({ format: 'der', type: 'spki' }).toString('base64')
}

/** Signs the newest seal of the record that begins with `first`. */
export function signHead(
  key: KeyObject,
  first: Pick<SealRow, 'hash'>,
  newest: Pick<SealRow, 'tenantId' | 'number' | 'hash' | 'sealedAtMs'>,
): SignedHead {
  const claim: Claim = {
    version: 1,
    tenant: newest.tenantId,
    record: first.hash,
    seal: newest.number,
    hash: newest.hash,
    sealed_at: new Date(newest.sealedAtMs).toISOString(),
  }
  return { ...claim, ...signed(key, bytesOf(claim)) }
}

/** What goes with bytes that were signed: the public key and the signature, in base64. */
export function signed(key: KeyObject, bytes: Uint8Array): { readonly key: string; readonly signature: string } {
  return { key: publicKeyOf(key), signature: sign(null, bytes, key).toString('base64') }
}

/** Whether bytes are what somebody with the key has signed. */
export function isSignedBy(
  { key, signature }: { readonly key: string; readonly signature: string },
  bytes: Uint8Array,
): boolean {
  try {
    const publicKey = createPublicKey({ key: Buffer.from(key, 'base64'), format: 'der', type: 'spki' })
    return publicKey.asymmetricKeyType === 'ed25519' && verify(null, bytes, publicKey, Buffer.from(signature, 'base64'))
  } catch {
    // What is no key has signed nothing.
    return false
  }
}

function bytesOf({ version, tenant, record, seal, hash, sealed_at: at }: Claim): Buffer {
  return Buffer.from(JSON.stringify(['verbatim audit head', version, tenant, record, seal, hash, at]))
}

/**
 * Adds a head to an archive; where there is one of the same seal already, by another machine say, that one stays. What it is of
 * is in its name too, so that a record is compared with many heads without reading them.
 */
export async function putHead(archive: ArchiveStore, head: SignedHead): Promise<void> {
  const name = `${String(head.seal).padStart(numberDigits, '0')}-${nameOfHash(head.hash)}`
  const key = `${placeOf(head.tenant)}${nameOfHash(head.record)}/${name}.json`
  try {
    await archive.put(key, Buffer.from(JSON.stringify(head)))
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error
  }
}

/** A head by its name. */
export interface HeadKey {
  readonly key: string
  /** Names of the hashes of the first seal of its record, and of its own. */
  readonly record: string
  readonly hash: string
  readonly seal: number
}

const keyPattern = /([0-9a-f]{32})\/(\d{12})-([0-9a-f]{32})\.json$/

/** The heads of a tenant, by record and in the order of their seals. */
export async function* headKeys(archive: ArchiveStore, tenantId: number): AsyncGenerator<HeadKey> {
  for await (const key of archive.list(placeOf(tenantId))) {
    const [, record, seal, hash] = keyPattern.exec(key) ?? []
    if (record !== undefined && hash !== undefined) yield { key, record, hash, seal: Number(seal) }
  }
}

/** A head, or undefined where what is there was never signed as what its name says. */
export async function readHead(
  archive: ArchiveStore,
  tenantId: number,
  { key, record, seal, hash }: HeadKey,
): Promise<SignedHead | undefined> {
  const bytes = await archive.get(key)
  const head = bytes === undefined ? undefined : parseHead(bytes)
  if (head === undefined || head.tenant !== tenantId || head.seal !== seal || !isSignedBy(head, bytesOf(head)))
    return undefined
  return nameOfHash(head.record) === record && nameOfHash(head.hash) === hash ? head : undefined
}

function parseHead(bytes: Uint8Array): SignedHead | undefined {
  try {
    return headSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')))
  } catch {
    // Whoever verifies names it by its key.
    return undefined
  }
}

/** As it stands in the names of heads. */
export function nameOfHash(hash: string): string {
  return hash.slice(0, 32)
}

function placeOf(tenantId: number): string {
  return `audit/${tenantId}/`
}
