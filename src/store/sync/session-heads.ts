import type { RowSeal } from '../../crypto/row-seal.ts'
import { UnavailableError } from '../../errors.ts'
import { openText, sealedText, type SessionRecord } from '../archive/archived-session.ts'
import { placeFactsAgain } from '../learning/session-projects.ts'
import type { MessageSource, SessionKey } from '../messages.ts'
import type { Queries } from '../rows.ts'

/** What was said of a session wherever it was exchanged with, as it is stored. */
interface StoredHead {
  readonly body: Uint8Array
  /** As JSON. Throws UnavailableError where it cannot be opened. */
  readonly open: () => Promise<string>
}

/** As `readHead`, opened. */
export async function readHeadText(database: MessageSource, key: SessionKey): Promise<string | undefined> {
  return await (await readHead(database, key))?.open()
}

/** Undefined where nothing of it is known. */
export async function readHead(database: MessageSource, key: SessionKey): Promise<StoredHead | undefined> {
  const { tenantId, sessionId } = key
  const [row] = await database.run(
    (sql) => sql<{ body: Uint8Array; version: number }[]>`
    select body, key_version as version from session_heads where tenant_id = ${tenantId} and session_id = ${sessionId}`,
  )
  if (row === undefined) return undefined
  const open = async () => {
    const seals = await database.vault.sealsOf(tenantId, [{ sessionId, version: row.version }])
    const seal = seals(sessionId, row.version)
    if (row.version !== 0 && seal === undefined)
      throw new UnavailableError(`Cannot read what was said of session "${sessionId}" before as its key is missing`, {
        remedy: 'Restore the key of the store (docs/encryption.md)',
      })
    return openText(seal, { field: 'session head', id: sessionId }, row.body)
  }
  return { body: row.body, open }
}

export async function saveHeadText(
  sql: Queries,
  { tenantId, sessionId }: SessionKey,
  { text, seal }: { readonly text: string; readonly seal: RowSeal | undefined },
): Promise<void> {
  const body = sealedText(seal, { field: 'session head', id: sessionId }, text)
  await sql`
    insert into session_heads (tenant_id, id, session_id, body, key_version)
    values (${tenantId}, ${sessionId}, ${sessionId}, ${body}, ${seal?.version ?? 0})
    on conflict (tenant_id, session_id) do update set body = excluded.body, key_version = excluded.key_version`
}

/** What can be said of a session that is no message; what is absent stays as it is. */
export type SaidOfSession = {
  readonly [Field in 'title' | 'tags' | 'metadata' | 'closed_at' | 'restricted' | 'legal_hold']?:
    | SessionRecord[Field]
    | undefined
}

/** Sets what is given of a session that is locked. */
export async function sayOfSession(
  sql: Queries,
  key: SessionKey,
  { said, seal }: { readonly said: SaidOfSession; readonly seal: RowSeal | undefined },
): Promise<void> {
  const { tenantId, sessionId } = key
  const bytes = (field: 'title' | 'session metadata', text: string | null) =>
    text === null ? null : sealedText(seal, { field, id: sessionId }, text)
  await sql`
    update sessions set version = version + 1
      ${said.title === undefined ? sql`` : sql`, title = ${bytes('title', said.title)}`}
      ${said.metadata === undefined ? sql`` : sql`, metadata = ${bytes('session metadata', said.metadata)}`}
      ${said.tags === undefined ? sql`` : sql`, tags = array(select jsonb_array_elements_text(${JSON.stringify(said.tags)}::text::jsonb))`}
      ${said.closed_at === undefined ? sql`` : sql`, closed_at = ${said.closed_at}::text::timestamptz`}
      ${said.restricted === undefined ? sql`` : sql`, restricted = ${said.restricted}, restrictions = restrictions + 1`}
      ${said.legal_hold === undefined ? sql`` : sql`, legal_hold = ${said.legal_hold}`}
    where tenant_id = ${tenantId} and id = ${sessionId}`
  if (said.metadata !== undefined) await placeFactsAgain(sql, key)
}

/** Removes summaries of a session that clients wrote. */
export async function removeSummaries(
  sql: Queries,
  { tenantId, sessionId }: SessionKey,
  ids: readonly string[],
): Promise<void> {
  await sql`
    delete from summaries where tenant_id = ${tenantId} and session_id = ${sessionId} and made_by = 'host'
      and id in (select jsonb_array_elements_text(${JSON.stringify(ids)}::text::jsonb)::uuid)`
}
