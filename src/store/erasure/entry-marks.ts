import type { RowSeal } from '../../crypto/row-seal.ts'
import { entryMark } from '../../model/tombstone.ts'
import type { SessionKey } from '../messages.ts'
import type { Queries } from '../rows.ts'
import { isOf, type Piece } from './piece.ts'
import { addTombstones, ownTombstoneKey } from './tombstones.ts'

/** Where a session comes from, and the newest version of its key that is there: all of them hash alike. */
export async function readEntrySource(
  sql: Queries,
  { tenantId, sessionId }: SessionKey,
): Promise<{ readonly source: string; readonly version: number } | undefined> {
  const [row] = await sql<{ source: string; version: number }[]>`
    select source, coalesce((
      select max(k.version) from encryption_keys k
      where k.tenant_id = ${tenantId} and k.purpose = 'session' and k.session_id = ${sessionId} and k.wrapped is not null), 0) as version
    from sessions where tenant_id = ${tenantId} and id = ${sessionId}`
  return row
}

/**
 * Remembers entries that are about to go, by their bytes, for who imports them again from another file: see `isKnownByEntries`. What is
 * sealed under a key that is gone cannot be told again, and is not remembered.
 */
export async function rememberEntries(
  sql: Queries,
  { tenantId, sessionId }: SessionKey,
  { piece, seal, erasureId }: { readonly piece: Piece; readonly seal: RowSeal | undefined; readonly erasureId: string },
): Promise<void> {
  const rows = await sql<{ hash: Uint8Array; is_sealed: boolean }[]>`
    select payload_sha256 as hash, key_version > 0 as is_sealed from messages
    where tenant_id = ${tenantId} and session_id = ${sessionId} and ${isOf(sql, 'seq', piece)}
      and kind <> 'erased' and anonymized_at is null`
  const hashes = rows.flatMap(({ hash, is_sealed: isSealed }) => (isSealed ? (seal?.unmask(hash) ?? []) : hash))
  if (hashes.length === 0) return
  const key = await ownTombstoneKey(sql, tenantId)
  const marks = new Set(hashes.map((hash) => entryMark(key, hash)))
  await addTombstones(
    sql,
    { tenantId, erasureId },
    [...marks].map((hash) => ({ hash, kind: 'name' })),
  )
}
