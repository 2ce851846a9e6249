import { noteForm } from '../../model/reason.ts'
import type { Database } from '../database.ts'
import type { Queries } from '../rows.ts'

/** The reason of a receipt or of a restriction. */
export interface RowReason {
  readonly table: 'erasures' | 'restricted_participants'
  /** Of the receipt; the name of the participant. */
  readonly id: string
  readonly reason: string
}

const rowsAtOnce = 500

/**
 * Reasons that receipts and restrictions have, a page at a time: those that they note, or words that an older version wrote into them. What
 * retention erased it says why itself.
 */
export async function* rowReasons(
  database: Pick<Database, 'run'>,
  tenantId: number,
  are: 'noted' | 'words',
): AsyncGenerator<readonly RowReason[]> {
  for (const table of ['erasures', 'restricted_participants'] as const) {
    let after: string | undefined
    do {
      const from = after
      const page = await database.run((sql) => readPage(sql, tenantId, { table, are, after: from }))
      after = page.at(-1)?.id
      if (page.length > 0) yield page
    } while (after !== undefined)
  }
}

async function readPage(
  sql: Queries,
  tenantId: number,
  {
    table,
    are,
    after,
  }: Pick<RowReason, 'table'> & { readonly are: 'noted' | 'words'; readonly after?: string | undefined },
): Promise<RowReason[]> {
  const id = sql(keyOf[table])
  return await sql<RowReason[]>`
    select ${table} as "table", ${id} as id, reason from ${sql(table)}
    where tenant_id = ${tenantId} and (reason ~ ${noteForm}) = ${are === 'noted'}
      ${table === 'erasures' ? sql`and scope <> 'retention'` : sql``} ${after === undefined ? sql`` : sql`and ${id} > ${after}`}
    order by ${id} limit ${rowsAtOnce}`
}

const keyOf = { erasures: 'id', restricted_participants: 'name' } as const

/** Puts what stands for a reason in its place; false where it is another by now. */
export async function noteOldReason(
  sql: Queries,
  tenantId: number,
  { old, note }: { readonly old: RowReason; readonly note: string },
): Promise<boolean> {
  const done = await sql`
    update ${sql(old.table)} set reason = ${note}
    where tenant_id = ${tenantId} and ${sql(keyOf[old.table])} = ${old.id} and reason = ${old.reason}`
  return done.count > 0
}
