import type { RowSeal } from '../crypto/row-seal.ts'
import { UnavailableError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { ArchiveStore, ErasedObjects } from '../ports/archive-store.ts'
import { refuseWhileRestoring } from '../store/archive/restore-state.ts'
import { whyAuditTakesNoRow } from '../store/audit/audit-takes-rows.ts'
import { mayBeOfAuditLog } from '../store/audit/audit-unwritten.ts'
import type { Database } from '../store/database.ts'
import { isPayloadUsed } from '../store/erasure/erased-elsewhere.ts'
import { addPayloadWork } from '../store/erasure/erasure-work.ts'
import { lockPayloads } from '../store/erasure/lock-payloads.ts'
import type { SessionKey } from '../store/messages.ts'
import type { Transaction } from '../store/rows.ts'
import { saveBatch, saveMessages, type SaveRequest, type SaveResult } from '../store/saving/save-messages.ts'
import { inTransaction } from '../store/transaction.ts'
import { askWhileLocked } from './ask-while-locked.ts'
import { payloadLocation, placePayload, type PreparedMessage } from './large-payload.ts'

/** How many payloads the archive is asked about before the database is asked something again, and how many at the same time. */
const heldInLot = 64
const heldAtOnce = 8

/** What has bytes that may be in the archive. */
type WithBytes = Pick<PreparedMessage, 'sha256' | 'payload'>

/** Messages as they were given, and where large ones of them are. */
export interface HeldPayloads {
  readonly archive: ArchiveStore
  readonly given: readonly WithBytes[]
  readonly seal: RowSeal | undefined
}

/**
 * To be called in the transaction that stores messages, before it does: until it ends nobody erases their large payloads, and whoever
 * erased one since it was put for them is done, so that it is put here.
 */
export async function holdPayloads(sql: Transaction, { archive, given, seal }: HeldPayloads): Promise<void> {
  const large = given.filter(isLarge)
  const places = new Map(large.map((message) => [payloadLocation(message.sha256, seal), message]))
  await askOfHeld(sql, [...places.keys()], async (location) => {
    const message = places.get(location)
    if (message !== undefined && !(await isInArchive(archive, location))) await placePayload(archive, message, seal)
  })
}

/** Longer than a request to the archive goes on after whoever waited for it has given up, with all its attempts. */
const latePutMs = 900_000

/**
 * Runs what puts large payloads into the archive and stores the messages of a session that have them. Where the archive does not answer in
 * time, what was sent may be put all the same, later: what no message uses by then is left to be erased.
 */
export async function leavingLatePuts<T>(
  { database, key }: { readonly database: Pick<Database, 'run' | 'unwalled'>; readonly key: SessionKey },
  { given, seal }: Omit<HeldPayloads, 'archive'>,
  store: () => Promise<T>,
): Promise<T> {
  try {
    return await store()
  } catch (error) {
    const locations = given.filter(isLarge).map(({ sha256 }) => payloadLocation(sha256, seal))
    // Why nothing was stored is what is to be told, also where the database is what does not answer.
    if (error instanceof UnavailableError && locations.length > 0)
      await Promise.allSettled([
        (database.unwalled ?? database).run((sql) =>
          addPayloadWork(sql, key, { payloads: locations, afterMs: latePutMs }),
        ),
      ])
    throw error
  }
}

/** Asks something of each of the payloads that nobody erases until the transaction ends. */
export async function askOfHeld(
  sql: Transaction,
  locations: readonly string[],
  ask: (location: string) => Promise<void>,
): Promise<void> {
  for (let next = 0; next < locations.length; next += heldInLot) {
    const lot = locations.slice(next, next + heldInLot)
    // A statement for each lot: a transaction that asks for nothing for long is ended.
    await lockPayloads(sql, lot, 'shared')
    const askNext = async (signal: AbortSignal): Promise<void> => {
      for (let location = lot.pop(); location !== undefined && !signal.aborted; location = lot.pop())
        await ask(location)
    }
    await askWhileLocked((signal) => Promise.all(Array.from({ length: heldAtOnce }, () => askNext(signal))))
  }
}

/**
 * Stores messages of which large ones were put into the archive; in a transaction of its own where there are such. For a viewer where
 * the database is one's.
 */
export async function saveHeld(
  database: Pick<Database, 'kind' | 'run' | 'unwalled' | 'viewer'>,
  held: HeldPayloads,
  request: SaveRequest,
): Promise<SaveResult> {
  const { viewer, unwalled = database } = database
  try {
    return await unwalled.run(async (sql) => {
      if (!held.given.some(isLarge)) return await saveMessages(sql, request, database)
      return await inTransaction(sql, async (transaction) => {
        await holdPayloads(transaction, held)
        return await saveBatch(transaction, request, viewer)
      })
    })
  } catch (error) {
    if (!mayBeOfAuditLog(error)) throw error
    const { tenantId, actor: principal, client } = request
    throw (await whyAuditTakesNoRow(unwalled, { tenantId, principal, client })) ?? error
  }
}

/**
 * Erases a large payload that no message of any tenant uses; undefined, and nothing is erased, where one does. Until the transaction
 * ends nobody begins to use it. Whoever is killed in between has lost nothing that is used. Throws UnavailableError where the archive
 * does not answer soon, and, of one that would be erased, while a restore goes on, as messages that use it may be still to come.
 */
export async function eraseUnused(
  sql: Transaction,
  archive: ArchiveStore,
  location: string,
): Promise<ErasedObjects | undefined> {
  await lockPayloads(sql, [location], 'exclusive')
  if (await isPayloadUsed(sql, location)) return undefined
  await refuseWhileRestoring(sql)
  // A restore may have begun and ended in between.
  if (await isPayloadUsed(sql, location)) return undefined
  return await askWhileLocked((signal) => archive.erase(location, undefined, signal))
}

/** Removes a payload from the archive that was put there for a message which was then not stored. */
export async function removeUnused(
  { database, archive }: { readonly database: Database; readonly archive: ArchiveStore },
  location: string,
): Promise<void> {
  await (database.unwalled ?? database).run((sql) =>
    inTransaction(sql, (transaction) => eraseUnused(transaction, archive, location)),
  )
}

/**
 * Removes payloads from the archive that were put there for messages of a session which were then not stored. Those that cannot be
 * removed now, as a restore has begun or the archive does not answer, are left to be erased later: what became of the messages
 * is what is to be told.
 */
export async function removeOrLeaveUnused(
  { database, archive }: { readonly database: Database; readonly archive: ArchiveStore },
  key: SessionKey,
  locations: readonly string[],
): Promise<void> {
  const left: string[] = []
  for (const location of locations) {
    try {
      await removeUnused({ database, archive }, location)
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error
      left.push(location)
    }
  }
  if (left.length > 0) await (database.unwalled ?? database).run((sql) => addPayloadWork(sql, key, { payloads: left }))
}

function isLarge({ payload }: WithBytes): boolean {
  return payload.bytes.length > limits.inlinePayloadBytesMax
}

export async function isInArchive(archive: ArchiveStore, location: string): Promise<boolean> {
  for await (const name of archive.list(location)) if (name === location) return true
  return false
}
