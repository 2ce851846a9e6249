import { newId } from '../../model/ids.ts'
import { isoTime, type Queries } from '../rows.ts'

/** What the store is called among those that it exchanges its history with. The first exchange names it. */
export async function ownStoreId(sql: Queries, tenantId: number): Promise<string> {
  // Two that ask for the first time must not each name it.
  await sql`select pg_advisory_xact_lock(hashtext('sync_peers'), ${tenantId})`
  const [known] = await sql<{ id: string }[]>`select id from sync_peers where tenant_id = ${tenantId} and url = ''`
  if (known !== undefined) return known.id
  const id = newId()
  await sql`insert into sync_peers (tenant_id, id, url) values (${tenantId}, ${id}, '')`
  return id
}

/** Another store, and how the last exchange with it ended. */
export interface SyncPeer {
  readonly id: string
  readonly url: string
  /** ISO 8601; null where none has come to its end. */
  readonly lastSyncAt: string | null
  /** Why the last one failed; null where it did not. */
  readonly lastError: string | null
}

export async function readPeers(sql: Queries, tenantId: number): Promise<SyncPeer[]> {
  const rows = await sql<{ id: string; url: string; last_sync_at: Date | null; last_error: string | null }[]>`
    select id, url, last_sync_at, last_error from sync_peers where tenant_id = ${tenantId} and url <> '' order by url, id`
  return rows.map((row) => ({
    id: row.id,
    url: row.url,
    lastSyncAt: isoTime(row.last_sync_at),
    lastError: row.last_error,
  }))
}

/** Notes how an exchange ended. */
export async function notePeer(
  sql: Queries,
  tenantId: number,
  { id, url, error }: { readonly id: string; readonly url: string; readonly error: string | undefined },
): Promise<void> {
  await sql`
    insert into sync_peers (tenant_id, id, url, last_sync_at, last_error)
    values (${tenantId}, ${id}, ${url}, case when ${error === undefined} then now() end, ${error ?? null})
    on conflict (tenant_id, id) do update set url = excluded.url, last_error = excluded.last_error,
      last_sync_at = coalesce(excluded.last_sync_at, sync_peers.last_sync_at)
    where sync_peers.url <> ''`
}

/** Notes that a store could not be reached where it was reached before. */
export async function noteUnreached(
  sql: Queries,
  tenantId: number,
  { url, error }: { readonly url: string; readonly error: string },
): Promise<void> {
  await sql`update sync_peers set last_error = ${error} where tenant_id = ${tenantId} and url = ${url} and url <> ''`
}

/** What a session was at both stores when they were found to be equal. */
export interface SyncedState {
  readonly sessionId: string
  readonly version: number
  readonly peerVersion: number
  readonly erasures: number
  readonly peerErasures: number
  /** Up to where both have the same; -1 where messages are erased at one of the two alone. */
  readonly lastSeq: number
}

export async function readSynced(
  sql: Queries,
  tenantId: number,
  { peerId, sessionIds }: { readonly peerId: string; readonly sessionIds: readonly string[] },
): Promise<ReadonlyMap<string, SyncedState>> {
  const rows = await sql<
    {
      session_id: string
      version: string
      peer_version: string
      erasures: number
      peer_erasures: number
      last_seq: string
    }[]
  >`
    select session_id, version, peer_version, erasures, peer_erasures, last_seq from synced_sessions
    where tenant_id = ${tenantId} and peer_id = ${peerId}
      and session_id in (select jsonb_array_elements_text(${JSON.stringify(sessionIds)}::text::jsonb)::uuid)`
  return new Map(
    rows.map((row) => [
      row.session_id,
      {
        sessionId: row.session_id,
        version: Number(row.version),
        peerVersion: Number(row.peer_version),
        erasures: row.erasures,
        peerErasures: row.peer_erasures,
        lastSeq: Number(row.last_seq),
      },
    ]),
  )
}

export async function noteSynced(
  sql: Queries,
  tenantId: number,
  { peerId, state }: { readonly peerId: string; readonly state: SyncedState },
): Promise<void> {
  const { sessionId, version, peerVersion, erasures, peerErasures, lastSeq } = state
  await sql`
    insert into synced_sessions (tenant_id, peer_id, session_id, version, peer_version, erasures, peer_erasures, last_seq)
    values (${tenantId}, ${peerId}, ${sessionId}, ${version}, ${peerVersion}, ${erasures}, ${peerErasures}, ${lastSeq})
    on conflict (tenant_id, peer_id, session_id) do update set version = excluded.version, peer_version = excluded.peer_version,
      erasures = excluded.erasures, peer_erasures = excluded.peer_erasures, last_seq = excluded.last_seq`
}

/** Gives the store another name, as where its files were copied: the copy is another store from then on. */
export async function renameStore(sql: Queries, tenantId: number): Promise<void> {
  await sql`update sync_peers set id = ${newId()} where tenant_id = ${tenantId} and url = ''`
}
