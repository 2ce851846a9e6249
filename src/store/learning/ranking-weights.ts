import { isoTime, type Queries } from '../rows.ts'

/** How much more or less than usual a part of the ranking counts, by its name. */
export type Factors = Readonly<Record<string, number>>

/** What was learned of which results were used. */
export interface LearnedRanking {
  /** Undefined where the usual weights hold. */
  readonly factors: Factors | undefined
  readonly searches: number
  readonly principals: number
  readonly firstAt: string | null
  readonly lastAt: string | null
  readonly gain: number | null
  readonly learnedAt: string | null
  /** Whether feedback has come or gone since. */
  readonly isStale: boolean
}

/** The factors alone, for a search. */
export async function readFactors(sql: Queries, tenantId: number): Promise<Factors | undefined> {
  const [row] = await sql<{ factors: Factors | null }[]>`
    select factors from ranking_weights where tenant_id = ${tenantId}`
  return row?.factors ?? undefined
}

interface LearnedRow {
  factors: Factors | null
  searches: number
  principals: number
  first_at: Date | null
  last_at: Date | null
  gain: number | null
  learned_at: Date | null
  is_stale: boolean
}

export async function readLearnedRanking(sql: Queries, tenantId: number): Promise<LearnedRanking | undefined> {
  const [row] = await sql<LearnedRow[]>`
    select factors, searches, principals, first_at, last_at, gain, learned_at, changes > learned_changes as is_stale
    from ranking_weights where tenant_id = ${tenantId}`
  if (row === undefined) return undefined
  const { factors, searches, principals, gain } = row
  return {
    searches,
    principals,
    gain,
    factors: factors ?? undefined,
    firstAt: isoTime(row.first_at),
    lastAt: isoTime(row.last_at),
    learnedAt: isoTime(row.learned_at),
    isStale: row.is_stale,
  }
}

/** Tenants whose feedback has changed since it was last learned from, and how often it had. By `ranking_weights_stale`. */
export async function staleRankings(
  sql: Queries,
  limit: number,
): Promise<readonly { readonly tenantId: number; readonly changes: number }[]> {
  const rows = await sql<{ tenant_id: number; changes: string }[]>`
    select tenant_id, changes from ranking_weights where changes > learned_changes
    order by learned_at nulls first, tenant_id limit ${limit}`
  return rows.map((row) => ({ tenantId: row.tenant_id, changes: Number(row.changes) }))
}

export interface NewlyLearned {
  readonly tenantId: number
  /** Of `staleRankings`: from before the feedback was read. */
  readonly changes: number
  readonly factors: Factors | undefined
  readonly searches: number
  readonly principals: number
  readonly firstAtMs: number | undefined
  readonly lastAtMs: number | undefined
  readonly gain: number | undefined
}

/** Keeps what was learned, unless another process has from the same or more, or it was reset meanwhile. What happened to the factors. */
export async function saveLearned(
  sql: Queries,
  learned: NewlyLearned,
): Promise<'superseded' | 'unchanged' | 'changed'> {
  const { tenantId, changes, factors } = learned
  const at = (ms: number | undefined) => (ms === undefined ? sql`null` : sql`to_timestamp(${ms / 1000})`)
  const [row] = await sql<{ is_other: boolean }[]>`
    with before as (
      select factors from ranking_weights
      where tenant_id = ${tenantId} and changes >= ${changes} and learned_changes < ${changes} for update)
    update ranking_weights w set factors = ${factors === undefined ? null : JSON.stringify(factors)}::text::jsonb,
      searches = ${learned.searches}, principals = ${learned.principals}, first_at = ${at(learned.firstAtMs)}, last_at = ${at(learned.lastAtMs)},
      gain = ${learned.gain ?? null}, learned_at = now(), learned_changes = ${changes}
    from before where w.tenant_id = ${tenantId}
    returning before.factors is distinct from w.factors as is_other`
  if (row === undefined) return 'superseded'
  return row.is_other ? 'changed' : 'unchanged'
}

/** Back to the usual weights. */
export async function deleteLearned(sql: Queries, tenantId: number): Promise<void> {
  await sql`delete from ranking_weights where tenant_id = ${tenantId}`
}
