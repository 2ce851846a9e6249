import type { TransactionSql } from 'postgres'

import { BrokenSeal } from '../../crypto/aead.ts'
import type { RowSeal } from '../../crypto/row-seal.ts'
import { isJsonObject } from '../../model/json/json.ts'
import { projectOf } from '../../model/project.ts'
import type { MessageSource, SessionKey } from '../messages.ts'
import type { Queries } from '../rows.ts'
import { learnTopic } from '../work/outbox.ts'

/** What a session's facts depend on beside its messages. */
export interface SessionProject {
  /** Undefined where it is not known. */
  readonly project: string | undefined
  /** Changes with what the session's source says of it. */
  readonly mark: string
}

interface RawMetadata {
  id: string
  metadata: Uint8Array | null
  key_version: number
  mark: string
}

const unknown: SessionProject = { project: undefined, mark: '' }

/** The project of a session, restricted ones too: what it says is for the hashes of facts, and is shown to nobody. */
export async function readProject(
  database: MessageSource,
  { tenantId, sessionId }: SessionKey,
): Promise<SessionProject> {
  const [row] = await database.run(
    (sql) => sql<RawMetadata[]>`
    select id, metadata, key_version, coalesce(md5(metadata), '') as mark from sessions
    where tenant_id = ${tenantId} and id = ${sessionId}`,
  )
  if (row === undefined) return unknown
  const seals = await database.vault.sealsOf(tenantId, [{ sessionId, version: row.key_version }])
  return { project: projectOf(open(row, seals(sessionId, row.key_version))), mark: row.mark }
}

/** The mark of what is known of a session by now; undefined where it is not there. To be asked under `lockDescription`. */
export async function readDescribed(
  sql: TransactionSql,
  { tenantId, sessionId }: SessionKey,
): Promise<string | undefined> {
  const [row] = await sql<{ mark: string }[]>`
    select coalesce(md5(metadata), '') as mark from sessions where tenant_id = ${tenantId} and id = ${sessionId}`
  return row?.mark
}

/** What cannot be opened says nothing; `verify` names it. */
function open(row: RawMetadata, seal: RowSeal | undefined): Readonly<Record<string, unknown>> | null {
  if (row.metadata === null || (row.key_version !== 0 && seal === undefined)) return null
  try {
    const bytes = seal === undefined ? row.metadata : seal.open({ field: 'session metadata', id: row.id }, row.metadata)
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'))
    return isJsonObject(value) ? value : null
  } catch (error) {
    if (error instanceof BrokenSeal) return null
    throw error
  }
}

/**
 * Until the end of the transaction: what a session's source says of it is not changed, or by this transaction alone
 * (`exclusive`). So facts are stored before that, and put into the session's project after it, or see it.
 */
export async function lockDescription(
  sql: TransactionSql,
  { tenantId, sessionId }: SessionKey,
  mode: 'shared' | 'exclusive',
): Promise<void> {
  const lock = mode === 'shared' ? sql`pg_advisory_xact_lock_shared` : sql`pg_advisory_xact_lock`
  await sql`select ${lock}(hashtext('session metadata'), hashtext(${`${tenantId} ${sessionId}`}::text))`
}

/**
 * Has the facts of a session put into the project that it has now. That is done where its messages are learned from, before the first of
 * them: this is work on none, so that nothing is learned again, nor sent to a model twice.
 */
export async function placeFactsAgain(sql: Queries, { tenantId, sessionId }: SessionKey): Promise<void> {
  await sql`
    insert into outbox (tenant_id, topic, session_id, first_seq, last_seq)
    select tenant_id, ${learnTopic}, session_id, 1, 0 from facts
    where tenant_id = ${tenantId} and session_id = ${sessionId} limit 1`
}
