import type { PendingQuery, Row } from 'postgres'

import { limits } from '../../limits.ts'
import type { Viewer } from '../../model/access.ts'
import { andOpen } from '../access/session-access.ts'
import { andUsable } from '../access/usable.ts'
import type { Stretch } from '../erasure/erasure-plan.ts'
import type { SessionKey } from '../messages.ts'
import type { Queries } from '../rows.ts'
import { namesTopic } from './name-work.ts'

/** In how many messages a model was to look for names, and how far it has. Those that were anonymised have none to be found. */
export interface NameCoverage {
  readonly messages: number
  readonly unread: number
  /** Of the unread ones those that the model reads, by itself or when it is asked to. */
  readonly waiting: number
  /** The other unread ones: restricted, corrected or large ones, which it is not given, and those that it gave no usable answer for. */
  readonly leftToRules: number
  /** Long ones of which the beginning was read. */
  readonly partly: number
  /** Of what waits, at most, in bytes. */
  readonly waitingBytes: number
}

interface Chosen {
  readonly tenantId: number
  /** What `messages` is joined with. */
  readonly from?: PendingQuery<Row[]>
  readonly where: PendingQuery<Row[]>
}

/**
 * A message that has failed for good is looked up among all of them at once. Where it waits again, as after `verbatim reindex --names`,
 * it has not.
 */
async function coverageOf(sql: Queries, { tenantId, from = sql``, where }: Chosen): Promise<NameCoverage> {
  const ofNames = sql`tenant_id = ${tenantId} and topic = ${namesTopic}`
  const waits = sql`n.id is null and failed.seq is null and messages.payload_bytes <= ${limits.namedPayloadBytesMax} ${andUsable(sql, tenantId)}`
  const [row] = await sql<{ messages: string; unread: string; waiting: string; partly: string; bytes: string }[]>`
    with failed as materialized (
      select distinct dead.session_id, seq from outbox dead, generate_series(dead.first_seq, dead.last_seq) seq
      where ${ofNames} and dead.dead_at is not null and not exists (
        select from outbox live where live.tenant_id = ${tenantId} and live.topic = ${namesTopic} and live.dead_at is null
          and live.session_id = dead.session_id and seq between live.first_seq and live.last_seq)
    )
    select count(*) as messages, count(*) filter (where n.id is null) as unread, count(*) filter (where not n.is_whole) as partly,
      count(*) filter (where ${waits}) as waiting,
      coalesce(sum(least(messages.payload_bytes, ${limits.namedMessageCharactersMax}::bigint)) filter (where ${waits}), 0) as bytes
    from messages ${from}
    left join message_names n on n.tenant_id = ${tenantId} and n.id = messages.id
    left join failed on failed.session_id = messages.session_id and failed.seq = messages.seq
    where messages.tenant_id = ${tenantId} and messages.kind = 'message' and messages.anonymized_at is null and ${where}`
  const [unread, waiting] = [Number(row?.unread ?? 0), Number(row?.waiting ?? 0)]
  return {
    messages: Number(row?.messages ?? 0),
    unread,
    waiting,
    leftToRules: unread - waiting,
    partly: Number(row?.partly ?? 0),
    waitingBytes: Number(row?.bytes ?? 0),
  }
}

export async function coverageOfSession(sql: Queries, { tenantId, sessionId }: SessionKey): Promise<NameCoverage> {
  return await coverageOf(sql, { tenantId, where: sql`messages.session_id = ${sessionId}` })
}

/** The same of all sessions that somebody may read. */
export async function coverageOfStore(sql: Queries, viewer: Viewer): Promise<NameCoverage> {
  const { tenantId } = viewer
  const open = sql`select id from sessions where tenant_id = ${tenantId} ${andOpen(sql, viewer, 'read')}`
  return await coverageOf(sql, { tenantId, where: sql`messages.session_id in (${open})` })
}

/** The same of chosen messages of some sessions; of one without stretches of all of its messages. */
export async function coverageOfChosen(
  sql: Queries,
  tenantId: number,
  sessions: readonly { readonly id: string; readonly stretches: readonly Stretch[] }[],
): Promise<NameCoverage> {
  const chosen = JSON.stringify(
    sessions.flatMap(({ id: s, stretches }) =>
      stretches.length === 0 ? [{ s, f: 1, l: Number.MAX_SAFE_INTEGER }] : stretches.map(([f, l]) => ({ s, f, l })),
    ),
  )
  return await coverageOf(sql, {
    tenantId,
    from: sql`join jsonb_to_recordset(${chosen}::text::jsonb) as chosen(s uuid, f bigint, l bigint)
      on messages.session_id = chosen.s and messages.seq between chosen.f and chosen.l`,
    where: sql`true`,
  })
}
