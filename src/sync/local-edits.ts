import type { RowSeal } from '../crypto/row-seal.ts'
import { UnavailableError } from '../errors.ts'
import { queueArchive } from '../store/archive/archive-queue.ts'
import {
  insertSummaryRecords,
  readSessionRecord,
  readSummaryRecords,
  type SessionRecord,
  type SummaryRecord,
} from '../store/archive/archived-session.ts'
import { writeAudit } from '../store/audit/audit-log.ts'
import { eraseReturned } from '../store/erasure/erase-returned.ts'
import type { SessionKey } from '../store/messages.ts'
import type { Transaction } from '../store/rows.ts'
import { lockArrivals } from '../store/sync/lock-arrivals.ts'
import {
  readHeadText,
  removeSummaries,
  saveHeadText,
  sayOfSession,
  type SaidOfSession,
} from '../store/sync/session-heads.ts'
import { lockHead } from '../store/sync/synced-session.ts'
import { inTransaction } from '../store/transaction.ts'
import { embedAgain } from '../store/vectors/embed-again.ts'
import type { LocalStore } from './local-store.ts'
import type { Answered } from './peer.ts'
import {
  mayQuote,
  mergeEdits,
  noEdits,
  noteEdits,
  saidBy,
  sessionEditsSchema,
  type SessionEdits,
} from './session-edits.ts'

/** What is said of a session is read, and written with it: it may have been changed in between, by saves too. */
const attemptsMax = 20

/** What was said of a session here, and wherever it was exchanged with; it is noted from then on. */
export async function readEdits(store: LocalStore, key: SessionKey, storeId: string): Promise<Answered<'edits'>> {
  const edits = (await take(store, key, { edits: noEdits, storeId }))?.edits
  return edits === undefined ? { ...noEdits, is_missing: true } : { ...edits, is_missing: false }
}

/** Takes in what was said elsewhere; the newest of each holds from then on. Says whether that changed what is said here. */
export async function addEdits(
  store: LocalStore,
  key: SessionKey,
  theirs: { readonly edits: SessionEdits; readonly storeId: string },
): Promise<boolean> {
  const taken = await take(store, key, theirs)
  if (taken?.hasChanged !== true) return false
  if (taken.erasureId !== undefined) await store.erasures.goOn(taken.erasureId)
  store.database.announce?.(key)
  return true
}

interface Taken {
  readonly edits: SessionEdits
  readonly hasChanged: boolean
  /** Of what a hold had kept that was released by this. */
  readonly erasureId?: string | undefined
}

/** What is to be said from now on of a session, and was not before. */
interface News {
  readonly said: SaidOfSession
  readonly summaries: readonly SummaryRecord[]
  /** Ids of those from before messages were erased at another store, as is new here. */
  readonly gone: readonly string[]
}

function newsOf(
  edits: SessionEdits,
  {
    record,
    summaries,
    erasedAt = 0,
  }: {
    readonly record: SessionRecord
    readonly summaries: readonly SummaryRecord[]
    readonly erasedAt: number | undefined
  },
): News | undefined {
  const known = new Set(summaries.map(({ id }) => id))
  const before: Readonly<Record<string, unknown>> = record
  const said = Object.entries(saidBy(edits)).filter(
    ([field, value]) => JSON.stringify(value) !== JSON.stringify(before[field]),
  )
  const missing = edits.summaries.filter(({ id }) => !known.has(id))
  const isNews = (edits.erased_at ?? 0) > erasedAt
  const gone = isNews ? summaries.filter((one) => mayQuote(one, edits)).map(({ id }) => id) : []
  if (said.length === 0 && missing.length === 0 && gone.length === 0) return undefined
  return { said: Object.fromEntries(said), summaries: missing, gone }
}

/** Undefined where there is no such session. */
async function take(
  store: LocalStore,
  key: SessionKey,
  theirs: { readonly edits: SessionEdits; readonly storeId: string },
): Promise<Taken | undefined> {
  const { database } = store
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    const record = await readSessionRecord(database, key, 'sync')
    if (record === undefined) return undefined
    const seal = await database.vault.sealOf(key.tenantId, key.sessionId, 'sync')
    const text = await readHeadText(database, key)
    const known = text === undefined ? undefined : sessionEditsSchema.parse(JSON.parse(text))
    const written = await readSummaryRecords(database, key)
    const summaries = written.filter(({ made_by: madeBy }) => madeBy === 'host')
    const ours = noteEdits(known, { record, summaries }, { storeId: theirs.storeId, now: Date.now() })
    const edits = mergeEdits(ours, theirs.edits)
    const news = newsOf(edits, { record, summaries, erasedAt: known?.erased_at })
    const taken: Taken = { edits, hasChanged: news !== undefined }
    const newText = JSON.stringify(edits)
    if (newText === text && news === undefined) return taken
    const isReleased = news?.said.legal_hold === false
    let erasureId: string | undefined
    const isDone = await database.run((sql) =>
      inTransaction(sql, async (own) => {
        // Before the session, as all who store what comes from elsewhere.
        if (isReleased) await lockArrivals(own, key.tenantId, 'exclusive')
        const head = await lockHead(own, key)
        if (head?.version !== record.version || head.keyVersion !== (seal?.version ?? 0)) return false
        await saveHeadText(own, key, { text: newText, seal })
        if (news !== undefined) await say(own, store, { key, record, news, seal })
        // What was erased elsewhere meanwhile was kept here until now.
        erasureId = isReleased ? await eraseReturned(own, store.caller, { only: key.sessionId }) : undefined
        return true
      }),
    )
    if (isDone) return { ...taken, erasureId }
    database.vault.forget(key.tenantId, key.sessionId)
  }
  throw new UnavailableError(`Cannot exchange what is said of session "${key.sessionId}" as it changes all the time`, {
    remedy: 'Run the sync again',
  })
}

async function say(
  sql: Transaction,
  { caller }: LocalStore,
  {
    key,
    record,
    news,
    seal,
  }: {
    readonly key: SessionKey
    readonly record: SessionRecord
    readonly news: News
    readonly seal: RowSeal | undefined
  },
): Promise<void> {
  await sayOfSession(sql, key, { said: news.said, seal })
  if (news.gone.length > 0) await removeSummaries(sql, key, news.gone)
  await insertSummaryRecords(sql, key, { summaries: news.summaries, seal })
  // What was saved while it was restricted has no vector.
  if (news.said.restricted === false)
    await embedAgain(sql, key.tenantId, [{ id: key.sessionId, lastSeq: record.last_seq }])
  await queueArchive(sql, [key], 0)
  await writeAudit(sql, caller, {
    action: 'session.update',
    objectKind: 'session',
    objectId: key.sessionId,
    outcome: 'ok',
    reason: 'sync',
  })
  if (news.said.legal_hold === undefined) return
  // As is read where it is asked who holds a session: who has brought it, when, and that the reason is elsewhere.
  await writeAudit(sql, caller, {
    action: news.said.legal_hold ? 'session.hold' : 'session.release',
    objectKind: 'session',
    objectId: key.sessionId,
    outcome: 'ok',
    reason: 'by sync',
  })
}
