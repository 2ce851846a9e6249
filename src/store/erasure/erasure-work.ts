import { z } from 'zod'

import { newId } from '../../model/ids.ts'
import type { SessionKey } from '../messages.ts'
import type { Queries } from '../rows.ts'
import { closeErasing } from './erasing-sessions.ts'
import type { PlannedSession } from './erasure-plan.ts'

/** The work of erasing one session, or some of its messages, in the outbox. */
export const eraseTopic = 'erase'

/** Whoever takes a piece of work and dies is followed by another one after this; who lives says so three times meanwhile. */
export const erasureLeaseMs = 15_000

const anonymiseSchema = z.object({
  /** Of the tokens, in hexadecimal; absent where the kind of what was there is put in its place. It goes with the work. */
  key: z.string().optional(),
})
export type AnonymiseDetails = z.infer<typeof anonymiseSchema>

const detailsSchema = z.object({
  erasure: z.string(),
  whole: z.boolean(),
  /** Present where messages are anonymised and not erased. */
  anonymise: anonymiseSchema.optional(),
  /** Whose messages they are, where that was asked for. It goes with the work. */
  participant: z.string().optional(),
  /** Messages whose rows are still as they were. */
  stretches: z.array(z.tuple([z.number(), z.number()])),
  /** Of a whole session that has expired, the number of its last message then: one that more was saved to before it is begun is kept. */
  lastSeq: z.number().optional(),
  /** Whether the rows are gone: then what is outside of the database goes. */
  rowsErased: z.boolean().default(false),
  hasBegun: z.boolean().default(false),
  /** Whether the session was kept: by a legal hold, or as something was saved to it. */
  isHeld: z.boolean().default(false),
  /** Large payloads of the messages, in the archive. */
  payloads: z.array(z.string()).default([]),
  /** Imported documents that are to be removed from the archive too. */
  files: z.array(z.string()).default([]),
  /** Objects, or versions of them, that are being erased from the archive and not counted yet: after a kill they may be gone. */
  going: z.array(z.string()).default([]),
  /** How often it was taken: whoever has taken it before that has lost it. */
  claim: z.number().int().default(0),
})
export type ErasureDetails = z.infer<typeof detailsSchema>

export interface ErasureItem {
  readonly id: number
  readonly tenantId: number
  readonly sessionId: string
  readonly attempts: number
  readonly details: ErasureDetails
}

interface ItemRow {
  readonly id: string
  readonly tenant_id: number
  readonly session_id: string
  readonly attempts: number
  readonly details: unknown
}

function fromRow(row: ItemRow): ErasureItem {
  return {
    id: Number(row.id),
    tenantId: row.tenant_id,
    sessionId: row.session_id,
    attempts: row.attempts,
    details: detailsSchema.parse(row.details),
  }
}

/** What is to be done with a session: all of it where it has no stretches. */
export interface ErasureWork extends Pick<PlannedSession, 'id' | 'stretches' | 'lastSeq'> {
  readonly anonymise?: AnonymiseDetails | undefined
  readonly participant?: string | undefined
  /** Large payloads of its messages that no row names any more. */
  readonly payloads?: readonly string[]
}

/**
 * Leaves sessions to be erased, or messages to be anonymised. A whole session is one stretch: nothing is saved to it any more, but for one that has
 * expired, until it is begun.
 */
export async function addErasureWork(
  sql: Queries,
  erasure: { readonly tenantId: number; readonly id: string },
  sessions: readonly ErasureWork[],
): Promise<void> {
  const rows = sessions.map(({ id, stretches, lastSeq, anonymise, participant, payloads }) => {
    const whole = stretches.length === 0
    const all = [[1, Number.MAX_SAFE_INTEGER]]
    const chosen = { whole, stretches: whole ? all : stretches, lastSeq }
    const details = { erasure: erasure.id, ...chosen, anonymise, participant, payloads }
    return { s: id, d: details }
  })
  await sql`
    insert into outbox (tenant_id, topic, session_id, details)
    select ${erasure.tenantId}, ${eraseTopic}, s, d from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as work(s uuid, d jsonb)`
  const closed = rows.filter(({ d }) => d.whole && d.lastSeq === undefined).map(({ s }) => s)
  if (closed.length > 0) await closeErasing(sql, erasure.tenantId, closed)
}

/**
 * Leaves to be removed what the archive and remote indexes have of a session whose rows are other ones already; the session is archived anew after
 * that.
 */
export async function addArchiveRewrite(
  sql: Queries,
  erasure: { readonly tenantId: number; readonly id: string },
  { sessionId, payloads }: { readonly sessionId: string; readonly payloads: readonly string[] },
): Promise<void> {
  const details = { erasure: erasure.id, whole: false, stretches: [], payloads, rowsErased: true, hasBegun: true }
  await sql`
    insert into outbox (tenant_id, topic, session_id, details)
    values (${erasure.tenantId}, ${eraseTopic}, ${sessionId}, ${JSON.stringify(details)}::text::jsonb)`
}

/**
 * Leaves large payloads to be erased that were put into the archive for messages of a session and that no message uses; nothing else of it.
 * Those that may still be on their way are left for so many milliseconds, counted from the last time.
 */
export async function addPayloadWork(
  sql: Queries,
  { tenantId, sessionId }: SessionKey,
  { payloads, afterMs = 0 }: { readonly payloads: readonly string[]; readonly afterMs?: number },
): Promise<void> {
  const list = JSON.stringify(payloads)
  if (afterMs > 0) {
    // What is due later than a lease lasts is nobody's now: who tries again and again leaves it once, also with a new session each time.
    const waiting = await sql`
      update outbox set available_at = now() + ${afterMs} * interval '1 millisecond'
      where tenant_id = ${tenantId} and topic = ${eraseTopic} and dead_at is null
        and available_at > now() + ${erasureLeaseMs} * interval '1 millisecond' and details->'payloads' = ${list}::text::jsonb
        and details->'late' = 'true'
      returning id`
    if (waiting.length > 0) return
  }
  // The session itself is kept. It is no erasure that anybody asked for, and has no receipt.
  const ofSession = { whole: false, stretches: [], rowsErased: true, hasBegun: true, isHeld: true }
  const late = afterMs > 0 ? { late: true } : {}
  const details = JSON.stringify({ erasure: newId(), ...ofSession, payloads, ...late })
  await sql`
    insert into outbox (tenant_id, topic, session_id, details, available_at)
    values (${tenantId}, ${eraseTopic}, ${sessionId}, ${details}::text::jsonb, now() + ${afterMs} * interval '1 millisecond')`
}

/** Messages of a session that came back by a restore. */
export interface Returned extends Pick<ErasureWork, 'anonymise' | 'payloads'> {
  readonly erasureId: string
  readonly seqs: readonly number[]
}

/**
 * Leaves messages to be erased or anonymised once more that came back by a restore, with what was made from them and what the
 * archive has of their session.
 */
export async function eraseAgain(
  sql: Queries,
  { tenantId, sessionId }: SessionKey,
  { erasureId: id, seqs, ...work }: Returned,
): Promise<void> {
  const receipt = JSON.stringify({ action: work.anonymise === undefined ? 'erase' : 'anonymise' })
  await sql`
    insert into erasures (tenant_id, id, scope, target_hash, requested_by, receipt)
    values (${tenantId}, ${id}, 'tombstones', '', 'restore', ${receipt}::text::jsonb) on conflict do nothing`
  const stretches = seqs.map((seq): [number, number] => [seq, seq])
  await addErasureWork(sql, { tenantId, id }, [{ id: sessionId, stretches, ...work }])
}

/**
 * Takes a piece of work that is due, so that nobody else does as long as it is renewed; who dies meanwhile leaves it to be taken again.
 * Nothing is locked in between: the work waits for an archive and for providers.
 */
export async function claimErasure(sql: Queries, erasureId?: string): Promise<ErasureItem | undefined> {
  const rows = await sql<ItemRow[]>`
    update outbox set available_at = now() + ${erasureLeaseMs} * interval '1 millisecond',
      details = jsonb_set(details, '{claim}', to_jsonb(coalesce((details->>'claim')::int, 0) + 1))
    where id = (
      select id from outbox where topic = ${eraseTopic} and available_at <= now() and dead_at is null
        ${erasureId === undefined ? sql`` : sql`and details->>'erasure' = ${erasureId}`}
      order by id limit 1 for update skip locked)
    returning id, tenant_id, session_id, attempts, details`
  return rows[0] === undefined ? undefined : fromRow(rows[0])
}

/** A piece of work as somebody has taken it. */
export type ClaimedErasure = Pick<ErasureItem, 'id'> & { readonly details: Pick<ErasureDetails, 'claim'> }

/** Says that whoever has taken a piece of work is at it still: it has it for as long again, unless another one has taken it since. */
export async function renewErasure(sql: Queries, { id, details }: ClaimedErasure): Promise<void> {
  await sql`
    update outbox set available_at = greatest(available_at, now() + ${erasureLeaseMs} * interval '1 millisecond')
    where id = ${id} and coalesce((details->>'claim')::int, 0) = ${details.claim}`
}

/** The item as it is now, locked until the transaction ends; undefined where another one has finished it, or has taken it since. */
export async function lockErasure(sql: Queries, { id, details }: ClaimedErasure): Promise<ErasureItem | undefined> {
  const [row] = await sql<ItemRow[]>`
    select id, tenant_id, session_id, attempts, details from outbox where id = ${id} for update`
  if (row === undefined) return undefined
  const item = fromRow(row)
  return item.details.claim === details.claim ? item : undefined
}

/** Notes how far a piece of work is; whoever is at it has it for as long again. */
export async function noteErasure(sql: Queries, id: number, details: ErasureDetails): Promise<void> {
  await sql`
    update outbox set details = ${JSON.stringify(details)}::text::jsonb,
      available_at = greatest(available_at, now() + ${erasureLeaseMs} * interval '1 millisecond')
    where id = ${id}`
}

/** The pieces of work that have a note of an object of the archive. They and `id` are locked until the transaction ends, in one order. */
export async function lockNoting(sql: Queries, id: number, name: string): Promise<readonly number[]> {
  const rows = await sql<{ id: string; has_note: boolean }[]>`
    select id, coalesce(details->'going' ? ${name}, false) as has_note from outbox
    where topic = ${eraseTopic} and (id = ${id} or details->'going' ? ${name}) order by id for update`
  return rows.filter((row) => row.has_note).map((row) => Number(row.id))
}

/** Takes the note of an object from pieces of work. */
export async function dropNotes(sql: Queries, ids: readonly number[], name: string): Promise<void> {
  await sql`
    update outbox set details = jsonb_set(details, '{going}', (details->'going') - ${name}::text)
    where id in (select jsonb_array_elements_text(${JSON.stringify(ids)}::text::jsonb)::bigint) and details->'going' ? ${name}`
}

/** Whether somebody is at a part of an erasure: what is left of it waits for nothing. */
export async function isUnderWay(sql: Queries, erasureId: string): Promise<boolean> {
  const rows = await sql`
    select from outbox where topic = ${eraseTopic} and details->>'erasure' = ${erasureId} and last_error is null limit 1`
  return rows.length > 0
}

/** Whether an erasure has no work but one piece. */
export async function isLastOfErasure(sql: Queries, item: ErasureItem): Promise<boolean> {
  const rows = await sql`
    select from outbox where topic = ${eraseTopic} and tenant_id = ${item.tenantId} and id <> ${item.id}
      and details->>'erasure' = ${item.details.erasure} limit 1`
  return rows.length === 0
}
