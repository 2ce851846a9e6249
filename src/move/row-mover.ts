import type { TransactionSql } from 'postgres'

import type { MovedTable } from '../store/copy/move-plan.ts'
import {
  describeTable,
  digestOf,
  givenWhere,
  inPlainText,
  insertRows,
  keysWhere,
  readDigests,
  readKeys,
  readRows,
  replaceRows,
  type RowKey,
  type RowRange,
  type RowsByKey,
  type TableShape,
} from '../store/copy/table-rows.ts'
import type { Database } from '../store/database.ts'
import type { SqlText } from '../store/sql-text.ts'

const pageRows = 500
const pageBytes = 4 * 1024 * 1024

/** What became of a page of rows; keys are the JSON of their columns' text. */
export interface MovedPage {
  readonly copied: number
  readonly known: number
  /** Rows of which the target has none, or one with other content that stays. */
  readonly wrong: readonly { readonly key: string; readonly isMissing: boolean }[]
}

/** Copies rows from one store to another, and reads each one back by its hash. */
export class RowMover {
  readonly #source: Database
  readonly #target: Database
  readonly #shapes = new Map<string, TableShape>()

  constructor(stores: { readonly source: Database; readonly target: Database }) {
    this.#source = stores.source
    this.#target = stores.target
  }

  /** A table of both stores. Their schemas are the same: each store was brought up to date by this program. */
  async shapeOf(name: string): Promise<TableShape> {
    const known = this.#shapes.get(name)
    if (known !== undefined) return known
    const shape = await this.#source.run((sql) => describeTable(sql, name))
    if (shape === undefined) throw new Error(`The table ${name} is not there`)
    this.#shapes.set(name, shape)
    return shape
  }

  /** The rows of the source that meet a condition, in pages of a bounded size. */
  async *pages(table: MovedTable, where: SqlText): AsyncGenerator<RowRange & { readonly keys: readonly RowKey[] }> {
    const shape = await this.shapeOf(table.name)
    let after: RowKey | undefined
    for (;;) {
      const page = { where, after, limit: pageRows }
      const keys = await this.#source.run((sql) => readKeys(sql, shape, page))
      for (const cut of cutPages(keys)) yield { where, ...cut }
      after = keys.at(-1)?.key
      if (keys.length < pageRows) return
    }
  }

  /**
   * Copies what the target lacks of a page, and what is older there, in one transaction with whatever `beside` writes; then
   * reads everything back. A page that is there already costs two hashes a row.
   */
  async move(
    table: MovedTable,
    range: RowRange,
    beside?: (sql: TransactionSql, copied: readonly RowKey[]) => Promise<void>,
  ): Promise<MovedPage> {
    const shape = await this.shapeOf(table.name)
    const there = await inPlainText(this.#target, (sql) => readDigests(sql, shape, range))
    const known =
      there.size === 0
        ? new Map<string, string>()
        : await inPlainText(this.#source, (sql) => readDigests(sql, shape, range))
    const isThere = (key: string) => known.has(key) && known.get(key) === there.get(key)
    if (known.size > 0 && [...known.keys()].every(isThere)) return { copied: 0, known: known.size, wrong: [] }
    const rows = await inPlainText(this.#source, (sql) => readRows(sql, shape, range))
    const wanted = new Map([...rows].filter(([key]) => !isThere(key)))
    const texts = [...wanted.values()]
    await inPlainText(this.#target, async (sql) => {
      await insertRows(sql, shape, { rows: texts })
      if (table.rule !== undefined)
        await replaceRows(sql, shape, { rows: texts, where: table.rule.olderWhere, kept: table.kept })
      await beside?.(
        sql,
        [...wanted.keys()].filter((key) => !there.has(key)).map((key): RowKey => JSON.parse(key)),
      )
    })
    const after = await inPlainText(this.#target, (sql) => readDigests(sql, shape, range))
    const wrong = await this.#wrong(table, wanted, after)
    const wrongKeys = new Set(wrong.map(({ key }) => key))
    const copied = [...wanted.keys()].filter((key) => !wrongKeys.has(key) && after.get(key) !== there.get(key)).length
    return { copied, known: rows.size - copied - wrong.length, wrong }
  }

  async #wrong(table: MovedTable, wanted: RowsByKey, after: RowsByKey): Promise<MovedPage['wrong']> {
    const shape = await this.shapeOf(table.name)
    const different = [...wanted].filter(([key, row]) => after.get(key) !== digestOf(row))
    if (different.length === 0) return []
    const rows = different.map(([, row]) => row)
    const { rule, dispensable } = table
    const none = new Set<string>()
    const ahead =
      rule === undefined
        ? none
        : await this.#target.run((sql) => keysWhere(sql, shape, { rows, where: rule.aheadWhere }))
    const spared =
      dispensable === undefined
        ? none
        : await this.#target.run((sql) => givenWhere(sql, shape, { rows, where: dispensable }))
    return different.flatMap(([key]) => {
      const isMissing = !after.has(key)
      return ahead.has(key) || (isMissing && spared.has(key)) ? [] : [{ key, isMissing }]
    })
  }
}

/** Cuts keys into ranges of rows that have some 4 MiB together; a larger row has a page of its own. */
function* cutPages(
  rows: readonly { readonly key: RowKey; readonly bytes: number }[],
): Generator<{ readonly from: RowKey; readonly to: RowKey; readonly keys: readonly RowKey[] }> {
  let page: RowKey[] = []
  let bytes = 0
  for (const [index, row] of rows.entries()) {
    page.push(row.key)
    bytes += row.bytes
    const next = rows[index + 1]
    if (next !== undefined && bytes + next.bytes <= pageBytes) continue
    const [from] = page
    if (from !== undefined) yield { from, to: row.key, keys: page }
    page = []
    bytes = 0
  }
}
