import type { TransactionSql } from 'postgres'

import type { AuditRow } from '../store/audit/audit-rows.ts'
import { lockSealing, readSealing, rowsToSeal, serverNumber, writeSealing } from '../store/audit/audit-sealing.ts'
import { insertSeals, newestSeals, sealedIds, sealingMoment, type SealRow } from '../store/audit/audit-seals.ts'
import type { Database } from '../store/database.ts'
import { inTransaction } from '../store/transaction.ts'
import { beforeFirst, hashOfRow, hashOfSeal, sealFormat, type SealedRow } from './audit-chain.ts'

/** Rows that one transaction seals at most: some 20 ms of the database and 1 MB. */
const rowsPerPage = 2_000

/** What a page did: how many rows it sealed and whether there may be more. `busy` where another process is at it. */
export type SealedPage =
  | {
      readonly rows: number
      readonly hasMore: boolean
      /** Those whose rows they are. */ readonly tenantIds: readonly number[]
    }
  | 'busy'

/**
 * Seals the next rows of all tenants: those whose transactions have ended since the snapshot up to which all are sealed. By
 * snapshots and not by numbers, as a row may become visible after rows with higher numbers have been sealed.
 */
export async function sealPage(database: Database): Promise<SealedPage> {
  return await database.run((sql) =>
    inTransaction(sql, async (transaction) => {
      if (!(await lockSealing(transaction))) return 'busy'
      const state = await readSealing(transaction, await serverNumber(transaction))
      const rows = await rowsToSeal(transaction, state, rowsPerPage)
      const hasMore = rows.length === rowsPerPage
      const unsealed = await withoutSealed(transaction, rows)
      if (unsealed.length > 0) await insertSeals(transaction, await sealsOf(transaction, unsealed))
      // A store that is idle is not written to.
      if (rows.length > 0 || state.sealed === undefined)
        await writeSealing(transaction, state, hasMore ? cursorOf(rows) : undefined)
      return { rows: unsealed.length, hasMore, tenantIds: [...byTenant(unsealed).keys()] }
    }),
  )
}

/** Seals all that was committed before it was called, and returns of which tenants there was something. */
export async function sealAll(database: Database): Promise<ReadonlySet<number>> {
  const tenantIds = new Set<number>()
  for (;;) {
    const page = await sealPage(database)
    if (page === 'busy') return tenantIds
    for (const tenantId of page.tenantIds) tenantIds.add(tenantId)
    if (!page.hasMore) return tenantIds
  }
}

function cursorOf(rows: readonly AuditRow[]): { tenantId: number; id: number } {
  const last = rows.at(-1)
  return { tenantId: Number(last?.tenant_id), id: Number(last?.id) }
}

function byTenant(rows: readonly AuditRow[]): Map<number, AuditRow[]> {
  const groups = new Map<number, AuditRow[]>()
  for (const row of rows) {
    const tenantId = Number(row.tenant_id)
    const group = groups.get(tenantId)
    if (group === undefined) groups.set(tenantId, [row])
    else group.push(row)
  }
  return groups
}

/** Whatever the snapshots say, no row is sealed twice. */
async function withoutSealed(sql: TransactionSql, rows: readonly AuditRow[]): Promise<AuditRow[]> {
  const unsealed: AuditRow[] = []
  for (const [tenantId, group] of byTenant(rows)) {
    const known = await sealedIds(sql, { tenantId, from: Number(group[0]?.id), to: Number(group.at(-1)?.id) })
    unsealed.push(...group.filter(({ id }) => !known.has(Number(id))))
  }
  return unsealed
}

async function sealsOf(sql: TransactionSql, rows: readonly AuditRow[]): Promise<SealRow[]> {
  const groups = byTenant(rows)
  const newest = new Map((await newestSeals(sql, [...groups.keys()])).map((seal) => [seal.tenantId, seal]))
  // After the rows were read: whoever had a number for a transaction by then has a lower one than this.
  const moment = await sealingMoment(sql)
  return [...groups].map(([tenantId, group]) => {
    const previous = newest.get(tenantId)
    return makeSeal(
      { tenantId, number: (previous?.number ?? 0) + 1, previousHash: previous?.hash ?? beforeFirst, ...moment },
      group.map((row) => ({ id: Number(row.id), hash: hashOfRow(row) })),
    )
  })
}

interface Place {
  readonly tenantId: number
  readonly number: number
  readonly previousHash: string
  readonly sealedIn: string
  readonly atMs: number
}

function makeSeal({ atMs, ...place }: Place, rows: readonly SealedRow[]): SealRow {
  const body = { ...place, format: sealFormat, sealedAtMs: atMs }
  const ids = rows.map(({ id }) => id)
  return {
    ...body,
    rowIds: ids,
    firstId: Math.min(...ids),
    lastId: Math.max(...ids),
    rowHashes: rows.map(({ hash }) => hash).join(''),
    hash: hashOfSeal({ ...body, rows }),
  }
}
