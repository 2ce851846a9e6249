import type { TransactionSql } from 'postgres'

import type { Queries } from '../rows.ts'
import { auditColumns, type AuditRow } from './audit-rows.ts'

/** Any number that no other program is likely to lock, and that is not the one of migrations. */
const lockKey = 0x73_65_61_6c

/** What `pg_snapshot` writes out: transactions from `xmax` on, and those listed, were not over when it was taken. */
export interface Snapshot {
  readonly text: string
  readonly xmax: string
  readonly running: readonly string[]
}

function parseSnapshot(text: string): Snapshot {
  const [, xmax = '0', running = ''] = text.split(':')
  return { text, xmax, running: running.split(',').filter((one) => one !== '') }
}

/** Where a row stands in the order in which rows are sealed. */
export interface AuditCursor {
  readonly tenantId: number
  readonly id: number
}

export interface SealingState {
  /** What is visible in it is sealed; undefined where each row has to be compared with the seals. */
  readonly sealed: Snapshot | undefined
  /** What is being worked off. */
  readonly target: Snapshot
  readonly cursor: AuditCursor
  readonly floorId: number
  readonly server: string | undefined
}

const start: AuditCursor = { tenantId: 0, id: 0 }

/** Takes the right to seal until the end of the transaction; false while another process has it. */
export async function lockSealing(sql: TransactionSql): Promise<boolean> {
  const [row] = await sql<{ locked: boolean }[]>`select pg_try_advisory_xact_lock(${lockKey}) as locked`
  return row?.locked === true
}

/** The number that tells a server from its copies and successors; undefined where this login may not ask for it. */
export async function serverNumber(sql: Queries): Promise<string | undefined> {
  const [may] = await sql<{ may: boolean }[]>`
    select has_function_privilege('pg_catalog.pg_control_system()', 'execute') as may`
  if (may?.may !== true) return undefined
  const [row] = await sql<{ server: string }[]>`select system_identifier::text as server from pg_control_system()`
  return row?.server
}

interface StateRow {
  readonly sealed: string | null
  readonly target: string | null
  readonly cursor_tenant: string
  readonly cursor_id: string
  readonly floor_id: string
  readonly server: string | null
  readonly now: string
}

/**
 * How far the log is sealed, and up to where it is to be. A store that was brought to another server, where transactions are
 * counted anew, is looked through as a whole.
 */
export async function readSealing(sql: TransactionSql, server: string | undefined): Promise<SealingState> {
  const [row] = await sql<StateRow[]>`
    select sealed_snapshot as sealed, target_snapshot as target, cursor_tenant, cursor_id, floor_id, server,
      pg_current_snapshot()::text as now
    from audit_sealing`
  if (row === undefined) throw new Error('The table audit_sealing has lost its row')
  const now = parseSnapshot(row.now)
  const sealed = row.sealed === null ? undefined : parseSnapshot(row.sealed)
  const isElsewhere =
    (row.server !== null && server !== undefined && row.server !== server) ||
    (sealed !== undefined && BigInt(sealed.xmax) > BigInt(now.xmax))
  if (isElsewhere)
    return { sealed: undefined, target: now, cursor: start, floorId: await foreignUpTo(sql, now), server }
  const floorId = Number(row.floor_id)
  const shared = { sealed, floorId, server: server ?? row.server ?? undefined }
  if (row.target === null) return { ...shared, target: now, cursor: start }
  const cursor = { tenantId: Number(row.cursor_tenant), id: Number(row.cursor_id) }
  return { ...shared, target: parseSnapshot(row.target), cursor }
}

/** Rows whose transactions have not begun here are of another server. */
async function foreignUpTo(sql: TransactionSql, now: Snapshot): Promise<number> {
  const [row] = await sql<{ id: string | null }[]>`
    select max(id) as id from audit_log where written_in >= ${now.xmax}::text::xid8`
  return Number(row?.id ?? 0)
}

/** Up to where the log is sealed after a page; `undefined` for the cursor where the target is reached. */
export async function writeSealing(
  sql: TransactionSql,
  state: SealingState,
  cursor: AuditCursor | undefined,
): Promise<void> {
  const { tenantId, id } = cursor ?? start
  const sealed = cursor === undefined ? state.target.text : (state.sealed?.text ?? null)
  await sql`
    update audit_sealing set sealed_snapshot = ${sealed}, target_snapshot = ${cursor === undefined ? null : state.target.text},
      cursor_tenant = ${tenantId}, cursor_id = ${id}, floor_id = ${state.floorId}, server = ${state.server ?? null}`
}

/**
 * The next rows that are visible in the target and not in what is sealed, by tenant and number, whenever their transactions
 * ended. Uses the index on transactions.
 */
export async function rowsToSeal(sql: TransactionSql, state: SealingState, limit: number): Promise<AuditRow[]> {
  const { sealed, target, cursor, floorId } = state
  // Compared with the seals one by one, rows are read in the order of the primary key.
  if (sealed === undefined)
    return await sql<AuditRow[]>`
      select ${auditColumns(sql)} from audit_log a where (tenant_id, id) > (${cursor.tenantId}, ${cursor.id})
      order by a.tenant_id, a.id limit ${limit}`
  return await sql<AuditRow[]>`
    with come as materialized (
      select tenant_id, id from audit_log
      where (written_in >= ${sealed.xmax}::text::xid8 or written_in = any(${`{${sealed.running.join(',')}}`}::text::xid8[]))
        and pg_visible_in_snapshot(written_in, ${target.text}::text::pg_snapshot)
        and (tenant_id, id) > (${cursor.tenantId}, ${cursor.id}) and id > ${floorId}
      order by tenant_id, id limit ${limit}
    )
    select ${auditColumns(sql)} from come join audit_log a using (tenant_id, id) order by a.tenant_id, a.id`
}
