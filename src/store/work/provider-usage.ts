import type { Queries } from '../rows.ts'

/** Tokens that paid calls have used on the day that `now` is in, in UTC, all providers together. */
export async function tokensUsed(sql: Queries, now: Date): Promise<number> {
  const [row] = await sql<{ tokens: string | null }[]>`
    select sum(tokens) as tokens from provider_usage where day = ${now.toISOString().slice(0, 10)}::text::date`
  return Number(row?.tokens ?? 0)
}

/** Adds the tokens of one paid call. They are estimates: the providers of embeddings do not say. */
export async function addTokensUsed(
  sql: Queries,
  usage: { readonly provider: string; readonly tokens: number; readonly now: Date },
): Promise<void> {
  await sql`
    insert into provider_usage (day, provider, tokens, calls)
    values (${usage.now.toISOString().slice(0, 10)}::text::date, ${usage.provider}, ${usage.tokens}, 1)
    on conflict (day, provider) do update set tokens = provider_usage.tokens + excluded.tokens, calls = provider_usage.calls + 1`
}
