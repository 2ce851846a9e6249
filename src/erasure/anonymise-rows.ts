import { isDeepStrictEqual } from 'node:util'

import { holdPayloads, type HeldPayloads } from '../capture/held-payloads.ts'
import { loadPayload, placePayload } from '../capture/large-payload.ts'
import { BrokenSeal } from '../crypto/aead.ts'
import type { RowSeal, SealPlace } from '../crypto/row-seal.ts'
import { limits } from '../limits.ts'
import { sha256 } from '../model/messages/payload.ts'
import { idMark, namesMark } from '../model/messages/tombstone.ts'
import type { FoundName } from '../model/names.ts'
import type { ArchiveStore } from '../ports/archive-store.ts'
import type { Anonymiser } from '../sessions/anonymiser.ts'
import type { Database } from '../store/database.ts'
import {
  anonymisePiece,
  readNames,
  type AnonymisedMessage,
  type NamesOfSession,
} from '../store/erasure/anonymise-messages.ts'
import { readEntryMemory, rememberEntries, type EntryMemory } from '../store/erasure/entry-marks.ts'
import { payloadLocations, type LockedSession } from '../store/erasure/erase-rows.ts'
import {
  cleanSession,
  noteErasedHead,
  noteErasedMessages,
  type AnonymisedHead,
} from '../store/erasure/erase-session.ts'
import type { Stretch } from '../store/erasure/erasure-plan.ts'
import type { ErasureDetails, ErasureItem } from '../store/erasure/erasure-work.ts'
import { findHead, isSameHead, type FoundHead } from '../store/erasure/lasting-head.ts'
import type { Piece } from '../store/erasure/piece.ts'
import { addToReceipt } from '../store/erasure/receipts.ts'
import { addTombstones } from '../store/erasure/tombstones.ts'
import type { MessageRow } from '../store/messages.ts'
import { eraseAnonymisedNames, readSessionNames } from '../store/names/message-names.ts'
import { pagedMessages } from '../store/page-messages.ts'
import type { Transaction } from '../store/rows.ts'
import { storedBytes, storedHash } from '../store/saving/describe-save.ts'
import { progressOf } from './erase-rows.ts'
import { nextPiece } from './erasure-pieces.ts'
import { receiptOf, takeStep } from './take-step.ts'

export interface AnonymiseDependencies {
  readonly database: Database
  readonly archive: ArchiveStore
}

/** Some messages of a session as they are to be stored: made before the transaction that does it, as it takes its time. */
interface Prepared {
  /** What was left to do when it was begun. */
  readonly stretches: readonly Stretch[]
  /** Undefined where no messages are left. */
  readonly piece: Piece | undefined
  readonly rest: readonly Stretch[]
  readonly messages: readonly AnonymisedMessage[]
  readonly held: HeldPayloads
  readonly anonymiser: Anonymiser
  /** Whether names were looked for that a model has found. */
  readonly hasFound: boolean
  readonly seal: RowSeal | undefined
  readonly memory: EntryMemory | undefined
  readonly head: FoundHead
}

/**
 * Writes the messages of one piece of work anew without personal data, a bounded number of them a transaction, and gives the item as it
 * is then. It goes on wherever it was interrupted. Undefined where another one has finished it or has it by now. Throws UnavailableError, naming
 * it, where a message cannot be read: it may be readable again, or erased.
 */
export async function anonymiseRows(
  dependencies: AnonymiseDependencies,
  item: ErasureItem,
): Promise<ErasureItem | undefined> {
  // Once: the first part that is written takes names of senders away. The session keeps its own until the last.
  const names = await dependencies.database.run((sql) => readNames(sql, item))
  // They stay until the last part is written.
  const found = await readSessionNames(dependencies.database, item)
  let current: ErasureItem | undefined = item
  while (current !== undefined && !current.details.rowsErased) {
    const prepared = names === undefined ? undefined : await prepare(dependencies, current, { names, found })
    current = await takeStep(dependencies.database, item, (sql, now, session) =>
      storePrepared(sql, now, { session, prepared }),
    )
  }
  return current
}

async function prepare(
  { database, archive }: AnonymiseDependencies,
  { tenantId, sessionId, details }: ErasureItem,
  { names, found }: { readonly names: NamesOfSession; readonly found: readonly FoundName[] },
): Promise<Prepared> {
  const key = { tenantId, sessionId }
  database.vault.forget(tenantId, sessionId)
  const seal = await database.vault.sealOf(tenantId, sessionId, 'anonymise')
  // What looks for personal data is loaded for this alone.
  const { Anonymiser } = await import('../sessions/anonymiser.ts')
  const tokens = details.anonymise?.key
  const anonymiser = new Anonymiser(names, {
    found,
    key: tokens === undefined ? undefined : Buffer.from(tokens, 'hex'),
  })
  const bounds = { lastSeq: names.lastSeq, messagesMax: limits.anonymisedMessagesMax }
  const wanted = nextPiece(details.stretches, bounds)
  const rows = wanted === undefined ? [] : await firstPage(database, key, wanted.piece)
  // Large messages fill a page before the piece ends: the rest is for the next one.
  const upTo = rows.at(-1)?.seq ?? names.lastSeq
  const next = nextPiece(details.stretches, { ...bounds, upTo })
  const messages: AnonymisedMessage[] = []
  const given: HeldPayloads['given'][number][] = []
  for (const row of rows) {
    if (next === undefined || !isToAnonymise(row, next.piece)) continue
    const payload = await loadPayload(archive, row)
    const said = await anonymiser.message({ ...row, payload, mediaType: row.payloadMediaType })
    const own = { ...said, hash: sha256(said.payload) }
    if (own.payload.length > limits.inlinePayloadBytesMax)
      given.push({ sha256: own.hash, payload: { bytes: own.payload } })
    messages.push(await sealed(archive, own, seal))
  }
  const held = { archive, given, seal }
  const { piece, rest = [] } = next ?? {}
  const memory = await readEntryMemory(database, key)
  const head = await findHead(database, key)
  const about = { anonymiser, hasFound: found.length > 0, seal, memory, head }
  return { stretches: details.stretches, piece, rest, messages, held, ...about }
}

async function firstPage(
  database: Database,
  key: { readonly tenantId: number; readonly sessionId: string },
  { first, last }: Piece,
): Promise<readonly MessageRow[]> {
  for await (const rows of pagedMessages(database, key, { fromSeq: first, toSeq: last })) return rows
  return []
}

/** What was anonymised stays as it is, and of what was erased nothing is there. */
function isToAnonymise({ seq, kind, anonymizedAt }: MessageRow, { first, last, only }: Piece): boolean {
  const isChosen = seq >= first && seq <= last && (only === undefined || only.includes(seq))
  return isChosen && kind !== 'erased' && anonymizedAt === null
}

/** A message as its row is to have it. */
async function sealed(
  archive: ArchiveStore,
  said: MessageRow & { readonly payload: Uint8Array; readonly mediaType: string; readonly hash: Uint8Array },
  seal: RowSeal | undefined,
): Promise<AnonymisedMessage> {
  const { id, seq, sender, parentExternalId, toolCallId, mediaType, text, metadata, hash } = said
  const { payload } = await placePayload(archive, { sha256: hash, payload: { bytes: said.payload } }, seal)
  const stored = storedBytes(
    { id, payload, ...(text === null ? {} : { text }), ...(metadata === null ? {} : { metadata }) },
    seal,
  )
  return {
    seq,
    sender,
    parentExternalId,
    toolCallId,
    mediaType,
    sizeBytes: said.payload.length,
    location: 'location' in payload ? payload.location : undefined,
    sha256: storedHash({ sha256: hash }, seal),
    ...stored,
  }
}

/** Nothing where the session has another key by now, or another one has done this part. */
async function storePrepared(
  sql: Transaction,
  item: ErasureItem,
  { session, prepared }: { readonly session: LockedSession; readonly prepared: Prepared | undefined },
): Promise<ErasureDetails | undefined> {
  const { details } = item
  if (prepared === undefined || !isDeepStrictEqual(prepared.stretches, details.stretches)) return undefined
  const { piece, rest, messages, held, anonymiser, hasFound, seal, memory, head } = prepared
  const version = seal?.version ?? 0
  if (session.keyVersion !== version || !(await isSameHead(sql, item, head))) return undefined
  await holdPayloads(sql, held)
  const payloads = new Set(details.payloads)
  if (piece !== undefined) {
    for (const location of await payloadLocations(sql, item, piece)) payloads.add(location)
    if (memory !== undefined) await rememberEntries(sql, item, { piece, memory, erasureId: details.erasure })
    const about = { erasureId: details.erasure, piece, messages, version }
    const { counts, shrunkBytes } = await anonymisePiece(sql, item, about)
    await noteErasedMessages(sql, item, shrunkBytes)
    if (hasFound) await addTombstones(sql, receiptOf(item), [namesMark(item.sessionId)])
    await addToReceipt(sql, receiptOf(item), { erased: counts, replaced: anonymiser.replaced })
  }
  const progress = progressOf(details, { rest, payloads })
  if (rest.length > 0) return progress
  const { counts, files } = await cleanSession(sql, item, await headOf(session, { anonymiser, seal }))
  await noteErasedHead(sql, item, { erasureId: details.erasure, stays: head.stays })
  await eraseAnonymisedNames(sql, item)
  // What an older archive has of imported files that held it is not restored.
  await addTombstones(sql, receiptOf(item), [{ hash: idMark('part', item.sessionId), kind: 'part' }])
  await addToReceipt(sql, receiptOf(item), { erased: counts })
  return { ...progress, files: [...files], rowsErased: true }
}

/** What a session says of itself, without personal data; nothing of what cannot be opened. */
async function headOf(
  { id, title, metadata, tags }: LockedSession,
  { anonymiser, seal }: Pick<Prepared, 'anonymiser' | 'seal'>,
): Promise<AnonymisedHead> {
  const open = (field: SealPlace['field'], bytes: Uint8Array | null) => {
    try {
      if (bytes === null) return null
      return Buffer.from(seal === undefined ? bytes : seal.open({ field, id }, bytes)).toString('utf8')
    } catch (error) {
      if (error instanceof BrokenSeal) return null
      throw error
    }
  }
  const close = (field: SealPlace['field'], text: string | null) => {
    if (text === null) return null
    const bytes = Buffer.from(text, 'utf8')
    return seal === undefined ? bytes : seal.seal({ field, id }, bytes)
  }
  const described = { title: open('title', title), metadata: open('session metadata', metadata), tags }
  const head = await anonymiser.session(described)
  return {
    title: close('title', head.title),
    metadata: close('session metadata', head.metadata),
    tags: head.tags,
  }
}
