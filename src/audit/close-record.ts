import { createHash, type KeyObject } from 'node:crypto'

import { z } from 'zod'

import { ConflictError, InputError, NotFoundError, UnavailableError } from '../errors.ts'
import type { Caller } from '../model/access.ts'
import type { ArchiveStore } from '../ports/archive-store.ts'
import { readSeals } from '../store/audit/audit-seals.ts'
import type { Database } from '../store/database.ts'
import { auditFor } from '../store/rights/audit-for.ts'
import { headKeys, isSignedBy, nameOfHash, publicKeyOf, signed } from './signed-head.ts'

const closingSchema = z.object({
  version: z.literal(1),
  tenant: z.number().int(),
  /** As the record stands in the names of its heads. */
  record: z.string().regex(/^[0-9a-f]{32}$/),
  /** ISO 8601. */
  closed_at: z.iso.datetime(),
  /** An Ed25519 public key (SPKI, DER) and its signature, in base64. */
  key: z.string(),
  signature: z.string(),
})

/** That somebody who has the key knows that a record ended, and went on with another one: signed, and kept beside its heads. */
export type Closing = z.infer<typeof closingSchema>
type ClosingClaim = Omit<Closing, 'key' | 'signature'>

const keyDigits = 16

function bytesOf({ version, tenant, record, closed_at: at }: ClosingClaim): Buffer {
  return Buffer.from(JSON.stringify(['verbatim audit record closed', version, tenant, record, at]))
}

/** Each key has one of its own: one that somebody else puts there is in nobody's way. */
function placeOf(tenantId: number, record: string, publicKey: string): string {
  const name = createHash('sha256').update(publicKey).digest('hex').slice(0, keyDigits)
  return `audit/${tenantId}/${record}/closed-${name}.json`
}

/** The closing of a record by who has a key; undefined where there is none, or what is there was not signed with it. */
export async function readClosing(
  archive: ArchiveStore,
  tenantId: number,
  { record, key }: { readonly record: string; readonly key: string },
): Promise<Closing | undefined> {
  const bytes = await archive.get(placeOf(tenantId, record, key))
  if (bytes === undefined) return undefined
  let closing: Closing
  try {
    closing = closingSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')))
  } catch {
    // What says nothing closes nothing: whoever verifies is told of the record then.
    return undefined
  }
  const isOfRecord = closing.tenant === tenantId && closing.record === record && closing.key === key
  return isOfRecord && isSignedBy(closing, bytesOf(closing)) ? closing : undefined
}

export interface RecordToClose {
  /** The 32 hexadecimal digits that the record has in the archive. */
  readonly record: string
  /** Kept beside the record that there is now. */
  readonly reason: string
}

interface ClosingPlaces {
  readonly database: Pick<Database, 'run' | 'vault'>
  readonly archive: ArchiveStore
  /** The key that heads are signed with. */
  readonly key: KeyObject
}

/**
 * Says of a record in the archive, which is not the one in the database, that it is known to have ended. Throws NotFoundError where
 * the archive has no heads of it, InputError where it is the one that goes on.
 */
export async function closeRecord(
  { database, archive, key }: ClosingPlaces,
  caller: Caller,
  { record, reason }: RecordToClose,
): Promise<Closing> {
  const { tenantId } = caller
  if (!(await hasHeads(archive, tenantId, record)))
    throw new NotFoundError(`Cannot close the record "${record}" as the archive has no signed heads of it`, {
      remedy: 'Take the 32 digits that "audit verify" names',
    })
  const [first] = await database.run((sql) => readSeals(sql, tenantId, { after: 0, limit: 1 }))
  if (first !== undefined && nameOfHash(first.hash) === record)
    throw new InputError(`Cannot close the record "${record}" as it is the one that goes on in this database`, {
      remedy: 'Only one that is not here any more can be closed',
    })
  const publicKey = publicKeyOf(key)
  const before = await readClosing(archive, tenantId, { record, key: publicKey })
  if (before !== undefined) return before
  await auditFor(database, caller, {
    words: reason,
    event: {
      action: 'audit.close',
      objectKind: 'record',
      objectId: record,
      outcome: 'ok',
    },
  })
  const claim: ClosingClaim = { version: 1, tenant: tenantId, record, closed_at: new Date().toISOString() }
  const closing: Closing = { ...claim, ...signed(key, bytesOf(claim)) }
  await put(archive, placeOf(tenantId, record, publicKey), closing)
  return closing
}

async function put(archive: ArchiveStore, place: string, closing: Closing): Promise<void> {
  try {
    await archive.put(place, Buffer.from(JSON.stringify(closing)))
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error
    throw new UnavailableError(`Cannot close the record as ${place} in the archive holds something else`, {
      remedy: 'Remove it, and close the record again',
      cause: error,
    })
  }
}

async function hasHeads(archive: ArchiveStore, tenantId: number, record: string): Promise<boolean> {
  for await (const head of headKeys(archive, tenantId)) if (head.record === record) return true
  return false
}
