import { readNote } from '../../model/reason.ts'
import type { Queries } from '../rows.ts'

/** A reason that an older version wrote into the row that it is of. */
export type OldReason =
  | { readonly table: 'erasures'; readonly id: string; readonly words: string }
  | { readonly table: 'restricted_participants'; readonly name: string; readonly words: string }

/** Those of receipts and of restrictions; rows of the audit log stay as they are for good. What retention erased it says why itself. */
export async function readOldReasons(sql: Queries, tenantId: number): Promise<OldReason[]> {
  const receipts = await sql<{ id: string; words: string }[]>`
    select id, reason as words from erasures where tenant_id = ${tenantId} and reason is not null and scope <> 'retention'`
  const restrictions = await sql<{ name: string; words: string }[]>`
    select name, reason as words from restricted_participants where tenant_id = ${tenantId}`
  const all: readonly OldReason[] = [
    ...receipts.map((row) => ({ table: 'erasures', ...row }) as const),
    ...restrictions.map((row) => ({ table: 'restricted_participants', ...row }) as const),
  ]
  return all.filter(({ words }) => readNote(words) === undefined)
}

/** Puts what stands for a reason in its place; false where it is another by now. */
export async function noteOldReason(
  sql: Queries,
  tenantId: number,
  { old, note }: { readonly old: OldReason; readonly note: string },
): Promise<boolean> {
  const its = old.table === 'erasures' ? sql`id = ${old.id}` : sql`name = ${old.name}`
  const done = await sql`
    update ${sql(old.table)} set reason = ${note} where tenant_id = ${tenantId} and ${its} and reason = ${old.words}`
  return done.count > 0
}
