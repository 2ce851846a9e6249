import { isSaved } from '../../model/messages/tombstone.ts'
import type { SessionRecord } from '../archive/archived-session.ts'
import { knownTombstones, marksOfNamed, tombstoneKeys } from '../erasure/tombstones.ts'
import type { Queries, Transaction } from '../rows.ts'
import { countErasing } from './shared-erasures.ts'
import { firstName, holderOf } from './synced-session.ts'

/** A session of another store, by what it says of itself. */
export type Arriving = Pick<SessionRecord, 'id' | 'source' | 'external_id'>

/**
 * The names by which it may have been erased. What was imported is the same transcript where its name was taken and it has its id behind it; of
 * sessions that clients begin under one name it says that they are two.
 */
function namesOf(session: Arriving): string[] {
  const { source, external_id: name } = session
  const first = isSaved(source) ? name : firstName(session)
  return [...new Set([name, first])].filter((one) => one !== null)
}

/**
 * Whether a session of that name and source was erased here, as an import of it would be refused, under whichever id another store has it. For a session
 * that is not here.
 */
export async function isErasedByName(sql: Queries, tenantId: number, session: Arriving): Promise<boolean> {
  const names = namesOf(session)
  const keys = names.length === 0 ? [] : await tombstoneKeys(sql, tenantId)
  return keys.length > 0 && (await haveTombstone(sql, tenantId, { keys, names, source: session.source }))
}

/** The same of a session that is about to begin here; `pending` where the one of its name is still being erased. */
export async function refusalByName(
  sql: Transaction,
  tenantId: number,
  session: Arriving,
): Promise<'erased' | 'pending' | undefined> {
  const { source } = session
  const names = namesOf(session)
  const keys = names.length === 0 ? [] : await tombstoneKeys(sql, tenantId)
  if (keys.length === 0) return undefined
  // Before its tombstone is looked for: whoever erases it locks it until that is there.
  for (const name of names) {
    const holder = await holderOf(sql, tenantId, { source, name })
    if (holder !== undefined && (await countErasing(sql, tenantId, holder)) > 0) return 'pending'
  }
  return (await haveTombstone(sql, tenantId, { keys, names, source })) ? 'erased' : undefined
}

async function haveTombstone(
  sql: Queries,
  tenantId: number,
  {
    keys,
    names,
    source,
  }: { readonly keys: readonly Uint8Array[]; readonly names: readonly string[]; readonly source: string },
): Promise<boolean> {
  const marks = names.flatMap((externalId) => marksOfNamed(keys, { source, externalId }))
  return (await knownTombstones(sql, tenantId, marks)).size > 0
}
