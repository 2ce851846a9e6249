import type { TransactionSql } from 'postgres'

import type { Queries } from '../rows.ts'

/** A seal as it is stored. Hashes are in hexadecimal. */
export interface SealRow {
  readonly tenantId: number
  readonly number: number
  readonly format: number
  readonly rowIds: readonly number[]
  readonly firstId: number
  readonly lastId: number
  readonly rowHashes: string
  readonly previousHash: string
  readonly sealedAtMs: number
  readonly sealedIn: string
  readonly hash: string
}

interface StoredSeal {
  readonly tenant_id: number
  readonly number: string
  readonly format: number
  readonly row_ids: string
  readonly first_id: string
  readonly last_id: string
  readonly row_hashes: string
  readonly previous_hash: string
  readonly sealed_at: string
  readonly sealed_in: string
  readonly hash: string
}

function sealColumns(sql: Queries) {
  return sql`tenant_id, number, format, row_ids::text, first_id, last_id, encode(row_hashes, 'hex') as row_hashes,
    encode(previous_hash, 'hex') as previous_hash, (extract(epoch from sealed_at) * 1000)::bigint as sealed_at,
    sealed_in::text, encode(hash, 'hex') as hash`
}

function fromRow(row: StoredSeal): SealRow {
  return {
    tenantId: row.tenant_id,
    number: Number(row.number),
    format: row.format,
    rowIds: idsOf(row.row_ids),
    firstId: Number(row.first_id),
    lastId: Number(row.last_id),
    rowHashes: row.row_hashes,
    previousHash: row.previous_hash,
    sealedAtMs: Number(row.sealed_at),
    sealedIn: row.sealed_in,
    hash: row.hash,
  }
}

function idsOf(literal: string): number[] {
  return literal === '{}' ? [] : literal.slice(1, -1).split(',').map(Number)
}

/** Seals of a tenant in their order. Uses the primary key. */
export async function readSeals(
  sql: Queries,
  tenantId: number,
  page: { readonly after: number; readonly limit: number },
): Promise<SealRow[]> {
  const rows = await sql<StoredSeal[]>`
    select ${sealColumns(sql)} from audit_seals
    where tenant_id = ${tenantId} and number > ${page.after} order by number limit ${page.limit}`
  return rows.map(fromRow)
}

/** The newest seal of each of some tenants that have any. */
export async function newestSeals(sql: Queries, tenantIds: readonly number[]): Promise<SealRow[]> {
  const rows = await sql<StoredSeal[]>`
    select newest.* from jsonb_array_elements_text(${JSON.stringify(tenantIds)}::text::jsonb) wanted (id),
      lateral (select ${sealColumns(sql)} from audit_seals where tenant_id = wanted.id::int order by number desc limit 1) newest`
  return rows.map(fromRow)
}

/** The number of the newest seal of each tenant that has any. Uses the primary key, once a tenant. */
export async function newestSealNumbers(sql: Queries): Promise<ReadonlyMap<number, number>> {
  const rows = await sql<{ id: number; number: string }[]>`
    select t.id, newest.number from tenants t,
      lateral (select number from audit_seals where tenant_id = t.id order by number desc limit 1) newest`
  return new Map(rows.map(({ id, number }) => [id, Number(number)]))
}

/** The ids of sealed rows of a tenant in seals that reach into a range. */
export async function sealedIds(
  sql: Queries,
  range: { readonly tenantId: number; readonly from: number; readonly to: number },
): Promise<ReadonlySet<number>> {
  const rows = await sql<{ row_ids: string }[]>`
    select row_ids::text from audit_seals
    where tenant_id = ${range.tenantId} and last_id >= ${range.from} and first_id <= ${range.to}`
  return new Set(rows.flatMap((row) => idsOf(row.row_ids)))
}

export async function insertSeals(sql: TransactionSql, seals: readonly SealRow[]): Promise<void> {
  const rows = seals.map((seal) => ({
    tenant_id: seal.tenantId,
    number: seal.number,
    format: seal.format,
    row_ids: `{${seal.rowIds.join(',')}}`,
    first_id: seal.firstId,
    last_id: seal.lastId,
    row_hashes: seal.rowHashes,
    previous_hash: seal.previousHash,
    sealed_at: seal.sealedAtMs,
    sealed_in: seal.sealedIn,
    hash: seal.hash,
  }))
  await sql`
    insert into audit_seals (tenant_id, number, format, row_ids, first_id, last_id, row_hashes, previous_hash, sealed_at,
      sealed_in, hash)
    select tenant_id, number, format, row_ids::bigint[], first_id, last_id, decode(row_hashes, 'hex'),
      decode(previous_hash, 'hex'), to_timestamp(sealed_at / 1000.0), sealed_in::xid8, decode(hash, 'hex')
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as r(tenant_id int, number bigint, format smallint,
      row_ids text, first_id bigint, last_id bigint, row_hashes text, previous_hash text, sealed_at bigint, sealed_in text,
      hash text)`
}

/** The number of this transaction, and the time. Its number is higher than that of any that had begun to write before. */
export async function sealingMoment(
  sql: TransactionSql,
): Promise<{ readonly sealedIn: string; readonly atMs: number }> {
  const [row] = await sql<{ xid: string; at: string }[]>`
    select pg_current_xact_id()::text as xid, floor(extract(epoch from clock_timestamp()) * 1000)::bigint as at`
  if (row === undefined) throw new Error('A transaction has a number')
  return { sealedIn: row.xid, atMs: Number(row.at) }
}
