import type { Queries } from '../rows.ts'

/** Some messages of a session: all from `first` to `last`, or of those `only` some. */
export interface Piece {
  readonly first: number
  readonly last: number
  readonly only?: readonly number[]
}

/** The condition that a column with a message's number is of a piece. Its ends bound what is read of the index. */
export function isOf(sql: Queries, column: string, { first, last, only }: Piece) {
  return only === undefined
    ? sql`${sql(column)} between ${first} and ${last}`
    : sql`${sql(column)} between ${first} and ${last}
        and ${sql(column)} in (select jsonb_array_elements_text(${JSON.stringify(only)}::text::jsonb)::bigint)`
}
