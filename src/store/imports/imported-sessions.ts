import type { Sql, TransactionSql } from 'postgres'

import type { RowSeal } from '../../crypto/row-seal.ts'
import { underItsSeal } from '../keys/under-its-seal.ts'
import { lockDescription, placeFactsAgain } from '../learning/session-projects.ts'
import type { MessageSource, SessionKey } from '../messages.ts'
import type { Queries } from '../rows.ts'
import { inTransaction } from '../transaction.ts'

/** The session that has a source's id; undefined where there is none. Uses sessions_external_id. */
export async function sessionIdOf(
  sql: Sql,
  tenantId: number,
  { source, externalId }: Pick<SourceDescription, 'source' | 'externalId'>,
): Promise<string | undefined> {
  const [row] = await sql<{ id: string }[]>`
    select id from sessions where tenant_id = ${tenantId} and source = ${source} and external_id = ${externalId}`
  return row?.id
}

/**
 * What a source says of a session, for what is not known yet: a title or a parent that a user set is not replaced. A session
 * of which messages were erased is left as it is: its title may quote them.
 */
export interface SourceDescription {
  readonly source: string
  readonly externalId: string
  readonly title?: string | undefined
  readonly metadata?: string | undefined
  readonly parentExternalId?: string | undefined
  readonly createdAt?: string | undefined
}

/** Returns whether there was anything to add. */
export async function describeSession(
  database: MessageSource,
  tenantId: number,
  about: SourceDescription,
): Promise<boolean> {
  const sessionId = await database.run((sql) => sessionIdOf(sql, tenantId, about))
  if (sessionId === undefined) return false
  const key = { tenantId, sessionId }
  return await underItsSeal(database, key, (seal) =>
    database.run((sql) => inTransaction(sql, (transaction) => describe(transaction, key, { about, seal }))),
  )
}

/** False where there is nothing to add, or the session has another seal by now. */
async function describe(
  sql: TransactionSql,
  key: SessionKey,
  { about, seal }: { readonly about: SourceDescription; readonly seal: RowSeal | undefined },
): Promise<boolean> {
  const { tenantId, sessionId } = key
  await lockDescription(sql, key, 'exclusive')
  const bytes = (field: 'title' | 'session metadata', text: string | undefined) => {
    if (text === undefined) return null
    const plain = Buffer.from(text, 'utf8')
    return seal === undefined ? plain : seal.seal({ field, id: sessionId }, plain)
  }
  const rows = await sql`
    update sessions set title = coalesce(title, ${bytes('title', about.title)}), metadata = coalesce(metadata, ${bytes('session metadata', about.metadata)}),
      parent_external_id = coalesce(parent_external_id, ${about.parentExternalId ?? null}),
      created_at = least(created_at, coalesce(${about.createdAt ?? null}::text::timestamptz, created_at)), version = version + 1
    where tenant_id = ${tenantId} and id = ${sessionId} and key_version = ${seal?.version ?? 0} and erasures = 0
      and ((title is null and ${about.title !== undefined}) or (metadata is null and ${about.metadata !== undefined})
        or (parent_external_id is null and ${about.parentExternalId !== undefined})
        or created_at > coalesce(${about.createdAt ?? null}::text::timestamptz, created_at))
    returning 1`
  // Decisions are of the project that this may name.
  if (rows.length > 0 && about.metadata !== undefined) await placeFactsAgain(sql, key)
  return rows.length > 0
}

/** Links sessions to parents that arrived after them. Uses sessions_without_parent. */
export async function linkParents(sql: Queries, tenantId: number): Promise<void> {
  await sql`
    update sessions child set parent_session_id = parent.id, version = child.version + 1
    from sessions parent
    where child.tenant_id = ${tenantId} and child.parent_session_id is null and child.parent_external_id is not null
      and parent.tenant_id = child.tenant_id and parent.source = child.source and parent.external_id = child.parent_external_id`
}
