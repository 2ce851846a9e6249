import type { TransactionSql } from 'postgres'

import type { SessionKey } from '../messages.ts'
import type { Queries } from '../rows.ts'

/** Which keys a session has. */
export interface SessionKeyState {
  /** What it is saved under; 0 where it is not sealed. */
  readonly current: number
  /** The versions that are not destroyed, in ascending order, and the highest one that there ever was. */
  readonly live: readonly number[]
  readonly highest: number
}

/** Undefined where there is no such session. */
export async function readSessionKeyState(sql: Queries, key: SessionKey): Promise<SessionKeyState | undefined> {
  const [row] = await sql<{ current: number; live: number[]; highest: number }[]>`
    select s.key_version as current, greatest(s.key_version, max(k.version)) as highest,
      coalesce(jsonb_agg(k.version order by k.version) filter (where k.destroyed_at is null and k.version is not null), '[]') as live
    from sessions s
    left join encryption_keys k on k.tenant_id = s.tenant_id and k.purpose = 'session' and k.session_id = s.id
    where s.tenant_id = ${key.tenantId} and s.id = ${key.sessionId} group by s.key_version`
  return row
}

/** The private columns of a session, as they are stored. */
export interface SessionBytes {
  readonly title: Uint8Array | null
  readonly metadata: Uint8Array | null
}

/** Locks a session until the end of the transaction; undefined where it is not under that version of its key. */
export async function lockSession(
  sql: TransactionSql,
  key: SessionKey,
  version: number,
): Promise<SessionBytes | undefined> {
  const [row] = await sql<SessionBytes[]>`
    select title, metadata from sessions
    where tenant_id = ${key.tenantId} and id = ${key.sessionId} and key_version = ${version} for update`
  return row
}

/**
 * Puts a session that is locked under another version of its key: what is saved from now on is sealed with that. `erasures` counts
 * up, as who archives it and has read it before must not note what that wrote.
 */
export async function switchSession(
  sql: TransactionSql,
  key: SessionKey,
  { title, metadata, version }: SessionBytes & { readonly version: number },
): Promise<void> {
  await sql`
    update sessions set key_version = ${version}, version = version + 1, erasures = erasures + 1, title = ${title === null ? null : Buffer.from(title)},
      metadata = ${metadata === null ? null : Buffer.from(metadata)}
    where tenant_id = ${key.tenantId} and id = ${key.sessionId}`
}

/** Forgets what is archived of a session: all of it is archived again. Who is at it has read it before, and notes nothing. */
export async function forgetArchived(sql: TransactionSql, { tenantId, sessionId }: SessionKey): Promise<void> {
  // Whoever is noting what it wrote is done, so that it is forgotten too.
  await sql`select from sessions where tenant_id = ${tenantId} and id = ${sessionId} for update`
  await sql`
    update sessions set erasures = erasures + 1, version = version + 1 where tenant_id = ${tenantId} and id = ${sessionId}`
  await sql`delete from archive_segments where tenant_id = ${tenantId} and session_id = ${sessionId}`
  await sql`delete from archive_manifests where tenant_id = ${tenantId} and kind = 'session' and subject_id = ${sessionId}`
}

/** A message that is under another version of its session's key than it is to be. */
export interface FormerMessage {
  readonly seq: number
  readonly version: number
  /** Of its row, about. */
  readonly sizeBytes: number
}

/** Messages that are under another version of the key, the newest first. Nothing of those that were erased is sealed. */
export async function readFormerMessages(
  sql: Queries,
  key: SessionKey,
  wanted: { readonly version: number; readonly before: number; readonly limit: number },
): Promise<FormerMessage[]> {
  const rows = await sql<{ seq: string; version: number; size: number }[]>`
    select seq, key_version as version, octet_length(coalesce(payload, '')) + octet_length(coalesce(text, '')) as size from messages
    where tenant_id = ${key.tenantId} and session_id = ${key.sessionId} and seq < ${wanted.before} and key_version <> ${wanted.version}
      and kind <> 'erased'
    order by seq desc limit ${wanted.limit}`
  return rows.map(({ seq, version, size }) => ({ seq: Number(seq), version, sizeBytes: size }))
}

/** The private columns of a message under another version of the key. */
export interface ResealedMessage {
  /** Its number may be another by now: a sync may put others before it. */
  readonly id: string
  readonly formerly: number
  readonly payload: Uint8Array | undefined
  readonly location: string | undefined
  readonly sha256: Uint8Array
  readonly text: Uint8Array | undefined
  readonly metadata: Uint8Array | undefined
}

/** Puts messages under another version of the key; those that are under another than before by now are left alone. */
export async function storeResealed(
  sql: Queries,
  key: SessionKey,
  { messages, version }: { readonly messages: readonly ResealedMessage[]; readonly version: number },
): Promise<void> {
  const base64 = (bytes: Uint8Array | undefined) =>
    bytes === undefined ? undefined : Buffer.from(bytes).toString('base64')
  const rows = messages.map(({ id, formerly, payload, location, sha256, text, metadata }) => ({
    i: id,
    v: formerly,
    p: base64(payload),
    l: location,
    h: base64(sha256),
    t: base64(text),
    m: base64(metadata),
  }))
  await sql`
    update messages m set key_version = ${version}, payload = decode(r.p, 'base64'), payload_location = r.l,
      payload_sha256 = decode(r.h, 'base64'), text = decode(r.t, 'base64'), metadata = decode(r.m, 'base64')
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as r(i uuid, v int, p text, l text, h text, t text, m text)
    where m.tenant_id = ${key.tenantId} and m.session_id = ${key.sessionId} and m.id = r.i and m.key_version = r.v
      and m.kind <> 'erased'`
}

/** Where the large payloads of a session are in the archive. */
export async function readPayloadLocations(sql: Queries, key: SessionKey): Promise<string[]> {
  const rows = await sql<{ location: string }[]>`
    select payload_location as location from messages
    where tenant_id = ${key.tenantId} and session_id = ${key.sessionId} and payload_location is not null`
  return rows.map(({ location }) => location)
}

/** What is made of a session, or kept for it, and sealed under its key, by table. */
export type MadeTable = 'summaries' | 'facts' | 'message_names' | 'session_heads' | 'reasons'

/** A summary, a fact, names, a head or a reason as they are stored, with the version of the key that they are under. */
export interface MadeBytes {
  readonly id: string
  readonly body: Uint8Array
  readonly version: number
}

/** What is made of a session and is under another version of its key. */
export async function readFormerMade(
  sql: Queries,
  key: SessionKey,
  { table, version }: { readonly table: MadeTable; readonly version: number },
): Promise<MadeBytes[]> {
  return await sql<MadeBytes[]>`
    select id, body, key_version as version from ${sql(table)}
    where tenant_id = ${key.tenantId} and session_id = ${key.sessionId} and key_version <> ${version} and body is not null`
}

/** Puts a row under another version of the key. One that was written anew or erased since it was read stays as it is by now. */
export async function storeMade(
  sql: Queries,
  tenantId: number,
  {
    table,
    id,
    body,
    version,
    formerly,
  }: MadeBytes & { readonly table: MadeTable; readonly formerly: Omit<MadeBytes, 'id'> },
): Promise<void> {
  await sql`
    update ${sql(table)} set body = ${Buffer.from(body)}, key_version = ${version}
    where tenant_id = ${tenantId} and id = ${id} and key_version = ${formerly.version} and body = ${Buffer.from(formerly.body)}`
}

/** Where what is sealed by a session's key is, but for its row and its reasons. */
const sealedTables = ['messages', 'summaries', 'facts', 'message_names', 'session_heads'] as const

/** Whether a version `k` of a session's key has sealed nothing that is stored in these tables. */
function sealedNothing(sql: Queries, tables: readonly string[]) {
  return sql`not exists (select from sessions s where s.tenant_id = k.tenant_id and s.id = k.session_id and s.key_version = k.version) ${tables.map(
    (table) => sql`and not exists (
      select from ${sql(table)} t where t.tenant_id = k.tenant_id and t.session_id = k.session_id and t.key_version = k.version)`,
  )}`
}

/** Versions of a session's key that live for reasons alone, which the last change of the key could not open. */
export async function readReasonVersions(sql: Queries, { tenantId, sessionId }: SessionKey): Promise<number[]> {
  const rows = await sql<{ version: number }[]>`
    select k.version from encryption_keys k
    where k.tenant_id = ${tenantId} and k.purpose = 'session' and k.session_id = ${sessionId} and k.destroyed_at is null
      and exists (select from reasons r where r.tenant_id = k.tenant_id and r.session_id = k.session_id and r.key_version = k.version)
      and ${sealedNothing(sql, sealedTables)}`
  return rows.map(({ version }) => version)
}

/** Destroys the versions of a session's key under which nothing of it is stored any more. */
export async function destroyFormerKeys(sql: Queries, { tenantId, sessionId }: SessionKey): Promise<void> {
  await sql`
    update encryption_keys k set wrapped = null, destroyed_at = now()
    where k.tenant_id = ${tenantId} and k.purpose = 'session' and k.session_id = ${sessionId} and k.destroyed_at is null
      and ${sealedNothing(sql, [...sealedTables, 'reasons'])}`
}
