import type { Viewer } from '../../model/access.ts'
import { andOpen } from '../access/session-access.ts'
import type { Queries } from '../rows.ts'
import type { ErasureAction } from './receipts.ts'

/** What is to be erased. Every member that is given must hold. */
export interface ErasureFilter {
  /** Of ours. */
  readonly sessionId?: string | undefined
  readonly source?: string | undefined
  readonly tag?: string | undefined
  /** Our id of a message, or the caller's own. */
  readonly messageId?: string | undefined
  readonly participant?: string | undefined
  readonly since?: string | undefined
  readonly until?: string | undefined
}

/** First and last number of a stretch of messages. */
export type Stretch = readonly [first: number, last: number]

/** What is to be erased of one session. */
export interface PlannedSession {
  readonly id: string
  readonly legalHold: boolean
  /** Whether whoever asks may erase it. */
  readonly isOwn: boolean
  readonly messages: number
  readonly bytes: number
  /** Where the session stays: which of its messages go. */
  readonly stretches: readonly Stretch[]
  /** As `sessions.erasures`: while it stays, these are the numbers of the messages that were chosen. */
  readonly erasures: number
  /** Where it goes whole: the number of its last message. Where more was saved until it is begun nothing of that is erased. */
  readonly lastSeq?: number | undefined
}

interface SessionRow {
  readonly id: string
  readonly legal_hold: boolean
  readonly is_own: boolean
  readonly messages: string
  readonly bytes: string
  readonly stretches: readonly Stretch[] | null
  readonly erasures: number
  readonly last_seq?: string
}

const ofSession = (sql: Queries, filter: ErasureFilter) => sql`
  ${filter.sessionId === undefined ? sql`` : sql`and sessions.id = ${filter.sessionId}`}
  ${filter.source === undefined ? sql`` : sql`and sessions.source = ${filter.source}`}
  ${filter.tag === undefined ? sql`` : sql`and sessions.tags @> array[${filter.tag}]::text[]`}`

function fromRow(row: SessionRow): PlannedSession {
  return {
    id: row.id,
    legalHold: row.legal_hold,
    isOwn: row.is_own,
    messages: Number(row.messages),
    bytes: Number(row.bytes),
    stretches: row.stretches ?? [],
    erasures: row.erasures,
    lastSeq: row.last_seq === undefined ? undefined : Number(row.last_seq),
  }
}

/** Sessions that are to be erased whole, with the messages that are left in them: a place that was erased before has nothing to go. */
export async function planSessions(sql: Queries, viewer: Viewer, filter: ErasureFilter): Promise<PlannedSession[]> {
  const rows = await sql<SessionRow[]>`
    select sessions.id, sessions.legal_hold, (true ${andOpen(sql, viewer, 'manage')}) as is_own, remaining.messages, remaining.bytes,
      null as stretches, sessions.erasures, sessions.last_seq
    from sessions cross join lateral (
      select count(*) as messages, coalesce(sum(m.payload_bytes), 0) as bytes from messages m
      where m.tenant_id = ${viewer.tenantId} and m.session_id = sessions.id and m.kind <> 'erased'
    ) remaining
    where sessions.tenant_id = ${viewer.tenantId} ${ofSession(sql, filter)} ${andOpen(sql, viewer, 'read')} order by sessions.id`
  return rows.map(fromRow)
}

/**
 * Messages that are to be erased from sessions that stay, or anonymised where they are not yet, saved until `asOf`. Reads every message of the tenant where only a
 * participant or a time is named: nothing of theirs may be missed.
 */
export async function planMessages(
  sql: Queries,
  viewer: Viewer,
  { filter, asOf, action }: { readonly filter: ErasureFilter; readonly asOf: string; readonly action: ErasureAction },
): Promise<PlannedSession[]> {
  const { messageId, participant, since, until } = filter
  const rows = await sql<SessionRow[]>`
    with chosen as (
      select m.session_id, m.seq, m.payload_bytes, m.seq - row_number() over (partition by m.session_id order by m.seq) as island
      from messages m
      where m.tenant_id = ${viewer.tenantId} and m.kind <> 'erased' and m.saved_at <= ${asOf}::text::timestamptz
        ${action === 'anonymise' ? sql`and m.anonymized_at is null` : sql``}
        ${messageId === undefined ? sql`` : sql`and (m.id::text = ${messageId.toLowerCase()} or m.external_id = ${messageId})`}
        ${participant === undefined ? sql`` : sql`and m.sender = ${participant}`}
        ${since === undefined ? sql`` : sql`and m.timestamp >= ${since}::text::timestamptz`}
        ${until === undefined ? sql`` : sql`and m.timestamp <= ${until}::text::timestamptz`}
        and m.session_id in (select id from sessions where tenant_id = ${viewer.tenantId} ${ofSession(sql, filter)} ${andOpen(sql, viewer, 'read')})
    ), islands as (
      select session_id, min(seq) as first, max(seq) as last, count(*) as messages, sum(payload_bytes) as bytes
      from chosen group by session_id, island
    )
    select sessions.id, sessions.legal_hold, sessions.erasures, (true ${andOpen(sql, viewer, 'manage')}) as is_own, sum(islands.messages) as messages,
      sum(islands.bytes) as bytes, jsonb_agg(jsonb_build_array(islands.first, islands.last) order by islands.first) as stretches
    from islands join sessions on sessions.tenant_id = ${viewer.tenantId} and sessions.id = islands.session_id
    group by sessions.tenant_id, sessions.id order by sessions.id`
  return rows.map(fromRow)
}

/** What else goes with the messages of a plan, by where it is. */
export interface PlannedStores {
  readonly search_units: number
  readonly vectors: number
  readonly summaries: number
  readonly facts: number
  readonly import_files: number
  readonly archive_segments: number
  readonly large_payloads: number
  /** Of encrypted sessions that go whole, in the database; and their copies in the archive. */
  readonly session_keys: number
  readonly archived_keys: number
  readonly pseudonyms: number
  readonly reasons: number
}

/** The condition that a summary `u` goes with the messages of `stretch`: all but extracts of segments that lose none do. */
const goes = (sql: Queries, tenantId: number) => sql`(
  u.level <> 'segment' or u.style <> 'extract'
  or exists (select from stretch lost where lost.s = u.session_id and lost.f <= u.last_seq and lost.l >= u.first_seq)
  or exists (
    select from messages m where m.tenant_id = ${tenantId} and m.session_id = u.session_id and m.kind = 'erased'
      and m.seq between u.first_seq and u.last_seq)
  or exists (
    select from corrections c join stretch lost on lost.s = c.session_id and c.correction_seq between lost.f and lost.l
    where c.tenant_id = ${tenantId} and c.session_id = u.session_id and c.seq between u.first_seq and u.last_seq))`

/** Reasons that go with a session, or with one of the two messages of a correction, as erasing them has it; of what is anonymised all of a session's. */
const reasonsThatGo = (sql: Queries, tenantId: number, action: ErasureAction) => sql`(
  select r.id from ids join reasons r on r.tenant_id = ${tenantId} and r.session_id = ids.s
  where ${action === 'anonymise'} or ids.w or (r.about is not null and not exists (
    select from corrections c where c.tenant_id = ${tenantId} and c.session_id = ids.s and c.message_id::text = r.about and not exists (
      select from stretch lost where lost.s = ids.s and (c.seq between lost.f and lost.l or c.correction_seq between lost.f and lost.l))))
  union
  select r.id from ids join reasons r on r.tenant_id = ${tenantId} and r.session_id is null and r.about = ids.s::text
  where ${action === 'anonymise'} or ids.w)`

/** Counts for a preview: nothing is locked, and what is archived meanwhile is erased and counted by the erasure itself. */
export async function planStores(
  sql: Queries,
  tenantId: number,
  { sessions, action }: { readonly sessions: readonly PlannedSession[]; readonly action: ErasureAction },
): Promise<PlannedStores> {
  const chosen = JSON.stringify(
    sessions.flatMap(({ id: s, stretches }) =>
      stretches.length === 0
        ? [{ s, f: 1, l: Number.MAX_SAFE_INTEGER, w: true }]
        : stretches.map(([f, l]) => ({ s, f, l, w: false })),
    ),
  )
  const [row] = await sql<Record<keyof PlannedStores, string>[]>`
    with stretch as materialized (
      select * from jsonb_to_recordset(${chosen}::text::jsonb) as stretch(s uuid, f bigint, l bigint, w boolean)
    ), ids as materialized (select distinct s, w from stretch)
    select
      (select count(*) from stretch join search_units u on u.tenant_id = ${tenantId} and u.level in (0, 3) and u.session_id = s
        and u.first_seq between f and l) as search_units,
      (select count(*) from stretch join embedded_units u on u.tenant_id = ${tenantId} and u.session_id = s
        and u.first_seq between f and l) as vectors,
      (select count(*) from ids join summaries u on u.tenant_id = ${tenantId} and u.session_id = s
        where ${action === 'anonymise'} or ${goes(sql, tenantId)}) as summaries,
      (select count(distinct x.fact_id) from stretch join messages m on m.tenant_id = ${tenantId} and m.session_id = s
        and m.seq between f and l join fact_sources x on x.tenant_id = ${tenantId} and x.message_id = m.id) as facts,
      (select count(*) from import_files i where i.tenant_id = ${tenantId} and i.session_ids && array(select s from ids)) as import_files,
      (select count(*) from ids join archive_segments a on a.tenant_id = ${tenantId} and a.session_id = s) as archive_segments,
      (select count(distinct m.payload_location) from stretch join messages m on m.tenant_id = ${tenantId} and m.session_id = s
        and m.seq between f and l and m.payload_location is not null) as large_payloads,
      (select count(*) from ids join encryption_keys k on k.tenant_id = ${tenantId} and k.purpose = 'session' and k.session_id = s
        where w and k.destroyed_at is null) as session_keys,
      (select count(*) from ids join encryption_keys k on k.tenant_id = ${tenantId} and k.purpose = 'session' and k.session_id = s
        join archive_manifests a on a.tenant_id = ${tenantId} and a.kind = 'key' and a.subject_id = k.id where w) as archived_keys,
      (select count(*) from ids join pseudonyms p on p.tenant_id = ${tenantId} and p.session_id = s) as pseudonyms,
      (select count(*) from ${reasonsThatGo(sql, tenantId, action)} going) as reasons`
  const count = (name: keyof PlannedStores) => Number(row?.[name] ?? 0)
  return {
    search_units: count('search_units'),
    vectors: count('vectors'),
    summaries: count('summaries'),
    facts: count('facts'),
    import_files: count('import_files'),
    archive_segments: count('archive_segments'),
    large_payloads: count('large_payloads'),
    session_keys: count('session_keys'),
    archived_keys: count('archived_keys'),
    pseudonyms: count('pseudonyms'),
    reasons: count('reasons'),
  }
}
