import { Archiver } from '../archive/archiver.ts'
import { holdPayloads, type HeldPayloads } from '../capture/held-payloads.ts'
import { loadPayload, placePayload } from '../capture/large-payload.ts'
import { BrokenSeal } from '../crypto/aead.ts'
import type { RowSeal, SealPlace } from '../crypto/row-seal.ts'
import { UnavailableError } from '../errors.ts'
import type { Log } from '../log.ts'
import { isPayloadUsed } from '../store/erasure/erased-elsewhere.ts'
import {
  forgetArchived,
  lockSession,
  readFormerMade,
  readFormerMessages,
  readPayloadLocations,
  readSessionKeyState,
  storeMade,
  storeResealed,
  switchSession,
  type FormerMessage,
  type ResealedMessage,
} from '../store/keys/resealed-rows.ts'
import { readMessages, type MessageRow, type SessionKey } from '../store/messages.ts'
import { openedReason } from '../store/rights/reasons.ts'
import { storedBytes, storedHash } from '../store/saving/describe-save.ts'
import { inTransaction } from '../store/transaction.ts'
import { renameMessages } from './rename-messages.ts'
import type { KeyStores } from './rotate-root-key.ts'

export interface ResealStores extends KeyStores {
  readonly log: Log
}

/** From which version of its key to which a session goes; 0, without a seal, is what is not encrypted. */
export interface Reseal {
  readonly from: number
  readonly version: number
  readonly seal: RowSeal | undefined
}

export interface Resealed {
  readonly messages: number
  /** Objects that the archive does not let go. */
  readonly kept: readonly string[]
}

const messagesAtOnce = 200
const bytesAtOnce = 4 * 1024 * 1024

/**
 * Puts all that is stored of a session under another version of its key: what is saved from now on first, then its messages from
 * the newest to the oldest, and its archive. It is read meanwhile as ever: each row says which version it is under. Killed and
 * called again, it goes on.
 */
export async function resealSession(stores: ResealStores, key: SessionKey, reseal: Reseal): Promise<Resealed> {
  const { database, archive } = stores
  await switchTo(stores, key, reseal)
  // Again where it went on: the archive may hold what was archived before.
  await database.run((sql) => inTransaction(sql, (own) => forgetArchived(own, key)))
  const { kept } = await archive.erase(`${key.tenantId}/${key.sessionId}/`)
  const messages = await resealMessages(stores, key, reseal)
  await resealMade(stores, key, reseal)
  await new Archiver(stores).archiveSession(key)
  return { messages, kept }
}

/** Nothing where it is under the new version already. */
async function switchTo({ database }: ResealStores, key: SessionKey, { from, version, seal }: Reseal): Promise<void> {
  const { tenantId, sessionId } = key
  if (from === version) return
  const state = await database.run((sql) => readSessionKeyState(sql, key))
  const versions = [from, ...(state?.live ?? [])].map((one) => ({ sessionId, version: one }))
  const seals = await database.vault.sealsOf(tenantId, versions)
  const former = seals(sessionId, from)
  const again = (field: SealPlace['field'], bytes: Uint8Array | null) =>
    bytes === null ? null : sealedAnew({ field, id: sessionId }, bytes, { from, former, seal })
  await database.run((sql) =>
    inTransaction(sql, async (own) => {
      const stored = await lockSession(own, key, from)
      if (stored === undefined) return
      const [title, metadata] = [again('title', stored.title), again('session metadata', stored.metadata)]
      await switchSession(own, key, { title, metadata, version })
      // Another version of a key masks hashes as the one before does.
      const renaming = { from: former, to: seal, sealOf: (one: number) => seals(sessionId, one) }
      if (from === 0 || version === 0) await renameMessages(own, key, renaming)
    }),
  )
  database.vault.forget(tenantId, sessionId)
}

/** Removes the large payloads of a session that are under other versions of its key: by their names, as who put the new ones may have died. */
export async function removeFormerPayloads(
  { database, archive }: ResealStores,
  key: SessionKey,
  others: readonly number[],
): Promise<void> {
  for (const location of await database.run((sql) => readPayloadLocations(sql, key)))
    for (const version of others) {
      const former = location.replace(/\.k\d+$/, `.k${version}`)
      if (!(await database.run((sql) => isPayloadUsed(sql, former)))) await archive.delete(former)
    }
}

async function resealMessages(stores: ResealStores, key: SessionKey, reseal: Reseal): Promise<number> {
  const { database, archive } = stores
  const { version } = reseal
  let count = 0
  let before = Number.MAX_SAFE_INTEGER
  for (;;) {
    const page = { version, before, limit: messagesAtOnce }
    const heads = fitting(await database.run((sql) => readFormerMessages(sql, key, page)))
    const [last, first] = [heads[0], heads.at(-1)]
    if (first === undefined || last === undefined) {
      // What a sync has put further back meanwhile was passed over.
      if (before === Number.MAX_SAFE_INTEGER) return count
      before = Number.MAX_SAFE_INTEGER
      continue
    }
    const versions = new Map(heads.map((head) => [head.seq, head.version]))
    const range = { fromSeq: first.seq, toSeq: last.seq, limit: last.seq - first.seq + 1 }
    const messages: ResealedMessage[] = []
    const given: HeldPayloads['given'][number][] = []
    for (const row of await readMessages(database, key, range)) {
      const formerly = versions.get(row.seq)
      if (formerly === undefined) continue
      const bytes = await readAnew(stores, row)
      if (row.payloadLocation !== null) given.push({ sha256: row.payloadSha256, payload: { bytes } })
      messages.push(await resealed(stores, { row, bytes }, { seal: reseal.seal, formerly }))
    }
    await database.run((sql) =>
      inTransaction(sql, async (own) => {
        await holdPayloads(own, { archive, given, seal: reseal.seal })
        await storeResealed(own, key, { messages, version })
      }),
    )
    count += messages.length
    before = first.seq
  }
}

/** As many as fit into memory; at least one. */
function fitting(heads: readonly FormerMessage[]): readonly FormerMessage[] {
  let bytes = 0
  const end = heads.findIndex(({ sizeBytes }, index) => (bytes += sizeBytes) > bytesAtOnce && index > 0)
  return end === -1 ? heads : heads.slice(0, end)
}

async function readAnew({ archive }: ResealStores, row: MessageRow): Promise<Uint8Array> {
  if (row.damage !== undefined) throw broken(`message "${row.id}"`)
  return await loadPayload(archive, row)
}

async function resealed(
  { archive }: ResealStores,
  { row, bytes }: { readonly row: MessageRow; readonly bytes: Uint8Array },
  { seal, formerly }: { readonly seal: RowSeal | undefined; readonly formerly: number },
): Promise<ResealedMessage> {
  const { id, payloadSha256: sha256 } = row
  const { payload } =
    row.payloadLocation === null
      ? { payload: { bytes } }
      : await placePayload(archive, { sha256, payload: { bytes } }, seal)
  const stored = storedBytes(
    {
      id,
      payload,
      ...(row.text === null ? {} : { text: row.text }),
      ...(row.metadata === null ? {} : { metadata: row.metadata }),
    },
    seal,
  )
  const location = 'location' in payload ? payload.location : undefined
  return { id, formerly, ...stored, location, sha256: storedHash({ sha256 }, seal) }
}

/** What is made of a session, or kept for it: in which table it is, and as what it is sealed. */
const made = [
  { table: 'summaries', field: 'summary' },
  { table: 'facts', field: 'fact' },
  { table: 'message_names', field: 'names' },
  { table: 'session_heads', field: 'session head' },
  { table: 'reasons', field: 'reason' },
] as const

/**
 * Puts the summaries, the facts and the names of a session, what was said of it elsewhere, and the reasons that were given for it, under
 * another version of its key. Reasons that cannot be opened stay as they are, as does their key: nothing else waits for them. How many.
 */
export async function resealMade(
  { database }: ResealStores,
  key: SessionKey,
  { version, seal }: Reseal,
): Promise<number> {
  const { tenantId, sessionId } = key
  let unreadable = 0
  for (const { table, field } of made) {
    const rows = await database.run((sql) => readFormerMade(sql, key, { table, version }))
    const seals = await database.vault.sealsOf(
      tenantId,
      rows.map((row) => ({ sessionId, version: row.version })),
    )
    for (const formerly of rows) {
      const { id, body, version: from } = formerly
      const former = seals(sessionId, from)
      if (table === 'reasons' && from > 0 && openedReason(former, formerly) === undefined) {
        unreadable++
        continue
      }
      const again = sealedAnew({ field, id }, body, { from, former, seal })
      await database.run((sql) => storeMade(sql, tenantId, { table, id, body: again, version, formerly }))
    }
  }
  return unreadable
}

/** A value that is under one seal, under another. */
function sealedAnew(
  place: SealPlace,
  bytes: Uint8Array,
  { from, former, seal }: { readonly from: number; readonly former: RowSeal | undefined } & Pick<Reseal, 'seal'>,
): Uint8Array {
  const plain = from === 0 ? bytes : opened(former, place, bytes)
  return seal === undefined ? plain : seal.seal(place, plain)
}

function opened(seal: RowSeal | undefined, place: SealPlace, bytes: Uint8Array): Uint8Array {
  if (seal === undefined) throw broken(`the ${place.field} of "${place.id}"`)
  try {
    return seal.open(place, bytes)
  } catch (error) {
    if (error instanceof BrokenSeal) throw broken(`the ${place.field} of "${place.id}"`)
    throw error
  }
}

function broken(what: string): UnavailableError {
  return new UnavailableError(`Cannot seal ${what} anew as it was altered or its key is missing`, {
    remedy: 'Run "verbatim verify", restore what it names from a backup, and run this again: it goes on',
  })
}
