import { BrokenSeal } from '../../crypto/aead.ts'
import type { RowSeal } from '../../crypto/row-seal.ts'
import { sha256 } from '../../model/messages/payload.ts'
import type { MessageSource } from '../messages.ts'
import type { Queries } from '../rows.ts'

/** What decides whether a session can be moved: who it is and how far it goes. */
export interface SessionMark {
  readonly id: string
  readonly source: string
  readonly externalId: string | null
  readonly version: number
  readonly lastSeq: number
}

interface MarkRow {
  readonly id: string
  readonly source: string
  readonly external_id: string | null
  readonly version: string
  readonly last_seq: string
}

function markOf(row: MarkRow): SessionMark {
  const { id, source, external_id: externalId, version, last_seq: lastSeq } = row
  return { id, source, externalId, version: Number(version), lastSeq: Number(lastSeq) }
}

/** Sessions, a page at a time by id. Uses the primary key. */
export async function sessionMarks(
  sql: Queries,
  tenantId: number,
  page: { readonly after: string | undefined; readonly limit: number },
): Promise<SessionMark[]> {
  const rows = await sql<MarkRow[]>`
    select id, source, external_id, version, last_seq from sessions
    where tenant_id = ${tenantId} ${page.after === undefined ? sql`` : sql`and id > ${page.after}::uuid`}
    order by id limit ${page.limit}`
  return rows.map(markOf)
}

/** How many messages all sessions of a tenant have. */
export async function countMessages(sql: Queries, tenantId: number): Promise<number> {
  const [row] = await sql<{ messages: string }[]>`
    select coalesce(sum(message_count), 0) as messages from sessions where tenant_id = ${tenantId}`
  return Number(row?.messages ?? 0)
}

/** The sessions that have an id of ours, or a source's own, in common with some of another store. */
export async function sessionsLike(
  sql: Queries,
  tenantId: number,
  sessions: readonly SessionMark[],
): Promise<SessionMark[]> {
  const wanted = JSON.stringify(sessions.map(({ id: i, source: s, externalId: e }) => ({ i, s, e })))
  const rows = await sql<MarkRow[]>`
    with wanted as materialized (select * from jsonb_to_recordset(${wanted}::text::jsonb) as w(i uuid, s text, e text))
    select id, source, external_id, version, last_seq from wanted join sessions on tenant_id = ${tenantId} and id = i
    union
    select id, source, external_id, version, last_seq from wanted
      join sessions on tenant_id = ${tenantId} and source = s and external_id = e`
  return rows.map(markOf)
}

/** What a message is known by: its id and its bytes, in one text. One that was erased or anonymised contradicts nothing. */
export async function messageMarks(
  sql: Queries,
  session: { readonly tenantId: number; readonly sessionId: string },
  page: { readonly fromSeq: number; readonly toSeq: number },
): Promise<ReadonlyMap<number, string>> {
  const rows = await sql<{ seq: string; mark: string }[]>`
    select seq, id::text || encode(payload_sha256, 'hex') as mark from messages
    where tenant_id = ${session.tenantId} and session_id = ${session.sessionId} and seq between ${page.fromSeq} and ${page.toSeq}
      and kind <> 'erased' and anonymized_at is null`
  return new Map(rows.map(({ seq, mark }) => [Number(seq), mark]))
}

/** A message whose bytes are in the archive store. */
export interface ArchivedMessage {
  readonly id: string
  readonly seq: number
  readonly location: string
  /** Whether these are its bytes as they are in the archive. */
  readonly isWhole: (bytes: Uint8Array) => boolean
}

export async function archivedMessages(
  database: MessageSource,
  session: { readonly tenantId: number; readonly sessionId: string },
  page: { readonly fromSeq: number; readonly toSeq: number },
): Promise<ArchivedMessage[]> {
  const { tenantId, sessionId } = session
  const rows = await database.run(
    (sql) => sql<
      { id: string; seq: string; payload_location: string; payload_sha256: Uint8Array; key_version: number }[]
    >`
    select id, seq, payload_location, payload_sha256, key_version from messages
    where tenant_id = ${tenantId} and session_id = ${sessionId} and seq between ${page.fromSeq} and ${page.toSeq}
      and payload_location is not null order by seq`,
  )
  const keys = rows.map((row) => ({ sessionId, version: row.key_version }))
  const seals = await database.vault.sealsOf(tenantId, keys)
  return rows.map(({ id, seq, payload_location: location, payload_sha256: stored, key_version: version }) => {
    const seal = seals(sessionId, version)
    const place = { id, seq: Number(seq), location }
    if (version === 0) return { ...place, isWhole: (bytes) => sha256(bytes).equals(stored) }
    return { ...place, isWhole: (bytes) => opensTo(seal, { location, bytes, stored }) }
  })
}

function opensTo(
  seal: RowSeal | undefined,
  { location, bytes, stored }: { readonly location: string; readonly bytes: Uint8Array; readonly stored: Uint8Array },
): boolean {
  try {
    return seal !== undefined && sha256(seal.openObject(location, bytes)).equals(seal.unmask(stored))
  } catch (error) {
    if (error instanceof BrokenSeal) return false
    throw error
  }
}

/** Messages whose bytes in the database do not match their SHA-256, of those that are not sealed. */
export async function alteredMessages(
  sql: Queries,
  session: { readonly tenantId: number; readonly sessionId: string },
  page: { readonly fromSeq: number; readonly toSeq: number },
): Promise<{ readonly id: string; readonly seq: number }[]> {
  const rows = await sql<{ id: string; seq: string }[]>`
    select id, seq from messages
    where tenant_id = ${session.tenantId} and session_id = ${session.sessionId} and seq between ${page.fromSeq} and ${page.toSeq}
      and key_version = 0 and payload is not null and sha256(payload) <> payload_sha256 order by seq`
  return rows.map(({ id, seq }) => ({ id, seq: Number(seq) }))
}
