import type { TransactionSql } from 'postgres'

import type { RowSeal } from '../../crypto/row-seal.ts'
import { ConflictError } from '../../errors.ts'
import { insertArchivedMessages, type ArchivedMessage, type MessageRecord } from '../archive/archived-messages.ts'
import type { SessionKey } from '../messages.ts'
import { restoreCorrections } from '../rights/corrections.ts'
import type { Queries } from '../rows.ts'
import { forgetCorrected, forgetMade } from './forget-made.ts'
import { afterNone, readTail, seqsOf, type StoredLink } from './lineage.ts'

/** A message that came from another store; its record says in `follows_id` after which one it was saved, always. */
export type SyncedMessage = ArchivedMessage

/** In which order messages stand, of which some are stored: see `sync/canonical-order.ts`. */
export type Order = (root: string | undefined, links: readonly NewLink[]) => readonly NewLink[]

interface NewLink extends Pick<StoredLink, 'id' | 'follows' | 'savedAt'> {
  /** Absent where it is not stored yet. */
  readonly stored?: StoredLink
}

export interface Placed {
  readonly inserted: number
  /** Ids of those that were there already. */
  readonly known: ReadonlySet<string>
  /** The numbers of those that were there and have another one now, by their former ones. */
  readonly numbers: ReadonlyMap<number, number>
  /** How many that were there have another external id now. */
  readonly renamed: number
  /** The lowest number at which there is another message than before; undefined where there is none. */
  readonly firstChanged: number | undefined
}

interface Arriving {
  readonly messages: readonly SyncedMessage[]
  readonly seal: RowSeal | undefined
  readonly order: Order
}

const rowsAtOnce = 5_000

export function followsOf({ follows_id: follows }: MessageRecord): string | undefined {
  return follows === undefined || follows === afterNone ? undefined : follows
}

/**
 * Stores messages of a session that is locked, at the places that they have in its order; those that are there stay. Where they do
 * not all come after the last one, others get other numbers, and what was made of them under the former ones goes.
 * Throws ConflictError where the message is missing that one of them was saved after.
 */
export async function placeMessages(sql: TransactionSql, key: SessionKey, arriving: Arriving): Promise<Placed> {
  const ids = arriving.messages.map(({ record }) => record.id)
  const known = new Set((await seqsOf(sql, key, ids)).keys())
  const { messages, renamed } = await withFreeNames(
    sql,
    key,
    arriving.messages.filter(({ record }) => !known.has(record.id)),
  )
  if (messages.length === 0) return { inserted: 0, known, numbers: new Map(), renamed: 0, firstChanged: undefined }
  const afterSeq = await earliestPlace(sql, key, messages)
  const { root, rootSeq, links } = await readTail(sql, key, afterSeq)
  const all: NewLink[] = [
    ...links.map((stored) => ({ ...stored, stored })),
    ...messages.map(({ record }) => ({ id: record.id, follows: followsOf(record), savedAt: record.saved_at })),
  ]
  const ordered = arriving.order(root, all)
  if (ordered.length !== all.length) throw unstorable(key, 'they do not all come after one that is there')
  const places = new Map(ordered.map(({ id }, index) => [id, rootSeq + 1 + index]))
  const apart = new Map(
    ordered.map(({ id, follows }, index) => {
      const before = index === 0 ? root : ordered[index - 1]?.id
      return [id, follows === before ? null : (follows ?? afterNone)]
    }),
  )
  const changed = links.filter(({ id, seq, isApart }) => places.get(id) !== seq || isApart !== (apart.get(id) !== null))
  const moved = changed.filter(({ id, seq }) => places.get(id) !== seq)
  const firstMoved = moved.reduce((first, { seq }) => Math.min(first, seq), Number.MAX_SAFE_INTEGER)
  // Before their numbers change, as what was made of them is known by these.
  if (moved.length > 0) await forgetMade(sql, key, firstMoved)
  await renumber(sql, key, { changed, places, apart })
  await insertArchivedMessages(sql, key, {
    messages: messages.map((message) => {
      const { id } = message.record
      const record = { ...message.record, seq: places.get(id) ?? 0, follows_id: apart.get(id) ?? undefined }
      return { ...message, record }
    }),
    seal: arriving.seal,
  })
  await forgetCorrected(
    sql,
    key,
    messages.map(({ record }) => record.id),
  )
  const stored = await seqsOf(sql, key, ids)
  if (stored.size !== ids.length) throw unstorable(key, 'the id of one of them is that of a message elsewhere')
  if (moved.length > 0) await follow(sql, key, firstMoved)
  const firstNew = messages.reduce(
    (first, { record }) => Math.min(first, places.get(record.id) ?? first),
    Number.MAX_SAFE_INTEGER,
  )
  const numbers = new Map(moved.map(({ id, seq }) => [seq, places.get(id) ?? seq]))
  return { inserted: messages.length, known, numbers, renamed, firstChanged: Math.min(firstNew, firstMoved) }
}

function unstorable(key: SessionKey, why: string): ConflictError {
  return new ConflictError(`Cannot store messages of session "${key.sessionId}" as ${why}`, {
    remedy: 'Run the sync again: it begins anew with what is there',
  })
}

/** The number of the earliest message that one of these was saved after; 0 for none. */
async function earliestPlace(sql: Queries, key: SessionKey, messages: readonly SyncedMessage[]): Promise<number> {
  const own = new Set(messages.map(({ record }) => record.id))
  const before = messages.map(({ record }) => followsOf(record))
  const stored = new Set(before.flatMap((id) => (id === undefined || own.has(id) ? [] : [id])))
  const seqs = await seqsOf(sql, key, [...stored])
  const missing = [...stored].find((id) => !seqs.has(id))
  if (missing !== undefined) throw unstorable(key, `message "${missing}" is missing, after which one was saved`)
  return before.includes(undefined) ? 0 : Math.min(...seqs.values())
}

/**
 * Two stores may each have saved a message under the same id of a caller: the earlier one keeps it, and the other gets it with its own id behind.
 * Both stay.
 */
async function withFreeNames(
  sql: Queries,
  key: SessionKey,
  messages: readonly SyncedMessage[],
): Promise<{ readonly messages: readonly SyncedMessage[]; readonly renamed: number }> {
  const names = messages.flatMap(({ record }) => record.external_id ?? [])
  if (names.length === 0) return { messages, renamed: 0 }
  const taken = await sql<{ id: string; name: string; saved_at: Date }[]>`
    select id, external_id as name, saved_at from messages where tenant_id = ${key.tenantId} and session_id = ${key.sessionId}
      and external_id in (select jsonb_array_elements_text(${JSON.stringify(names)}::text::jsonb))`
  const holders = new Map(taken.map(({ id, name, saved_at: at }) => [name, { id, at: new Date(at).toISOString() }]))
  const named: SyncedMessage[] = []
  let renamed = 0
  for (const message of messages) {
    const { id, external_id: name, saved_at: at } = message.record
    const holder = name === undefined ? undefined : holders.get(name)
    if (name === undefined || holder === undefined) named.push(message)
    else if (holder.at < at || (holder.at === at && holder.id < id))
      named.push({ ...message, record: { ...message.record, external_id: `${name}#${id}` } })
    else {
      await sql`
        update messages set external_id = ${`${name}#${holder.id}`}
        where tenant_id = ${key.tenantId} and session_id = ${key.sessionId} and id = ${holder.id}`
      // The name is what makes it a correction.
      await sql`
        delete from corrections where tenant_id = ${key.tenantId} and session_id = ${key.sessionId} and correction_id = ${holder.id}`
      named.push(message)
      renamed++
    }
  }
  return { messages: named, renamed }
}

async function renumber(
  sql: Queries,
  { tenantId, sessionId }: SessionKey,
  {
    changed,
    places,
    apart,
  }: {
    readonly changed: readonly StoredLink[]
    readonly places: ReadonlyMap<string, number>
    readonly apart: ReadonlyMap<string, string | null>
  },
): Promise<void> {
  const pages = Array.from({ length: Math.ceil(changed.length / rowsAtOnce) }, (_, page) =>
    changed.slice(page * rowsAtOnce, (page + 1) * rowsAtOnce),
  )
  // Out of the way first: a number may be that of another one which has not moved yet.
  for (const page of pages) {
    const rows = JSON.stringify(page.map(({ seq: q }) => ({ q })))
    await sql`
      update messages m set seq = -m.seq from jsonb_to_recordset(${rows}::text::jsonb) as r(q bigint)
      where m.tenant_id = ${tenantId} and m.session_id = ${sessionId} and m.seq = r.q`
  }
  for (const page of pages) {
    const rows = JSON.stringify(page.map(({ id, seq: q }) => ({ q: -q, n: places.get(id), f: apart.get(id) })))
    await sql`
      update messages m set seq = r.n, follows_id = r.f from jsonb_to_recordset(${rows}::text::jsonb) as r(q bigint, n bigint, f uuid)
      where m.tenant_id = ${tenantId} and m.session_id = ${sessionId} and m.seq = r.q`
  }
}

/** Has what names messages by their numbers as well as by their ids name the numbers that they have now. */
async function follow(sql: Queries, { tenantId, sessionId }: SessionKey, firstSeq: number): Promise<void> {
  await sql`
    update fact_sources f set seq = m.seq from messages m
    where m.tenant_id = ${tenantId} and m.session_id = ${sessionId} and m.seq >= ${firstSeq}
      and f.tenant_id = m.tenant_id and f.message_id = m.id and f.seq <> m.seq`
  const corrections = await sql<{ message_id: string }[]>`
    delete from corrections where tenant_id = ${tenantId} and session_id = ${sessionId} and greatest(seq, correction_seq) >= ${firstSeq}
    returning message_id`
  if (corrections.length === 0) return
  await restoreCorrections(sql, { tenantId, sessionId })
}
