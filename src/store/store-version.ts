import type { Queries } from './rows.ts'

/** What a version is made of. */
interface Version {
  /** The number of the newest audit row that can be seen. */
  readonly last: string
  /** The transactions that have begun to write and not ended. */
  readonly open: readonly string[]
}

/**
 * A text that stands for all that a tenant's store holds. Given an earlier one, gives it again where nothing was changed since.
 *
 * Every change writes an audit row in its transaction, after something else, other than those of calls that only read, so the newest row tells of most changes. It does
 * not tell of a transaction that took a lower number for its row and ended later. So it is remembered which were open when the
 * version was made; where some of them have ended since, it is looked up whether they have written a row.
 */
export async function storeVersion(sql: Queries, tenantId: number, since?: string): Promise<string> {
  const rows = await sql<{ last: string; snapshot: string }[]>`
    select (select coalesce(max(id), 0) from audit_log where tenant_id = ${tenantId} and action not like 'call.%')::text as last,
      pg_current_snapshot()::text as snapshot`
  const [row] = rows
  if (row === undefined) throw new Error('The database told no version')
  const version = `${row.last} ${row.snapshot}`
  if (since === undefined) return version
  const [earlier, now] = [parse(since), parse(version)]
  if (earlier.last !== now.last) return version
  const ended = earlier.open.filter((transaction) => !now.open.includes(transaction))
  return ended.length > 0 && (await haveWritten(sql, tenantId, ended)) ? version : since
}

/** Whether one of these transactions has written an audit row of the tenant. By the index `audit_log_by_transaction`. */
async function haveWritten(sql: Queries, tenantId: number, transactions: readonly string[]): Promise<boolean> {
  const rows = await sql`
    select 1 from audit_log
    where written_in = any(${`{${transactions.join(',')}}`}::text::xid8[]) and tenant_id = ${tenantId} and action not like 'call.%'
    limit 1`
  return rows.length > 0
}

/** `LAST XMIN:XMAX:OPEN,OPEN…` */
function parse(version: string): Version {
  const [last = '', snapshot = ''] = version.split(' ')
  const open = snapshot.split(':')[2] ?? ''
  return { last, open: open === '' ? [] : open.split(',') }
}
