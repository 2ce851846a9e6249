import type { Queries } from '../rows.ts'

/** How much is kept, of what kinds, of one tenant. */
export interface Tallies {
  readonly sessions: number
  readonly messages: number
  readonly participants: number
  readonly summaries: number
  readonly facts: number
  readonly vectors: number
  readonly imported_files: number
  /** Tokens of pseudonymised views of which it is kept what they stand for. */
  readonly pseudonym_tokens: number
  readonly legal_holds: number
  readonly restricted_sessions: number
  readonly restricted_participants: number
  readonly erasures: number
  readonly access_tokens: number
  /** ISO 8601; null where nothing is kept. */
  readonly first_message_at: string | null
}

export async function readTallies(sql: Queries, tenantId: number): Promise<Tallies> {
  type Counts = Omit<Tallies, 'first_message_at'>
  const [row] = await sql<(Record<keyof Counts, string> & { first_message_at: Date | null })[]>`
    with s as materialized (select * from sessions where tenant_id = ${tenantId})
    select (select count(*) from s) as sessions,
      (select coalesce(sum(message_count), 0) from s) as messages,
      (select count(distinct name) from s, unnest(participants) as name) as participants,
      (select count(*) from summaries where tenant_id = ${tenantId}) as summaries,
      (select count(*) from facts where tenant_id = ${tenantId}) as facts,
      (select count(*) from embedded_units where tenant_id = ${tenantId}) as vectors,
      (select count(distinct path) from import_files where tenant_id = ${tenantId}) as imported_files,
      (select count(distinct token) from pseudonyms where tenant_id = ${tenantId}) as pseudonym_tokens,
      (select count(*) from s where legal_hold) as legal_holds,
      (select count(*) from s where restricted) as restricted_sessions,
      (select count(*) from restricted_participants where tenant_id = ${tenantId}) as restricted_participants,
      (select count(*) from erasures where tenant_id = ${tenantId}) as erasures,
      (select count(*) from access_tokens where tenant_id = ${tenantId} and revoked_at is null
        and (expires_at is null or expires_at > now())) as access_tokens,
      (select min(created_at) from s) as first_message_at`
  if (row === undefined) throw new Error('The database counted nothing')
  const { first_message_at: first, ...counts } = row
  const count = (name: keyof Counts) => Number(counts[name])
  return {
    sessions: count('sessions'),
    messages: count('messages'),
    participants: count('participants'),
    summaries: count('summaries'),
    facts: count('facts'),
    vectors: count('vectors'),
    imported_files: count('imported_files'),
    pseudonym_tokens: count('pseudonym_tokens'),
    legal_holds: count('legal_holds'),
    restricted_sessions: count('restricted_sessions'),
    restricted_participants: count('restricted_participants'),
    erasures: count('erasures'),
    access_tokens: count('access_tokens'),
    first_message_at: first?.toISOString() ?? null,
  }
}

/** The sources that sessions came from, the most frequent first. */
export async function readSources(
  sql: Queries,
  tenantId: number,
): Promise<readonly { readonly source: string; readonly sessions: number }[]> {
  const rows = await sql<{ source: string; sessions: string }[]>`
    select source, count(*) as sessions from sessions where tenant_id = ${tenantId} group by source order by 2 desc, 1`
  return rows.map(({ source, sessions }) => ({ source, sessions: Number(sessions) }))
}
