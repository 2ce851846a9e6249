import type { PendingQuery, Row, Sql } from 'postgres'

import type { SessionKey } from '../messages.ts'
import { inRange } from '../seq-range.ts'

/** Messages that are to be summarised: a stretch by number, and of it those of a time. */
export interface WeighedStretch {
  readonly fromSeq: number
  readonly toSeq: number
  readonly since?: string | undefined
  readonly until?: string | undefined
}

/** How many characters a model is shown of a message: of what people and agents say more than of what tools say. */
export const shownCharacters = { said: 4_000, other: 600 } as const

/** What stands before it: its number, role and sender. */
const headCharacters = 40

/** A piece of a stretch, and about how many characters a model is shown of it. */
export interface WeighedPiece {
  readonly firstSeq: number
  readonly lastSeq: number
  readonly weight: number
}

/** The messages of a stretch that may be used, with their weights. No bytes of theirs are read. */
function weighed(sql: Sql, key: SessionKey, stretch: WeighedStretch): PendingQuery<Row[]> {
  return sql`
    select seq, ${headCharacters}::bigint + least(payload_bytes::bigint,
      case when role in ('user', 'assistant') then ${shownCharacters.said}::bigint else ${shownCharacters.other}::bigint end) as weight
    from messages where ${inRange(sql, key, { ...stretch, limit: 0, usable: true })} and kind = 'message'`
}

/** What a stretch weighs. */
export async function weighMessages(sql: Sql, key: SessionKey, stretch: WeighedStretch): Promise<number> {
  const [row] = await sql<{ weight: string | null }[]>`
    select sum(weight) as weight from (${weighed(sql, key, stretch)}) as messages_of_it`
  return Number(row?.weight ?? 0)
}

/** How many messages a stretch has that may be used. */
export async function countMessages(sql: Sql, key: SessionKey, stretch: WeighedStretch): Promise<number> {
  const [row] = await sql<{ count: string }[]>`select count(*) from (${weighed(sql, key, stretch)}) as messages_of_it`
  return Number(row?.count ?? 0)
}

/** The numbers of those messages at some positions among them, from 1, in order. */
export async function seqsAt(
  sql: Sql,
  key: SessionKey,
  { positions, ...stretch }: WeighedStretch & { readonly positions: readonly number[] },
): Promise<number[]> {
  const rows = await sql<{ seq: string }[]>`
    select seq from (
      select seq, row_number() over (order by seq) as position from (${weighed(sql, key, stretch)}) as messages_of_it
    ) as placed
    where position in (select jsonb_array_elements_text(${JSON.stringify(positions)}::text::jsonb)::bigint) order by seq`
  return rows.map(({ seq }) => Number(seq))
}

/** The newest messages of a stretch up to a weight, and whether there are more; undefined where there are none. */
export async function newestByWeight(
  sql: Sql,
  key: SessionKey,
  stretch: WeighedStretch & { readonly weightMax: number },
): Promise<(WeighedPiece & { readonly hasMore: boolean }) | undefined> {
  const rows = await sql<{ first: string | null; last: string | null; weight: string | null; more: boolean | null }[]>`
    select min(seq) filter (where taken) as first, max(seq) as last, sum(weight) filter (where taken) as weight, bool_or(not taken) as more
    from (
      select seq, weight, sum(weight) over (order by seq desc) - weight < ${stretch.weightMax}::numeric as taken
      from (${weighed(sql, key, stretch)}) as messages_of_it
    ) as placed`
  const [row] = rows
  if (row === undefined || row.first === null) return undefined
  const { first, last, weight, more } = row
  return { firstSeq: Number(first), lastSeq: Number(last), weight: Number(weight), hasMore: more === true }
}

/** A segment of a session that has messages of a time. */
export interface TimedSegment {
  readonly index: number
  /** Whether all of its messages are of that time. */
  readonly isWhole: boolean
}

/** Which segments of so many messages have some of a stretch, in order. */
export async function segmentsOfTime(
  sql: Sql,
  key: SessionKey,
  { segmentMessages, since, until, ...range }: WeighedStretch & { readonly segmentMessages: number },
): Promise<TimedSegment[]> {
  const isOfTime = sql`(${since === undefined ? sql`true` : sql`timestamp >= ${since}`} and ${until === undefined ? sql`true` : sql`timestamp <= ${until}`})`
  const rows = await sql<{ index: string; whole: boolean }[]>`
    select (seq - 1) / ${segmentMessages}::int as index, bool_and(${isOfTime}) as whole
    from messages where ${inRange(sql, key, { ...range, limit: 0 })} and kind = 'message'
    group by 1 having bool_or(${isOfTime}) order by 1`
  return rows.map(({ index, whole }) => ({ index: Number(index), isWhole: whole }))
}

/** Cuts a stretch into pieces of about the same weight; the last may be lighter. None where it has no messages. */
export async function cutByWeight(
  sql: Sql,
  key: SessionKey,
  stretch: WeighedStretch & { readonly pieceWeight: number },
): Promise<WeighedPiece[]> {
  const rows = await sql<{ first: string; last: string; weight: string }[]>`
    select min(seq) as first, max(seq) as last, sum(weight) as weight from (
      select seq, weight, floor((sum(weight) over (order by seq) - weight) / ${stretch.pieceWeight}::numeric) as piece
      from (${weighed(sql, key, stretch)}) as messages_of_it
    ) as placed group by piece order by 1`
  return rows.map(({ first, last, weight }) => ({
    firstSeq: Number(first),
    lastSeq: Number(last),
    weight: Number(weight),
  }))
}
