import { createHmac } from 'node:crypto'

import { tombstoneKeys, ownTombstoneKey } from '../erasure/tombstones.ts'
import { openFactBody } from '../learning/open-fact.ts'
import type { MessageSource } from '../messages.ts'
import type { Queries } from '../rows.ts'

/** A session that somebody has written in. */
export interface ParticipantSession {
  readonly sessionId: string
  /** Of theirs. */
  readonly messages: number
  readonly lastSeq: number
}

/** Where somebody has written, by their exact name. Reads every message of the tenant: nothing of theirs may be missed. */
export async function sessionsOfParticipant(
  sql: Queries,
  tenantId: number,
  participant: string,
): Promise<ParticipantSession[]> {
  const rows = await sql<{ session_id: string; messages: string; last_seq: string }[]>`
    select session_id, count(*) as messages, max(seq) as last_seq from messages
    where tenant_id = ${tenantId} and sender = ${participant} group by session_id order by session_id`
  return rows.map((row) => ({
    sessionId: row.session_id,
    messages: Number(row.messages),
    lastSeq: Number(row.last_seq),
  }))
}

/** What the audit log has in the place of a name, which it would keep for good: who knows the name can tell that it was this one. */
export async function participantHash(sql: Queries, tenantId: number, name: string): Promise<string> {
  return hashed(await ownTombstoneKey(sql, tenantId), name)
}

/** The same under every key that is known here: a store that was moved brings its own along. */
export async function participantHashes(sql: Queries, tenantId: number, name: string): Promise<string[]> {
  return (await tombstoneKeys(sql, tenantId)).map((key) => hashed(key, name))
}

function hashed(key: Uint8Array, name: string): string {
  return createHmac('sha256', key).update(name).digest('hex')
}

/** Who was shown messages of somebody, or a session in which they are named, as the audit log tells it. */
export interface Reader {
  readonly actor: string
  /** The program that they used, in its own words. */
  readonly client: string | null
  readonly token_id: string | null
  /** Of the token, where it is still known. */
  readonly token: string | null
  readonly origin: string | null
  readonly tools: readonly string[]
  /** Calls that showed messages of theirs, and those that showed no more than the head of a session. */
  readonly calls_with_messages: number
  readonly calls_with_heads: number
  /** ISO 8601. */
  readonly first_at: string
  readonly last_at: string
}

/** By the places that rows name: `<session>`, or `<session>/<first>-<last>`, of which each is looked up by the primary key. */
export async function readersOfParticipant(sql: Queries, tenantId: number, participant: string): Promise<Reader[]> {
  const rows = await sql<
    (Omit<Reader, 'calls_with_messages' | 'calls_with_heads' | 'first_at' | 'last_at'> & {
      messages: string
      heads: string
      first_at: Date
      last_at: Date
    })[]
  >`
    with own as materialized (
      select distinct session_id from messages where tenant_id = ${tenantId} and sender = ${participant}
    ), shown as (
      select a.id, a.at, a.actor, a.client, a.token_id, a.origin, coalesce(a.tool, a.action) as tool,
        bool_or(strpos(o, '/') > 0) as is_whole
      from audit_log a, unnest(a.objects) o join own on own.session_id = left(o, 36)::uuid
      where a.tenant_id = ${tenantId} and a.outcome = 'ok' and (strpos(o, '/') = 0 or exists (
        select from messages m where m.tenant_id = ${tenantId} and m.session_id = own.session_id and m.sender = ${participant}
          and m.seq between split_part(split_part(o, '/', 2), '-', 1)::bigint and split_part(split_part(o, '/', 2), '-', 2)::bigint))
      group by a.tenant_id, a.id
    )
    select s.actor, s.client, s.token_id, t.name as token, s.origin, to_jsonb(array_agg(distinct s.tool)) as tools,
      count(*) filter (where s.is_whole) as messages, count(*) filter (where not s.is_whole) as heads,
      min(s.at) as first_at, max(s.at) as last_at
    from shown s left join access_tokens t on t.tenant_id = ${tenantId} and t.id = s.token_id
    group by s.actor, s.client, s.token_id, t.name, s.origin order by min(s.at), s.actor, s.client`
  return rows.map(({ messages, heads, first_at: first, last_at: last, ...reader }) => ({
    ...reader,
    calls_with_messages: Number(messages),
    calls_with_heads: Number(heads),
    first_at: first.toISOString(),
    last_at: last.toISOString(),
  }))
}

/** Vectors that were made of somebody's messages: by which model, and where they are. */
export interface MadeVectors {
  readonly provider: string
  readonly model: string
  readonly dimensions: number
  readonly index: string
  readonly vectors: number
}

export async function vectorsOfParticipant(
  sql: Queries,
  tenantId: number,
  participant: string,
): Promise<MadeVectors[]> {
  const rows = await sql<(Omit<MadeVectors, 'vectors'> & { vectors: string })[]>`
    select e.provider, e.name as model, e.dimensions, e.vector_index as index, count(*) as vectors
    from messages m join embedded_units u on u.tenant_id = ${tenantId} and u.level = 0 and u.session_id = m.session_id and u.first_seq = m.seq
      join embedding_models e on e.tenant_id = ${tenantId} and e.id = u.model_id
    where m.tenant_id = ${tenantId} and m.sender = ${participant}
    group by e.provider, e.name, e.dimensions, e.vector_index order by e.provider, e.name`
  return rows.map((row) => ({ ...row, vectors: Number(row.vectors) }))
}

/** What was learned from a message of somebody's. */
export interface LearnedFact {
  readonly id: string
  readonly kind: string
  readonly fact: unknown
  /** Those of theirs that it comes from. */
  readonly message_ids: readonly string[]
}

export async function factsOfParticipant(
  database: MessageSource,
  tenantId: number,
  participant: string,
): Promise<LearnedFact[]> {
  const rows = await database.run(
    (sql) => sql<
      { id: string; kind: string; session_id: string; body: Uint8Array; key_version: number; message_ids: string[] }[]
    >`
    select f.id, f.kind, f.session_id, f.body, f.key_version, to_jsonb(array_agg(s.message_id order by s.message_id)) as message_ids
    from fact_sources s join messages m on m.tenant_id = ${tenantId} and m.id = s.message_id and m.sender = ${participant}
      join facts f on f.tenant_id = ${tenantId} and f.id = s.fact_id
    where s.tenant_id = ${tenantId} group by f.tenant_id, f.id order by f.id`,
  )
  const seals = await database.vault.sealsOf(
    tenantId,
    rows.map((row) => ({ sessionId: row.session_id, version: row.key_version })),
  )
  return rows.map((row) => ({
    id: row.id,
    kind: row.kind,
    fact: openFactBody(row, seals(row.session_id, row.key_version)),
    message_ids: row.message_ids,
  }))
}
