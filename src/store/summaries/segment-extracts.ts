import type { PendingQuery, Row } from 'postgres'

import { andUsable, restrictedNames } from '../access/usable.ts'
import type { SessionKey } from '../messages.ts'
import type { Queries } from '../rows.ts'
import type { SealedSummary } from './save-summary.ts'

interface Segment {
  readonly fromSeq: number
  readonly toSeq: number
}

/**
 * What changes with the messages of a segment: which ones they are, in their order, whether they were erased, anonymised or corrected,
 * and whether they or their session are restricted.
 */
function markOf(sql: Queries, { tenantId, sessionId }: SessionKey, segment: Segment): PendingQuery<Row[]> {
  return sql`(
    select md5(coalesce(string_agg(concat_ws(' ', m.seq, m.id, m.kind, extract(epoch from m.anonymized_at), c.correction_id,
      m.sender in (${restrictedNames(sql, tenantId)}), (select restricted from sessions where tenant_id = ${tenantId} and id = ${sessionId})), ',' order by m.seq), ''))
    from messages m left join corrections c on c.tenant_id = ${tenantId} and c.session_id = ${sessionId} and c.seq = m.seq
    where m.tenant_id = ${tenantId} and m.session_id = ${sessionId} and m.seq between ${segment.fromSeq} and ${segment.toSeq})`
}

/** To be read before the messages of a segment are: see `saveExtract`. */
export async function readSegmentMark(sql: Queries, key: SessionKey, segment: Segment): Promise<string> {
  const [row] = await sql<{ mark: string }[]>`select ${markOf(sql, key, segment)} as mark`
  return row?.mark ?? ''
}

interface ExtractMade {
  readonly mark: string
  readonly erasures: number
  /** How many of its messages were read, or left out as they are flagged. */
  readonly seen: number
}

/**
 * Stores the sentences that stand for a segment, in the place of those that were stored of it before. Not where its messages are
 * others by now than when its mark was read, or messages of the session were erased since `erasures` was; nor where `seen` is not
 * how many of them may be used, as it was restricted for a time while it was read; nor where somebody is
 * restricted who spoke in it, whose words are to be in it again afterwards. It can be made again, and is not archived.
 */
export async function saveExtract(
  sql: Queries,
  tenantId: number,
  { mark, erasures, seen, ...extract }: SealedSummary & ExtractMade,
): Promise<void> {
  const key = { tenantId, sessionId: extract.sessionId }
  const { id, firstSeq, lastSeq } = extract
  await sql`
    with there as (
      select id from sessions where tenant_id = ${tenantId} and id = ${extract.sessionId} and erasures = ${erasures} and not restricted for key share
    ), saved as (
      insert into summaries (tenant_id, id, session_id, level, style, first_seq, last_seq, body, made_by, model, key_version)
      select ${tenantId}, ${id}::uuid, id, ${extract.level}, ${extract.style}, ${firstSeq}::bigint, ${lastSeq}::bigint, ${extract.body}::bytea,
        ${extract.madeBy}, ${extract.model ?? null}, ${extract.keyVersion}::int from there
      where ${markOf(sql, key, { fromSeq: firstSeq, toSeq: lastSeq })} = ${mark} and ${seen} = (
        select count(*) from messages where tenant_id = ${tenantId} and session_id = ${extract.sessionId}
          and seq between ${firstSeq} and ${lastSeq} and kind = 'message' ${andUsable(sql, tenantId)}) and not exists (
        select from messages m where m.tenant_id = ${tenantId} and m.session_id = ${extract.sessionId}
          and m.seq between ${firstSeq} and ${lastSeq} and m.sender in (${restrictedNames(sql, tenantId)}))
      on conflict do nothing returning session_id
    )
    delete from summaries s using saved
    where s.tenant_id = ${tenantId} and s.session_id = saved.session_id and s.level = 'segment' and s.style = ${extract.style}
      and s.first_seq = ${firstSeq}::bigint`
}

/** Removes the extracts of a session's segments that no summary of it is made of any more: all but those that begin with one of these. */
export async function dropOtherExtracts(
  sql: Queries,
  { tenantId, sessionId }: SessionKey,
  firstSeqs: readonly number[],
): Promise<void> {
  await sql`
    delete from summaries where tenant_id = ${tenantId} and session_id = ${sessionId} and level = 'segment' and style = 'extract'
      and first_seq not in (select jsonb_array_elements_text(${JSON.stringify(firstSeqs)}::text::jsonb)::bigint)`
}

/** A message by its number, and when it was quoted (ISO 8601). */
export interface QuotedMessage {
  readonly seq: number
  readonly at: string
}

/**
 * Which of the messages that were quoted may be now, by their numbers: those that are there, are in use, are not flagged, and were not
 * anonymised since.
 */
export async function quotableMessages(
  sql: Queries,
  { tenantId, sessionId }: SessionKey,
  quoted: readonly QuotedMessage[],
): Promise<ReadonlyMap<number, string>> {
  const rows = await sql<{ seq: string; id: string }[]>`
    select seq, id
    from messages join jsonb_to_recordset(${JSON.stringify(quoted)}::text::jsonb) as quoted(seq bigint, at timestamptz) using (seq)
    where messages.tenant_id = ${tenantId} and messages.session_id = ${sessionId} and kind = 'message'
      and (anonymized_at is null or anonymized_at < quoted.at) ${andUsable(sql, tenantId)} and not exists (
        select from search_units u where u.tenant_id = ${tenantId} and u.level in (0, 3) and u.session_id = ${sessionId}
          and u.first_seq = messages.seq and u.part = 0 and (u.flags ? 'secrets' or u.flags ? 'instructions'))`
  return new Map(rows.map(({ seq, id }) => [Number(seq), id]))
}
