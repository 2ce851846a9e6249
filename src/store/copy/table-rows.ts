import { createHash } from 'node:crypto'

import type { TransactionSql } from 'postgres'

import type { Database } from '../database.ts'
import type { Queries } from '../rows.ts'
import { identifier, joined, text, type SqlText } from '../sql-text.ts'
import { inTransaction } from '../transaction.ts'

/** A table as the catalog has it, so that a column that is added later is copied too. */
export interface TableShape {
  readonly name: string
  readonly columns: readonly string[]
  /** Those of type `bytea`: what makes a row large. */
  readonly byteColumns: readonly string[]
  readonly key: readonly { readonly name: string; readonly type: string }[]
}

/** The primary key of a row, each of its columns as text. */
export type RowKey = readonly string[]

/** Rows from one key to another, both included, of those that meet a condition on `t`. */
export interface RowRange {
  readonly where: SqlText
  readonly from: RowKey
  readonly to: RowKey
}

/** Rows by their key as JSON. */
export type RowsByKey = ReadonlyMap<string, string>

const comma = text`, `
const column = (name: string): SqlText => text`t.${identifier(name)}`

async function query<T extends object>(sql: Queries, statement: SqlText): Promise<readonly T[]> {
  const { text: words, values } = statement.toStatement()
  return await sql.unsafe<T[]>(words, values)
}

/**
 * Runs `work` in a transaction in which rows have the same text on every server, whatever its settings are: rows of two
 * stores are compared by it.
 */
export async function inPlainText<T>(
  database: Pick<Database, 'run'>,
  work: (sql: TransactionSql) => Promise<T>,
): Promise<T> {
  return await database.run((sql) =>
    inTransaction(sql, async (transaction) => {
      await transaction`
        select set_config('TimeZone', 'UTC', true), set_config('bytea_output', 'hex', true), set_config('extra_float_digits', '1', true)`
      return await work(transaction)
    }),
  )
}

/** Undefined where there is no such table. */
export async function describeTable(sql: Queries, name: string): Promise<TableShape | undefined> {
  const rows = await sql<{ name: string; type: string; place: number | null }[]>`
    select a.attname as name, y.typname as type, array_position(i.indkey::int2[], a.attnum) as place
    from pg_attribute a join pg_type y on y.oid = a.atttypid left join pg_index i on i.indrelid = a.attrelid and i.indisprimary
    where a.attrelid = to_regclass(${name}) and a.attnum > 0 and not a.attisdropped
    order by a.attnum`
  if (rows.length === 0) return undefined
  const key = rows.flatMap(({ name: column, type, place }) => (place === null ? [] : [{ name: column, type, place }]))
  return {
    name,
    columns: rows.map((row) => row.name),
    byteColumns: rows.filter(({ type }) => type === 'bytea').map((row) => row.name),
    key: key.toSorted((a, b) => a.place - b.place),
  }
}

function keyText(table: TableShape): SqlText {
  const parts = table.key.map(({ name }) => text`${column(name)}::text`)
  return text`to_json(array[${joined(parts, comma)}])`
}

function compared(table: TableShape, operator: '>' | '>=' | '<=', key: RowKey): SqlText {
  const columns = table.key.map(({ name }) => column(name))
  const values = table.key.map(({ type }, index) => text`${key[index] ?? null}::text::${identifier(type)}`)
  const comparison = { '>': text`>`, '>=': text`>=`, '<=': text`<=` }[operator]
  return text`(${joined(columns, comma)}) ${comparison} (${joined(values, comma)})`
}

/** Keys in their order, with about how many bytes their rows have. Uses the primary key. */
export async function readKeys(
  sql: Queries,
  table: TableShape,
  page: { readonly where: SqlText; readonly after?: RowKey | undefined; readonly limit: number },
): Promise<{ readonly key: RowKey; readonly bytes: number }[]> {
  const sizes = [text`0`, ...table.byteColumns.map((name) => text`coalesce(octet_length(${column(name)}), 0)`)]
  const after = page.after === undefined ? text`` : text`and ${compared(table, '>', page.after)}`
  const order = table.key.map(({ name }) => column(name))
  const rows = await query<{ key: string[]; bytes: number }>(
    sql,
    text`select ${keyText(table)} as key, (${joined(sizes, text` + `)})::float8 as bytes
      from ${identifier(table.name)} t where ${page.where} ${after} order by ${joined(order, comma)} limit ${page.limit}`,
  )
  return rows.map(({ key, bytes }) => ({ key, bytes }))
}

export async function countRows(sql: Queries, table: string, where: SqlText): Promise<number> {
  const rows = await query<{ count: string }>(
    sql,
    text`select count(*) as count from ${identifier(table)} t where ${where}`,
  )
  return Number(rows[0]?.count ?? 0)
}

async function readRange(
  sql: Queries,
  table: TableShape,
  range: RowRange & { readonly value: SqlText },
): Promise<RowsByKey> {
  const rows = await query<{ key: string[]; value: string }>(
    sql,
    text`select ${keyText(table)} as key, ${range.value} as value from ${identifier(table.name)} t
      where ${range.where} and ${compared(table, '>=', range.from)} and ${compared(table, '<=', range.to)}`,
  )
  return new Map(rows.map((row) => [JSON.stringify(row.key), row.value]))
}

function rowText(table: TableShape): SqlText {
  return text`row_to_json((select x from (select ${joined(table.columns.map(column), comma)}) x))::text`
}

/** Whole rows as JSON, which takes any type there and back: bytes in hexadecimal, numbers with all their digits. */
export async function readRows(sql: TransactionSql, table: TableShape, range: RowRange): Promise<RowsByKey> {
  return await readRange(sql, table, { ...range, value: rowText(table) })
}

/** SHA-256 of the same, in hexadecimal, made where the rows are. */
export async function readDigests(sql: TransactionSql, table: TableShape, range: RowRange): Promise<RowsByKey> {
  return await readRange(sql, table, {
    ...range,
    value: text`encode(sha256(convert_to(${rowText(table)}, 'UTF8')), 'hex')`,
  })
}

export function digestOf(row: string): string {
  return createHash('sha256').update(row).digest('hex')
}

/** Rows that were read by `readRows`, as a table named `r`. */
function recordset(table: TableShape, rows: readonly string[]): SqlText {
  return text`json_populate_recordset(null::${identifier(table.name)}, ${`[${rows.join(',')}]`}::text::json) r`
}

/** Adds rows, other than those of which the key or anything else that is unique is taken. */
export async function insertRows(
  sql: Queries,
  table: TableShape,
  {
    rows,
    without = [],
    values: given,
  }: {
    readonly rows: readonly string[]
    /** Columns that get their default. */
    readonly without?: readonly string[]
    /** Columns that get another value than the rows have. */
    readonly values?: ReadonlyMap<string, SqlText>
  },
): Promise<void> {
  if (rows.length === 0) return
  const names = table.columns.filter((name) => !without.includes(name))
  const values = names.map((name) => given?.get(name) ?? text`r.${identifier(name)}`)
  await query(
    sql,
    text`insert into ${identifier(table.name)} (${joined(names.map(identifier), comma)})
      select ${joined(values, comma)} from ${recordset(table, rows)} on conflict do nothing`,
  )
}

function sameKey(table: TableShape): SqlText {
  return joined(
    table.key.map(({ name }) => text`${column(name)} = r.${identifier(name)}`),
    text` and `,
  )
}

/**
 * Puts rows in the place of those with their keys, where a condition holds on the old row `t` and the new one `r`; columns that are
 * `kept` get the value that is said there.
 */
export async function replaceRows(
  sql: Queries,
  table: TableShape,
  {
    rows,
    where,
    kept,
  }: {
    readonly rows: readonly string[]
    readonly where: SqlText
    readonly kept?: ReadonlyMap<string, SqlText> | undefined
  },
): Promise<void> {
  if (rows.length === 0) return
  const changes = table.columns.map(
    (name) => text`${identifier(name)} = ${kept?.get(name) ?? text`r.${identifier(name)}`}`,
  )
  await query(
    sql,
    text`update ${identifier(table.name)} t set ${joined(changes, comma)} from ${recordset(table, rows)}
      where ${sameKey(table)} and (${where})`,
  )
}

/** The keys of those rows for which a condition holds on the row `t` that is there and the given one `r`. */
export async function keysWhere(
  sql: Queries,
  table: TableShape,
  { rows, where }: { readonly rows: readonly string[]; readonly where: SqlText },
): Promise<ReadonlySet<string>> {
  const there = text`${identifier(table.name)} t, ${recordset(table, rows)} where ${sameKey(table)} and (${where})`
  return await keysFrom(sql, table, there)
}

/** The keys of those of some rows `r` for which a condition holds. */
export async function givenWhere(
  sql: Queries,
  table: TableShape,
  { rows, where }: { readonly rows: readonly string[]; readonly where: SqlText },
): Promise<ReadonlySet<string>> {
  return await keysFrom(sql, table, text`(select r.* from ${recordset(table, rows)} where ${where}) t`)
}

async function keysFrom(sql: Queries, table: TableShape, from: SqlText): Promise<ReadonlySet<string>> {
  const found = await query<{ key: string[] }>(sql, text`select ${keyText(table)} as key from ${from}`)
  return new Set(found.map(({ key }) => JSON.stringify(key)))
}
