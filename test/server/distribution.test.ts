import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import postgres, { type Sql } from 'postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { makeDatabase, type TestDatabase } from '../support/test-store.ts'

/** What docs/scaling.md says is not spread over nodes by its tenant. */
const guide = readFileSync(fileURLToPath(new URL('../../docs/scaling.md', import.meta.url)), 'utf8')
const elsewhere = [...guide.matchAll(/^\| `(\w+)` \| (?:reference|local) table \|/gm)].map((match) => match.at(1) ?? '')

let database: TestDatabase
let sql: Sql

beforeAll(async () => {
  database = await makeDatabase()
  sql = postgres(database.url, { max: 1, onnotice: () => undefined })
})
afterAll(async () => {
  await sql.end()
  await database.drop()
})

interface UniqueIndex {
  readonly table_name: string
  readonly index_name: string
  readonly columns: readonly string[]
}

/** Primary keys and unique indexes of the product's tables, those of partitions left out. */
async function uniqueIndexes(): Promise<readonly UniqueIndex[]> {
  return await sql<UniqueIndex[]>`
    select t.relname as table_name, i.relname as index_name, array_agg(a.attname::text order by a.attnum) as columns
    from pg_index x join pg_class t on t.oid = x.indrelid join pg_class i on i.oid = x.indexrelid
      join pg_attribute a on a.attrelid = t.oid and a.attnum = any (x.indkey)
    where x.indisunique and t.relnamespace = 'public'::regnamespace and not t.relispartition
    group by 1, 2 order by 1, 2`
}

/** Words that stand where a table's name does. */
const noTables = ['lateral', 'unnest', 'jsonb_array_elements', 'jsonb_to_recordset', 'jsonb_array_elements_text']

/** The joins of a text in SQL: the table, and the condition up to what ends it. */
function joinsOf(text: string): { readonly table: string; readonly condition: string }[] {
  const pattern =
    /\bjoin (?:only )?(\w+)(?: (?:as )?(?!on\b|using\b)(\w+))?\s+(?:on|using)\b([^]*?)(?=\b(?:left |right |full |cross )?join\b|\bwhere\b|\border by\b|\bgroup by\b|\blimit\b|\breturning\b|\bunion\b|[`;]|$)/gi
  return [...text.matchAll(pattern)]
    .map(([, table = '', , condition = '']) => ({ table: table.toLowerCase(), condition }))
    .filter(({ table }) => !noTables.includes(table))
}

describe('a distributed PostgreSQL can spread the store by tenant_id', () => {
  test('as every key of what it spreads has the tenant in it', async () => {
    const all = await uniqueIndexes()
    expect(all.length).toBeGreaterThan(20)
    const without = all.filter(({ columns }) => !columns.includes('tenant_id'))
    expect(without.filter(({ table_name: table }) => !elsewhere.includes(table))).toEqual([])
    // Else the page says of a table that it cannot be spread which could be.
    expect(elsewhere.toSorted()).toEqual([...new Set(without.map(({ table_name: table }) => table))].toSorted())
  })

  test('as no foreign key leads from one tenant to another', async () => {
    const foreign = await sql<{ name: string; columns: string[]; target: string }[]>`
      select c.conname as name, c.confrelid::regclass::text as target,
        (select array_agg(a.attname::text) from pg_attribute a where a.attrelid = c.conrelid and a.attnum = any (c.conkey)) as columns
      from pg_constraint c join pg_class t on t.oid = c.conrelid
      where c.contype = 'f' and t.relnamespace = 'public'::regnamespace and not t.relispartition`
    expect(
      foreign.filter(({ columns, target }) => !columns.includes('tenant_id') && !elsewhere.includes(target)),
    ).toEqual([])
  })

  test('as every join of two tables that it spreads is within one tenant', async () => {
    const names = await sql<{ name: string }[]>`
      select relname as name from pg_class
      where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition`
    const tables = new Set(names.map(({ name }) => name))
    const functions = await sql<{ name: string; source: string }[]>`
      select proname as name, prosrc as source from pg_proc p
      where pronamespace = 'public'::regnamespace
        and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')`
    const texts = [
      ...functions.map(({ name, source }) => [name, source] as const),
      ...storeSources().map((path) => [path, readFileSync(path, 'utf8')] as const),
    ]
    const joins = texts.flatMap(([where, text]) =>
      joinsOf(text)
        .filter(({ table }) => tables.has(table) && !elsewhere.includes(table))
        .map((join) => ({ where, ...join })),
    )
    expect(joins.length).toBeGreaterThan(4)
    expect(joins.filter(({ condition }) => !/tenant_id|tenant\b/.test(condition))).toEqual([])
  })
})

function storeSources(): string[] {
  const root = fileURLToPath(new URL('../../src/store/', import.meta.url))
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => join(root, path))
}
