import { randomBytes, randomInt } from 'node:crypto'

import { looksLikeId, newId } from '../../model/ids.ts'
import { idMark, isKnownByEntries, nameMark, sourceMark } from '../../model/messages/tombstone.ts'
import { isoTime, type Queries } from '../rows.ts'

const purpose = 'tombstone'
const keyBytes = 32
/** Numbers of keys: whichever are taken, two stores do not choose the same, so that a store can hold the keys of both. */
const versionsMax = 2 ** 31 - 1

/**
 * The keys under which names were hashed; none where nothing was ever erased. A store has one of its own, and those of stores
 * that were moved into it or restored.
 */
export async function tombstoneKeys(sql: Queries, tenantId: number): Promise<Uint8Array[]> {
  const rows = await sql<{ wrapped: Uint8Array }[]>`
    select wrapped from encryption_keys
    where tenant_id = ${tenantId} and purpose = ${purpose} and wrapped is not null order by created_at, id`
  return rows.map(({ wrapped }) => wrapped)
}

/** The key for what is erased now; the first erasure makes it. */
export async function ownTombstoneKey(sql: Queries, tenantId: number): Promise<Uint8Array> {
  // Two that erase for the first time must not each make one.
  await sql`select pg_advisory_xact_lock(hashtext('tombstones'), ${tenantId})`
  const [known] = await tombstoneKeys(sql, tenantId)
  if (known !== undefined) return known
  const key = randomBytes(keyBytes)
  await addTombstoneKey(sql, tenantId, key)
  return key
}

/** Adds the key of another store; nothing where it is known. */
export async function addTombstoneKey(sql: Queries, tenantId: number, key: Uint8Array): Promise<void> {
  await sql`
    insert into encryption_keys (tenant_id, id, purpose, version, algorithm, wrapped, wrapped_by)
    select ${tenantId}, ${newId()}, ${purpose}, ${randomInt(1, versionsMax)}, 'none', ${Buffer.from(key)}, 'none'
    where not exists (
      select from encryption_keys where tenant_id = ${tenantId} and purpose = ${purpose} and wrapped = ${Buffer.from(key)})`
}

export interface Tombstone {
  /** In hexadecimal. */
  readonly hash: string
  readonly kind: 'session' | 'message' | 'part' | 'anonymised' | 'name' | 'entry'
}

export async function addTombstones(
  sql: Queries,
  erased: {
    readonly tenantId: number
    readonly erasureId: string
    readonly erasedAt?: string
    readonly isLocal?: boolean
  },
  tombstones: readonly Tombstone[],
): Promise<void> {
  await sql`
    insert into tombstones (tenant_id, hash, kind, erasure_id, erased_at, is_local)
    select ${erased.tenantId}, decode(hash, 'hex'), kind, ${erased.erasureId}, coalesce(${erased.erasedAt ?? null}::text::timestamptz, now()),
      ${erased.isLocal ?? false}::boolean
    from jsonb_to_recordset(${JSON.stringify(tombstones)}::text::jsonb) as new(hash text, kind text)
    on conflict do nothing`
}

/**
 * The tombstones of an erasure in order, when it began, and whether it is for this store alone. Without those of entries: who has the
 * same session remembers them itself, and there may be millions.
 */
export async function readTombstones(
  sql: Queries,
  tenantId: number,
  erasureId: string,
): Promise<{ readonly erasedAt: string; readonly isLocal: boolean; readonly tombstones: Tombstone[] }> {
  const rows = await sql<(Tombstone & { erased_at: Date; is_local: boolean })[]>`
    select encode(t.hash, 'hex') as hash, t.kind, t.erased_at, t.is_local or coalesce(e.scope in ('retention', 'repetition'), false) as is_local
    from tombstones t left join erasures e on e.tenant_id = t.tenant_id and e.id = t.erasure_id
    where t.tenant_id = ${tenantId} and t.erasure_id = ${erasureId} and t.kind <> 'entry' order by t.hash`
  const [first] = rows.map((row) => isoTime(row.erased_at)).toSorted()
  const isLocal = rows.some(({ is_local: isOne }) => isOne)
  return { erasedAt: first ?? '', isLocal, tombstones: rows.map(({ hash, kind }) => ({ hash, kind })) }
}

/** When the first of some was erased; undefined where none was. */
export async function erasedAt(sql: Queries, tenantId: number, hashes: readonly string[]): Promise<string | undefined> {
  if (hashes.length === 0) return undefined
  const rows = await sql<{ erased_at: Date | null }[]>`
    select min(erased_at) as erased_at from jsonb_array_elements_text(${JSON.stringify(hashes)}::text::jsonb) wanted
      join tombstones on tenant_id = ${tenantId} and hash = decode(wanted, 'hex')`
  return isoTime(rows[0]?.erased_at ?? null) ?? undefined
}

/** Whether anything was ever erased or anonymised. */
export async function hasTombstones(sql: Queries, tenantId: number): Promise<boolean> {
  const [row] = await sql<{ found: boolean }[]>`
    select exists (select from tombstones where tenant_id = ${tenantId}) as found`
  return row?.found === true
}

/** Which of some hashes are of something that was erased or anonymised. */
export async function knownTombstones(
  sql: Queries,
  tenantId: number,
  hashes: readonly string[],
): Promise<ReadonlySet<string>> {
  if (hashes.length === 0) return new Set()
  const rows = await sql<{ hash: string }[]>`
    select wanted as hash from jsonb_array_elements_text(${JSON.stringify(hashes)}::text::jsonb) wanted
      join tombstones on tenant_id = ${tenantId} and hash = decode(wanted, 'hex')`
  return new Set(rows.map(({ hash }) => hash))
}

/** Whether entries were remembered by each of the erasures that some hashes are of. */
export async function wereEntriesRemembered(
  sql: Queries,
  tenantId: number,
  hashes: readonly string[],
): Promise<boolean> {
  const [row] = await sql<{ all: boolean | null }[]>`
    select bool_and(exists (
      select from tombstones e where e.tenant_id = ${tenantId} and e.erasure_id = t.erasure_id and e.kind = 'entry')) as all
    from jsonb_array_elements_text(${JSON.stringify(hashes)}::text::jsonb) wanted
      join tombstones t on t.tenant_id = ${tenantId} and t.hash = decode(wanted, 'hex')`
  return row?.all === true
}

/** The hashes that a caller's reference to a session would have, if what it names was erased; none where nothing ever was. */
export async function marksOfReference(sql: Queries, tenantId: number, reference: string): Promise<string[]> {
  const keys = await tombstoneKeys(sql, tenantId)
  if (keys.length === 0) return []
  const id = reference.toLowerCase()
  return [...keys.map((key) => nameMark(key, reference)), ...(looksLikeId(id) ? [idMark('session', id)] : [])]
}

/** When what a reference names was erased; undefined where it was not. */
export async function referenceErasedAt(
  sql: Queries,
  tenantId: number,
  reference: string,
): Promise<string | undefined> {
  return await erasedAt(sql, tenantId, await marksOfReference(sql, tenantId, reference))
}

/** A session as whoever brings it names it. */
export interface NamedSession {
  readonly source: string
  readonly externalId: string
}

/** The hashes that the tombstone of a session would have that comes under this name, with those keys. */
export function marksOfNamed(keys: readonly Uint8Array[], { source, externalId }: NamedSession): string[] {
  // What was exported of a session names it by our id.
  const id = externalId.toLowerCase()
  const ours = isKnownByEntries(source) && looksLikeId(id) ? [idMark('session', id)] : []
  return [...ours, ...keys.map((key) => sourceMark(key, { source, externalId }))]
}

/** The hashes of a session: of its id, and of its names under a key. */
export function tombstonesOf(
  key: Uint8Array,
  session: { readonly id: string; readonly source: string; readonly externalId: string | null },
): Tombstone[] {
  const { id, source, externalId } = session
  const own = { hash: idMark('session', id), kind: 'session' } as const
  if (externalId === null) return [own]
  const names = [nameMark(key, externalId), sourceMark(key, { source, externalId })]
  return [own, ...names.map((hash) => ({ hash, kind: 'name' as const }))]
}
