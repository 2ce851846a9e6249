import type { Queries } from '../rows.ts'

/** A part of a message by its place. */
interface PartPlace {
  readonly sessionId: string
  readonly seq: number
  readonly part: number
}

/**
 * The `count` smallest hashed terms of each of some search units, in ascending order and the order in which they were asked for;
 * undefined where a unit is not there.
 */
export async function readTermSketches(
  sql: Queries,
  scope: { readonly tenantId: number; readonly level: number; readonly count: number },
  places: readonly PartPlace[],
): Promise<(readonly bigint[] | undefined)[]> {
  const wanted = JSON.stringify(places.map(({ sessionId: s, seq: q, part: p }, n) => ({ n, s, q, p })))
  const rows = await sql<{ n: number; terms: string }[]>`
    select n, array_to_string(terms[1:${scope.count}::int], ',') as terms
    from jsonb_to_recordset(${wanted}::text::jsonb) as wanted(n int, s uuid, q bigint, p int)
    join search_units u on u.tenant_id = ${scope.tenantId} and u.level = ${scope.level} and u.session_id = wanted.s
      and u.first_seq = wanted.q and u.part = wanted.p`
  const sketches = new Map(rows.map(({ n, terms }) => [n, terms === '' ? [] : terms.split(',').map(BigInt)]))
  return places.map((_, n) => sketches.get(n))
}
