import type { RowSeal } from '../../crypto/row-seal.ts'
import { entryMark, isKnownByEntries } from '../../model/messages/tombstone.ts'
import type { SearchKey } from '../keys/search-key.ts'
import type { MessageSource, SessionKey } from '../messages.ts'
import type { Queries } from '../rows.ts'
import { inTransaction } from '../transaction.ts'
import { isOf, type Piece } from './piece.ts'
import { addTombstones, ownTombstoneKey, tombstoneKeys } from './tombstones.ts'

/**
 * What stands for entries that were erased, in hexadecimal. In an encrypted store it is made with the search key, which is wrapped: beside
 * a key that lies open in the same database, entries could be guessed more easily than before they were erased.
 */
export class EntryMarks {
  readonly #search: SearchKey | undefined
  readonly #plain: readonly Uint8Array[]

  constructor(search: SearchKey | undefined, plain: readonly Uint8Array[]) {
    this.#search = search
    this.#plain = plain
  }

  /** The one to remember an entry by. */
  newOf(sha256: Uint8Array): string | undefined {
    const [own] = this.#plain
    return this.#search?.digestOfEntry(sha256) ?? (own === undefined ? undefined : entryMark(own, sha256))
  }

  /** All that it may have been remembered by. */
  allOf(sha256: Uint8Array): string[] {
    const keyed = this.#search === undefined ? [] : [this.#search.digestOfEntry(sha256)]
    return [...keyed, ...this.#plain.map((key) => entryMark(key, sha256))]
  }
}

/** To find entries that come again. */
export async function knownEntryMarks(database: MessageSource, tenantId: number): Promise<EntryMarks> {
  const { key } = await database.vault.search.termsOf(tenantId)
  return new EntryMarks(key, await database.run((sql) => tombstoneKeys(sql, tenantId)))
}

/** What a session's entries are remembered with while they are erased. */
export interface EntryMemory {
  readonly marks: EntryMarks
  /** What opens its hashes, as every version of its key does; undefined where none is sealed. */
  readonly seal: RowSeal | undefined
  /** Of its key, when this was read. */
  readonly keyVersion: number
}

/**
 * Undefined for a session whose entries need not be known again. Not to be called in a transaction. Errors: UnavailableError where a key
 * cannot be had.
 */
export async function readEntryMemory(
  database: MessageSource,
  { tenantId, sessionId }: SessionKey,
): Promise<EntryMemory | undefined> {
  const [session] = await database.run(
    (sql) => sql<{ source: string; key_version: number; newest: number }[]>`
      select source, key_version, coalesce((
        select max(k.version) from encryption_keys k
        where k.tenant_id = ${tenantId} and k.purpose = 'session' and k.session_id = ${sessionId} and k.wrapped is not null), 0) as newest
      from sessions where tenant_id = ${tenantId} and id = ${sessionId}`,
  )
  if (session === undefined || !isKnownByEntries(session.source)) return undefined
  const { key_version: keyVersion, newest: version } = session
  const seals = await database.vault.sealsOf(tenantId, [{ sessionId, version }])
  const { key } = await database.vault.search.termsOf(tenantId)
  const own = () => database.run((sql) => inTransaction(sql, (transaction) => ownTombstoneKey(transaction, tenantId)))
  return {
    marks: new EntryMarks(key, key === undefined ? [await own()] : []),
    seal: seals(sessionId, version),
    keyVersion,
  }
}

/** Remembers entries that are about to go, for who imports them again from another file. How many could not be, as their hashes cannot be opened. */
export async function rememberEntries(
  sql: Queries,
  { tenantId, sessionId }: SessionKey,
  {
    piece,
    memory: { marks, seal },
    erasureId,
  }: { readonly piece: Piece; readonly memory: EntryMemory; readonly erasureId: string },
): Promise<number> {
  const rows = await sql<{ hash: Uint8Array; is_sealed: boolean }[]>`
    select payload_sha256 as hash, key_version > 0 as is_sealed from messages
    where tenant_id = ${tenantId} and session_id = ${sessionId} and ${isOf(sql, 'seq', piece)}
      and kind <> 'erased' and anonymized_at is null`
  const hashes = rows.flatMap(({ hash, is_sealed: isSealed }) => (isSealed ? (seal?.unmask(hash) ?? []) : hash))
  const found = new Set(hashes.flatMap((hash) => marks.newOf(hash) ?? []))
  await addTombstones(
    sql,
    { tenantId, erasureId },
    [...found].map((hash) => ({ hash, kind: 'entry' })),
  )
  return rows.length - hashes.length
}
