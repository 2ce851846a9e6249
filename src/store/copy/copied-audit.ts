import type { TransactionSql } from 'postgres'

import type { Caller } from '../../model/access.ts'
import { writeAudit } from '../audit/audit-log.ts'
import type { Queries } from '../rows.ts'
import { digestOf, insertRows, type TableShape } from './table-rows.ts'

/** Rows of an audit log in their order, and where the next ones begin. */
export interface AuditPage {
  readonly rows: readonly string[]
  readonly lastId: number
}

/**
 * What tells one audit log from another: its first row, to which nothing is ever done. Undefined where the log is empty.
 */
export async function auditIdentity(sql: TransactionSql, tenantId: number): Promise<string | undefined> {
  const [row] = await sql<{ row: string }[]>`
    select row_to_json(t)::text as row from audit_log t where tenant_id = ${tenantId} order by id limit 1`
  return row === undefined ? undefined : digestOf(row.row).slice(0, 32)
}

/** The highest number in the log of which all lower ones are there: a server has writers that have not committed yet. */
export async function auditEnd(sql: TransactionSql, tenantId: number, isShared: boolean): Promise<number> {
  if (isShared) await sql`lock table audit_log in share row exclusive mode`
  const [row] = await sql<{ last: string }[]>`
    select coalesce(max(id), 0) as last from audit_log where tenant_id = ${tenantId}`
  return Number(row?.last ?? 0)
}

export async function readAudit(
  sql: TransactionSql,
  tenantId: number,
  page: { readonly after: number; readonly upTo: number; readonly limit: number },
): Promise<AuditPage> {
  const rows = await sql<{ id: string; row: string }[]>`
    select id, row_to_json(t)::text as row from audit_log t
    where tenant_id = ${tenantId} and id > ${page.after} and id <= ${page.upTo} order by id limit ${page.limit}`
  return { rows: rows.map(({ row }) => row), lastId: Number(rows.at(-1)?.id ?? page.after) }
}

const action = 'migrate'
const upTo = 'audit log up to '

/** Up to which of its numbers another store's log was added to this one. */
export async function auditMovedUpTo(sql: Queries, tenantId: number, identity: string): Promise<number> {
  const rows = await sql<{ reason: string }[]>`
    select reason from audit_log
    where tenant_id = ${tenantId} and action = ${action} and object_id = ${identity} and reason is not null
    order by id desc limit 1`
  return Number(rows[0]?.reason.slice(upTo.length) ?? 0)
}

/**
 * Adds rows to the end of the log under new numbers, to be sealed as its own, and a row that says whose they are and how far
 * they go: in one transaction, so that no row is added twice.
 */
export async function appendAudit(
  sql: TransactionSql,
  caller: Caller,
  page: AuditPage & { readonly table: TableShape; readonly identity: string },
): Promise<void> {
  // The transaction has its number before its rows have: see `sealingMoment`.
  await sql`select pg_current_xact_id()`
  await insertRows(sql, page.table, { rows: page.rows, without: ['id', 'written_in'] })
  await writeAudit(sql, caller, {
    action,
    objectKind: 'store',
    objectId: page.identity,
    outcome: 'ok',
    reason: `${upTo}${page.lastId}`,
    count: page.rows.length,
  })
}
