import type { TransactionSql } from 'postgres'

import type { SessionKey } from '../messages.ts'
import type { Queries } from '../rows.ts'

/** A segment that is in the archive. Hashes are in hex. */
export interface ArchivedSegment {
  readonly number: number
  readonly firstSeq: number
  readonly lastSeq: number
  readonly location: string
  readonly sha256: string
  readonly chain: string
  readonly sizeBytes: number
}

/** The newest manifest of a session or of an imported document. */
export interface ArchivedManifest {
  readonly kind: 'session' | 'file'
  readonly subjectId: string
  readonly number: number
  readonly version: number
  readonly location: string
  readonly sha256: Uint8Array
  readonly contentSha256: Uint8Array
}

/** All segments of a session in order. Uses the primary key. */
export async function readSegments(sql: Queries, key: SessionKey): Promise<ArchivedSegment[]> {
  const rows = await sql<
    {
      number: number
      first_seq: string
      last_seq: string
      location: string
      sha256: string
      chain: string
      size_bytes: string
    }[]
  >`
    select number, first_seq, last_seq, location, encode(sha256, 'hex') as sha256, encode(chain_sha256, 'hex') as chain, size_bytes
    from archive_segments where tenant_id = ${key.tenantId} and session_id = ${key.sessionId} order by number`
  return rows.map((row) => ({
    number: row.number,
    firstSeq: Number(row.first_seq),
    lastSeq: Number(row.last_seq),
    location: row.location,
    sha256: row.sha256,
    chain: row.chain,
    sizeBytes: Number(row.size_bytes),
  }))
}

/**
 * Whether what was read of a session may still be archived: it is there, and none of its messages were erased since. Until the
 * transaction ends nobody erases any.
 */
export async function isUnerased(sql: TransactionSql, key: SessionKey, erasures: number): Promise<boolean> {
  const rows = await sql`
    select from sessions where tenant_id = ${key.tenantId} and id = ${key.sessionId} and erasures = ${erasures} for key share`
  return rows.length > 0
}

/**
 * Whether a segment is known still, of those that one goes on from: undefined is none. Until the transaction ends nobody forgets what
 * is archived.
 */
export async function isSegmentKnown(
  sql: TransactionSql,
  key: SessionKey,
  segment: Pick<ArchivedSegment, 'number' | 'chain'> | undefined,
): Promise<boolean> {
  await sql`lock table archive_segments in row exclusive mode`
  if (segment === undefined) return true
  const rows = await sql`
    select from archive_segments where tenant_id = ${key.tenantId} and session_id = ${key.sessionId} and number = ${segment.number}
      and chain_sha256 = decode(${segment.chain}, 'hex')`
  return rows.length > 0
}

/** Until the transaction ends: whoever records an object of the archive does so beside others; who erases one that nobody has recorded is alone with it. */
export async function lockObject(sql: TransactionSql, location: string, mode: 'shared' | 'exclusive'): Promise<void> {
  const lock = mode === 'shared' ? sql`pg_advisory_xact_lock_shared` : sql`pg_advisory_xact_lock`
  await sql`select ${lock}(hashtextextended(${`archived ${location}`}, 0))`
}

/** Whether an object is recorded as one that the archive has. Reads all that is recorded of the tenant. */
export async function isObjectKnown(sql: Queries, tenantId: number, location: string): Promise<boolean> {
  const rows = await sql`
    select from archive_segments where tenant_id = ${tenantId} and location = ${location}
    union all
    select from archive_manifests where tenant_id = ${tenantId} and location = ${location}`
  return rows.length > 0
}

/** Has whoever archives a session just now record nothing more of it. */
export async function refuseArchiving(sql: Queries, { tenantId, sessionId }: SessionKey): Promise<void> {
  await sql`update sessions set erasures = erasures + 1 where tenant_id = ${tenantId} and id = ${sessionId}`
}

/** Whether an imported document is there, which is under that version of its key until the transaction ends. */
export async function isFileThere(
  sql: TransactionSql,
  tenantId: number,
  { id, keyVersion }: { readonly id: string; readonly keyVersion: number },
): Promise<boolean> {
  const rows = await sql`
    select from import_files where tenant_id = ${tenantId} and id = ${id} and key_version = ${keyVersion} for share`
  return rows.length > 0
}

/** Records a segment. Two that archive one session write the same, as the second takes what the first has put. */
export async function insertSegment(sql: Queries, key: SessionKey, segment: ArchivedSegment): Promise<void> {
  await sql`
    insert into archive_segments (tenant_id, session_id, number, first_seq, last_seq, location, sha256, chain_sha256,
      size_bytes, verified_at)
    values (${key.tenantId}, ${key.sessionId}, ${segment.number}, ${segment.firstSeq}, ${segment.lastSeq}, ${segment.location},
      ${Buffer.from(segment.sha256, 'hex')}, ${Buffer.from(segment.chain, 'hex')}, ${segment.sizeBytes}, now())
    on conflict do nothing`
}

export async function readManifest(
  sql: Queries,
  tenantId: number,
  subject: Pick<ArchivedManifest, 'kind' | 'subjectId'>,
): Promise<ArchivedManifest | undefined> {
  const [row] = await sql<
    { number: number; version: string; location: string; sha256: Uint8Array; content_sha256: Uint8Array }[]
  >`
    select number, version, location, sha256, content_sha256 from archive_manifests
    where tenant_id = ${tenantId} and kind = ${subject.kind} and subject_id = ${subject.subjectId}`
  if (row === undefined) return undefined
  const { number, version, location, sha256, content_sha256: contentSha256 } = row
  const { kind, subjectId } = subject
  return { kind, subjectId, number, version: Number(version), location, sha256, contentSha256 }
}

/** Records a manifest; where another one with a higher number was recorded meanwhile, that one stays. */
export async function saveManifest(sql: Queries, tenantId: number, manifest: ArchivedManifest): Promise<void> {
  await sql`
    insert into archive_manifests (tenant_id, kind, subject_id, number, version, location, sha256, content_sha256)
    values (${tenantId}, ${manifest.kind}, ${manifest.subjectId}, ${manifest.number}, ${manifest.version}, ${manifest.location},
      ${Buffer.from(manifest.sha256)}, ${Buffer.from(manifest.contentSha256)})
    on conflict (tenant_id, kind, subject_id) do update set number = excluded.number, version = excluded.version,
      location = excluded.location, sha256 = excluded.sha256, content_sha256 = excluded.content_sha256, written_at = now()
    where archive_manifests.number <= excluded.number`
}

/** All manifests of sessions and documents, a page at a time by kind and subject. Uses the primary key. */
export async function listManifests(
  sql: Queries,
  tenantId: number,
  page: { readonly after?: Pick<ArchivedManifest, 'kind' | 'subjectId'> | undefined; readonly limit: number },
): Promise<ArchivedManifest[]> {
  const { after } = page
  const rows = await sql<
    {
      kind: 'session' | 'file'
      subject_id: string
      number: number
      version: string
      location: string
      sha256: Uint8Array
      content_sha256: Uint8Array
    }[]
  >`
    select kind, subject_id, number, version, location, sha256, content_sha256 from archive_manifests
    where tenant_id = ${tenantId} and kind in ('session', 'file')
      ${after === undefined ? sql`` : sql`and (kind, subject_id) > (${after.kind}, ${after.subjectId}::uuid)`}
    order by kind, subject_id limit ${page.limit}`
  return rows.map((row) => ({
    kind: row.kind,
    subjectId: row.subject_id,
    number: row.number,
    version: Number(row.version),
    location: row.location,
    sha256: row.sha256,
    contentSha256: row.content_sha256,
  }))
}

/** What decides whether a session is to be archived now. */
export interface ArchiveDue {
  readonly lastSeq: number
  readonly closed: boolean
  readonly archivedSeq: number
  /** Bytes of payloads that are in no segment. */
  readonly waitingBytes: number
  /** Since the last save, and since the first that is in no segment; 0 where none is. */
  readonly quietMs: number
  readonly waitingMs: number
}

/** Undefined where there is no such session. Reads at most the messages of a full segment, by the primary key. */
export async function readArchiveDue(
  sql: Queries,
  key: SessionKey,
  messagesMax: number,
): Promise<ArchiveDue | undefined> {
  const [row] = await sql<
    {
      last_seq: string
      closed: boolean
      archived_seq: string
      waiting_bytes: string
      quiet_ms: number
      waiting_ms: number
    }[]
  >`
    with archived as (
      select coalesce(max(last_seq), 0) as seq from archive_segments
      where tenant_id = ${key.tenantId} and session_id = ${key.sessionId}
    ), waiting as (
      select saved_at, payload_bytes from messages, archived
      where tenant_id = ${key.tenantId} and session_id = ${key.sessionId} and messages.seq > archived.seq
        and messages.seq <= archived.seq + ${messagesMax}
    )
    select s.last_seq, s.closed_at is not null as closed, archived.seq as archived_seq,
      (select coalesce(sum(payload_bytes), 0) from waiting) as waiting_bytes,
      coalesce((extract(epoch from now() - last.saved_at) * 1000)::float8, 0) as quiet_ms,
      coalesce((extract(epoch from now() - (select min(saved_at) from waiting)) * 1000)::float8, 0) as waiting_ms
    from archived, sessions s
    left join messages last on last.tenant_id = s.tenant_id and last.session_id = s.id and last.seq = s.last_seq
    where s.tenant_id = ${key.tenantId} and s.id = ${key.sessionId}`
  if (row === undefined) return undefined
  return {
    lastSeq: Number(row.last_seq),
    closed: row.closed,
    archivedSeq: Number(row.archived_seq),
    waitingBytes: Number(row.waiting_bytes),
    quietMs: row.quiet_ms,
    waitingMs: row.waiting_ms,
  }
}

/**
 * Forgets what is in the archive, of a tenant: everything is archived again. The archive itself stays as it is. Whoever is just noting
 * something of it does so before, or sees that it goes on from what is known no more.
 */
export async function forgetArchive(sql: TransactionSql, tenantId: number): Promise<void> {
  await sql`lock table archive_segments in share row exclusive mode`
  await sql`delete from archive_segments where tenant_id = ${tenantId}`
  await sql`delete from archive_manifests where tenant_id = ${tenantId}`
}
