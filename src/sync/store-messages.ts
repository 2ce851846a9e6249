import { idUnderHash } from '../capture/documents/entry-fields.ts'
import { renumberedLayout } from '../capture/documents/file-layout.ts'
import { holdPayloads, leavingLatePuts, removeOrLeaveUnused } from '../capture/held-payloads.ts'
import { placePayload } from '../capture/large-payload.ts'
import type { RowSeal } from '../crypto/row-seal.ts'
import { InputError, UnavailableError } from '../errors.ts'
import { newId } from '../model/ids.ts'
import { sha256 } from '../model/messages/payload.ts'
import type { ArchiveStore } from '../ports/archive-store.ts'
import { keepClosed } from '../store/access/session-access.ts'
import { queueArchive } from '../store/archive/archive-queue.ts'
import { emptied } from '../store/archive/archived-messages.ts'
import { writeAudit } from '../store/audit/audit-log.ts'
import { addArchiveRewrite } from '../store/erasure/erasure-work.ts'
import { erasuresOfIds } from '../store/erasure/known-tombstones.ts'
import { addWorkAnew } from '../store/erasure/work-anew.ts'
import { forgetArchived } from '../store/keys/resealed-rows.ts'
import type { SessionKey } from '../store/messages.ts'
import type { Transaction } from '../store/rows.ts'
import { mayBegin } from '../store/saving/may-begin.ts'
import { sessionVersions } from '../store/sessions.ts'
import { refusalByName } from '../store/sync/erased-names.ts'
import { lockArrivals } from '../store/sync/lock-arrivals.ts'
import { placeMessages, type SyncedMessage } from '../store/sync/place-messages.ts'
import { replaceMessages } from '../store/sync/replace-messages.ts'
import { rewriteLayouts, UnknownFileKey } from '../store/sync/rewrite-layouts.ts'
import { countErasing } from '../store/sync/shared-erasures.ts'
import {
  adoptTotals,
  insertSyncedSession,
  isLinear,
  lockHead,
  noteExchanged,
  recountSession,
  setLast,
} from '../store/sync/synced-session.ts'
import { inTransaction } from '../store/transaction.ts'
import { indexTopic } from '../store/work/outbox.ts'
import { canonicalOrder } from './canonical-order.ts'
import type { LocalStore } from './local-store.ts'
import type { Answered, Asked } from './peer.ts'

/** While it is written to, a session may be given a new key; again and again is unheard of. */
const attemptsMax = 5

type Written = Answered<'write'>

const nothing = { inserted: 0, moved: 0 }

/**
 * Stores messages that another store has, and makes their session where it is not there: all of them or none, and again with the same effect.
 * What was erased here does not come back.
 */
export async function storeFromOther(
  store: LocalStore,
  asked: Asked<'write'>,
  messages: readonly SyncedMessage[],
): Promise<Written> {
  const { database, archive, caller } = store
  const key = { tenantId: caller.tenantId, sessionId: asked.session }
  if (asked.record.id !== key.sessionId) throw unlike('they are of another session than it is said')
  for (const message of messages) checkBytes(message)
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    const isThere = await database.run(async (sql) => (await sessionVersions(sql, key, [key.sessionId])).size > 0)
    const seal = isThere
      ? await database.vault.sealOf(key.tenantId, key.sessionId, 'sync')
      : await database.vault.sealOfNew(key.tenantId, key.sessionId)
    const fileSeals = isThere ? await fileSealsOf(store) : () => undefined
    const placed: SyncedMessage[] = []
    const given = messages.flatMap(withBytes)
    let written: Written | undefined
    try {
      written = await leavingLatePuts({ database, key }, { given, seal }, async () => {
        for (const message of messages) placed.push(await inItsPlace(archive, message, seal))
        return await database.run((sql) =>
          inTransaction(sql, async (own) => {
            await holdPayloads(own, { archive, given, seal })
            return await write(own, store, { key, asked, messages: placed, seal, fileSeals })
          }),
        )
      })
    } catch (error) {
      // Why nothing was stored is what is to be told.
      await Promise.allSettled([removeUnstored(store, key, placed)])
      if (!(error instanceof UnknownFileKey)) throw error
      continue
    }
    // What was erased here, or is known with another text, is not stored.
    await removeUnstored(store, key, placed)
    if (written !== undefined) {
      database.announce?.(key)
      return written
    }
    database.vault.forget(key.tenantId, key.sessionId)
  }
  throw new UnavailableError(`Cannot store messages of session "${key.sessionId}" as its keys are being changed`, {
    remedy: 'Run the sync again',
  })
}

function withBytes({ record, payload }: SyncedMessage) {
  return payload === null ? [] : [{ sha256: Buffer.from(record.payload_sha256, 'hex'), payload: { bytes: payload } }]
}

/** Removes what was put into the archive for messages and no message uses. */
async function removeUnstored(store: LocalStore, key: SessionKey, placed: readonly SyncedMessage[]): Promise<void> {
  await removeOrLeaveUnused(
    store,
    key,
    placed.flatMap(({ record }) => record.payload_location ?? []),
  )
}

function unlike(why: string): InputError {
  return new InputError(`Cannot store messages of another store as ${why}`, {
    remedy: 'Let both stores run the same version, and run "verbatim verify" where they come from',
  })
}

function checkBytes({ record, payload }: SyncedMessage): void {
  // Where bytes are in an archive is for its own store to say.
  if (record.payload_location !== undefined) throw unlike(`message "${record.id}" comes without its bytes`)
  if (payload === null || sha256(payload).toString('hex') !== record.payload_sha256)
    throw unlike(`the bytes of message "${record.id}" do not match their SHA-256`)
}

/** Of those that were erased here their places alone are stored. */
async function withoutErased(
  sql: Transaction,
  { tenantId }: SessionKey,
  messages: readonly SyncedMessage[],
): Promise<readonly SyncedMessage[]> {
  const ids = messages.map(({ record }) => record.id)
  const erased = await erasuresOfIds(sql, tenantId, { kind: 'message', ids })
  const anonymised = await erasuresOfIds(sql, tenantId, { kind: 'anonymised', ids })
  return messages.map((message) => {
    const { id, kind, anonymized_at: anonymizedAt } = message.record
    if (kind === 'erased') return message
    if (erased.has(id)) return emptied(message)
    if (!anonymised.has(id) || anonymizedAt !== undefined) return message
    throw new UnavailableError(
      `Cannot store message "${id}" as it was anonymised here, and not yet where it comes from`,
      {
        remedy: 'Run the sync again when that is done there',
      },
    )
  })
}

async function inItsPlace(
  archive: ArchiveStore,
  message: SyncedMessage,
  seal: RowSeal | undefined,
): Promise<SyncedMessage> {
  const { record: sent, payload } = message
  if (payload === null) return message
  const hash = Buffer.from(sent.payload_sha256, 'hex')
  const { external_id: id } = sent
  const ownId = id === undefined || seal === undefined ? id : idUnderHash(id, { from: hash, to: seal.mask(hash) })
  const record = { ...sent, external_id: ownId }
  const { payload: placed } = await placePayload(archive, { sha256: hash, payload: { bytes: payload } }, seal)
  if ('bytes' in placed) return { ...message, record }
  return { ...message, record: { ...record, payload_location: placed.location }, payload: null }
}

interface Writing {
  readonly key: SessionKey
  readonly asked: Asked<'write'>
  readonly messages: readonly SyncedMessage[]
  readonly seal: RowSeal | undefined
  /** Of imported documents, by the versions of their key. */
  readonly fileSeals: (version: number) => RowSeal | undefined
}

/** Asked for before anything is locked, as no other connection may be waited for then. */
async function fileSealsOf({ database, caller }: LocalStore): Promise<Writing['fileSeals']> {
  return await database.vault.sealsOfTenant(caller.tenantId, [1])
}

/** Undefined where the session is under another key by now than the messages are. */
async function write(sql: Transaction, store: LocalStore, writing: Writing): Promise<Written | undefined> {
  const { key, asked, seal, fileSeals } = writing
  await lockArrivals(sql, key.tenantId, 'shared')
  const there = await lockHead(sql, key)
  // After it is locked: whoever has erased it meanwhile is done.
  const erasures = await erasuresOfIds(sql, key.tenantId, { kind: 'session', ids: [key.sessionId] })
  if (erasures.size > 0) return { ...nothing, refused: 'erased' }
  const refused = there === undefined ? await refusalByName(sql, key.tenantId, asked.record) : undefined
  if (refused !== undefined) return { ...nothing, refused }
  const begun = there === undefined ? await begin(sql, writing) : undefined
  const head = there ?? begun?.head
  if (head === undefined || head.keyVersion !== (seal?.version ?? 0)) return undefined
  // What is to be erased is known by its number.
  if ((await countErasing(sql, key.tenantId, key.sessionId)) > 0) return { ...nothing, refused: 'pending' }
  const messages = await withoutErased(sql, key, writing.messages)
  const placed = await placeMessages(sql, key, { messages, seal, order: canonicalOrder })
  const { numbers } = placed
  const rewrite = (layout: Uint8Array) => renumberedLayout(layout, { sessionId: key.sessionId, numbers })
  if (numbers.size > 0) await rewriteLayouts(sql, key, { seals: fileSeals, rewrite })
  const known = messages.filter(({ record }) => placed.known.has(record.id))
  const replaced = await replaceMessages(sql, key, { messages: known, seal })
  const lastSeq = head.lastSeq + placed.inserted
  await setLast(sql, key, placed.inserted)
  if (asked.is_last || replaced.firstChanged !== undefined) await recountSession(sql, key)
  if (asked.is_last) {
    const isSame = asked.adopts && lastSeq === asked.record.last_seq
    if (isSame && (await isLinear(sql, key))) await adoptTotals(sql, key, asked.record)
  }
  const isOther = numbers.size > 0 || placed.renamed > 0 || replaced.firstChanged !== undefined
  if (isOther) await leaveArchive(sql, { key, payloads: replaced.payloads })
  await noteExchanged(sql, key, { record: asked.record, isOther })
  const firstSeq = Math.min(placed.firstChanged ?? lastSeq + 1, replaced.firstChanged ?? lastSeq + 1)
  if (firstSeq <= lastSeq) await addWorkAnew(sql, indexTopic, [{ ...key, firstSeq, lastSeq }])
  await queueArchive(sql, [key], 0)
  await writeAudit(sql, store.caller, {
    action: 'session.sync',
    objectKind: 'session',
    objectId: key.sessionId,
    outcome: 'ok',
    count: placed.inserted,
  })
  const isNamesake = begun?.isNamesake ?? false
  return { inserted: placed.inserted, moved: numbers.size, filled: replaced.filled, is_namesake: isNamesake }
}

async function begin(sql: Transaction, { key, asked, seal }: Writing) {
  const session = { id: key.sessionId, source: asked.record.source, create: true }
  const [row] = await sql<{ may: boolean }[]>`select ${mayBegin(sql, { tenantId: key.tenantId, session, seal })} as may`
  if (row?.may !== true) return undefined
  const isNamesake = await insertSyncedSession(sql, key.tenantId, { record: asked.record, seal })
  if (asked.is_closed) await keepClosed(sql, key)
  return { head: await lockHead(sql, key), isNamesake }
}

/** What the archive has of the session is of other messages, or in another order: it goes, and is written anew. */
async function leaveArchive(
  sql: Transaction,
  { key, payloads }: { readonly key: SessionKey; readonly payloads: readonly string[] },
): Promise<void> {
  await forgetArchived(sql, key)
  // It is no erasure that anybody asked for, and has no receipt.
  const erasure = { tenantId: key.tenantId, id: newId() }
  await addArchiveRewrite(sql, erasure, { sessionId: key.sessionId, payloads })
}
