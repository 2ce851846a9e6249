import type { TransactionSql } from 'postgres'

import type { Queries } from '../rows.ts'

/** Tokens that paid calls have used on the day that `now` is in, in UTC, all providers together. */
export async function tokensUsed(sql: Queries, now: Date): Promise<number> {
  const [row] = await sql<{ tokens: string | null }[]>`
    select sum(tokens) as tokens from provider_usage where day = ${now.toISOString().slice(0, 10)}::text::date`
  return Number(row?.tokens ?? 0)
}

/**
 * Adds the tokens of one paid call, where they fit beside what was used of that day; false where they do not, and nothing is added then. Two
 * at once do not both take what is left. They are estimates: the providers of embeddings do not say.
 */
export async function takeTokens(
  sql: TransactionSql,
  usage: { readonly provider: string; readonly tokens: number; readonly now: Date; readonly tokensMax: number },
): Promise<boolean> {
  const { provider, tokens, now, tokensMax } = usage
  await sql`select pg_advisory_xact_lock(hashtextextended('provider_usage', 0))`
  // Behind the lock, in a statement of its own: what others have taken before is seen.
  if ((await tokensUsed(sql, now)) + tokens > tokensMax) return false
  await sql`
    insert into provider_usage (day, provider, tokens, calls)
    values (${now.toISOString().slice(0, 10)}::text::date, ${provider}, ${tokens}, 1)
    on conflict (day, provider) do update set tokens = provider_usage.tokens + excluded.tokens, calls = provider_usage.calls + 1`
  return true
}
