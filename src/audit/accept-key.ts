import { createHash, type KeyObject } from 'node:crypto'

import { z } from 'zod'

import { ConflictError, InputError, NotFoundError, UnavailableError } from '../errors.ts'
import type { Caller } from '../model/access.ts'
import type { ArchiveStore } from '../ports/archive-store.ts'
import { readSeals } from '../store/audit/audit-seals.ts'
import type { Database } from '../store/database.ts'
import { auditFor } from '../store/rights/audit-for.ts'
import {
  headKeys,
  isSignedBy,
  nameOfHash,
  publicKeyOf,
  readAtOnce,
  readHead,
  signed,
  type HeadKey,
  type SignedHead,
} from './signed-head.ts'

const acceptanceSchema = z.object({
  version: z.literal(1),
  tenant: z.number().int(),
  /** As the record stands in the names of its heads. */
  record: z.string().regex(/^[0-9a-f]{32}$/),
  /** The Ed25519 public key (SPKI, DER, in base64) that heads were signed with before. */
  accepted: z.string(),
  /** The newest of them: what that key signs later is not accepted. */
  seal: z.number().int(),
  /** ISO 8601. */
  accepted_at: z.iso.datetime(),
  /** Of who accepts it. */
  key: z.string(),
  signature: z.string(),
})

/** That somebody who has the key knows another one that heads of a record were signed with: signed, and kept beside the heads. */
export type KeyAcceptance = z.infer<typeof acceptanceSchema>
export interface AcceptedKey extends KeyAcceptance {
  /** Of the newest head that it had signed when it was accepted; it may be accepted in fewer, as who accepted it is. */
  readonly newestSeal: number
}
type AcceptanceClaim = Omit<KeyAcceptance, 'key' | 'signature'>

const fingerprintDigits = 32
const fingerprintPattern = /^[0-9a-f]{32}$/

/** What a public key is called: digits of its SHA-256. */
export function fingerprintOf(publicKey: string): string {
  return createHash('sha256').update(publicKey).digest('hex').slice(0, fingerprintDigits)
}

function bytesOf({ version, tenant, record, accepted, seal, accepted_at: at }: AcceptanceClaim): Buffer {
  return Buffer.from(JSON.stringify(['verbatim audit key accepted', version, tenant, record, accepted, seal, at]))
}

function placeOf(tenantId: number, record: string): string {
  return `audit/${tenantId}/${record}/accepted-`
}

/**
 * The keys that who has a key accepts in a record, and what those who had them accepted before, each with the newest seal that
 * it may have signed. What was not signed by one of them accepts nothing.
 */
export async function readAcceptedKeys(
  archive: ArchiveStore,
  tenantId: number,
  { record, key }: { readonly record: string; readonly key: string },
): Promise<ReadonlyMap<string, AcceptedKey>> {
  const found: KeyAcceptance[] = []
  for await (const place of archive.list(placeOf(tenantId, record))) {
    const acceptance = await readAcceptance(archive, place)
    if (acceptance?.tenant === tenantId && acceptance.record === record) found.push(acceptance)
  }
  const accepted = new Map<string, AcceptedKey>()
  const signers = [key]
  for (const signer of signers)
    for (const acceptance of found) {
      if (acceptance.key !== signer || acceptance.accepted === key) continue
      // Who may have signed up to a seal lets nobody sign beyond it.
      const seal = Math.min(acceptance.seal, accepted.get(signer)?.seal ?? Infinity)
      if (seal <= (accepted.get(acceptance.accepted)?.seal ?? 0)) continue
      accepted.set(acceptance.accepted, { ...acceptance, seal, newestSeal: acceptance.seal })
      signers.push(acceptance.accepted)
    }
  return accepted
}

async function readAcceptance(archive: ArchiveStore, place: string): Promise<KeyAcceptance | undefined> {
  const bytes = await archive.get(place)
  if (bytes === undefined) return undefined
  try {
    const acceptance = acceptanceSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')))
    return isSignedBy(acceptance, bytesOf(acceptance)) ? acceptance : undefined
  } catch {
    // What says nothing accepts nothing: whoever verifies is told of the heads then.
    return undefined
  }
}

interface AcceptingPlaces {
  readonly database: Pick<Database, 'run' | 'vault'>
  readonly archive: ArchiveStore
  /** The key that heads are signed with now. */
  readonly key: KeyObject
}

export interface KeyToAccept {
  /** As `audit verify` names it. */
  readonly fingerprint: string
  /** Kept beside the record. */
  readonly reason: string
}

/**
 * Says of a key that heads of the record in this database are signed with that it is known, up to the newest head that it signed. Throws
 * NotFoundError where there is no such head, InputError where it is the key of this store. Again, it says the same again.
 */
export async function acceptKey(
  { database, archive, key }: AcceptingPlaces,
  caller: Caller,
  { fingerprint, reason }: KeyToAccept,
): Promise<KeyAcceptance> {
  const { tenantId } = caller
  if (!fingerprintPattern.test(fingerprint))
    throw new InputError(
      `Cannot accept the key "${fingerprint}" as a key is named by 32 hexadecimal digits in small letters`,
      {
        remedy: 'Take the digits that "audit verify" names',
      },
    )
  const own = publicKeyOf(key)
  if (fingerprintOf(own) === fingerprint)
    throw new InputError(`Cannot accept the key "${fingerprint}" as it is the one of this store`, {
      remedy: 'Only another one that "audit verify" names needs to be accepted',
    })
  const [first] = await database.run((sql) => readSeals(sql, tenantId, { after: 0, limit: 1 }))
  const record = first === undefined ? undefined : nameOfHash(first.hash)
  const newest =
    record === undefined ? undefined : await newestSignedWith({ database, archive }, tenantId, { record, fingerprint })
  if (record === undefined || newest === undefined)
    throw new NotFoundError(`Cannot accept the key "${fingerprint}" as no head of this record is signed with it`, {
      remedy: 'Take the 32 digits that "audit verify" names',
    })
  const before = (await readAcceptedKeys(archive, tenantId, { record, key: own })).get(newest.key)
  if (before !== undefined && before.seal >= newest.seal) return before
  await auditFor(database, caller, {
    words: reason,
    event: {
      action: 'audit.accept-key',
      objectKind: 'key',
      objectId: fingerprint,
      outcome: 'ok',
    },
  })
  const claim: AcceptanceClaim = {
    version: 1,
    tenant: tenantId,
    record,
    accepted: newest.key,
    seal: newest.seal,
    accepted_at: new Date().toISOString(),
  }
  const acceptance: KeyAcceptance = { ...claim, ...signed(key, bytesOf(claim)) }
  // Each who accepts, and each time, has a place of its own: what somebody else puts there is in nobody's way.
  const name = `${fingerprint}-${newest.seal}-${fingerprintOf(own)}.json`
  await put(archive, `${placeOf(tenantId, record)}${name}`, acceptance)
  return acceptance
}

/** Of the heads that say what the record says: who has a key can sign one of any seal and put it there. */
async function newestSignedWith(
  { database, archive }: Omit<AcceptingPlaces, 'key'>,
  tenantId: number,
  { record, fingerprint }: { readonly record: string; readonly fingerprint: string },
): Promise<SignedHead | undefined> {
  const heads: HeadKey[] = []
  for await (const head of headKeys(archive, tenantId)) if (head.record === record) heads.push(head)
  const newestFirst = heads.toReversed()
  for (let from = 0; from < newestFirst.length; from += readAtOnce) {
    const some = newestFirst.slice(from, from + readAtOnce)
    for (const found of await Promise.all(some.map((head) => readHead(archive, tenantId, head)))) {
      if (found === undefined || fingerprintOf(found.key) !== fingerprint) continue
      const [seal] = await database.run((sql) => readSeals(sql, tenantId, { after: found.seal - 1, limit: 1 }))
      if (seal?.number === found.seal && seal.hash === found.hash) return found
    }
  }
  return undefined
}

async function put(archive: ArchiveStore, place: string, acceptance: KeyAcceptance): Promise<void> {
  try {
    await archive.put(place, Buffer.from(JSON.stringify(acceptance)))
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error
    throw new UnavailableError(`Cannot accept the key as ${place} in the archive holds something else`, {
      remedy: 'Remove it, and accept the key again',
      cause: error,
    })
  }
}
