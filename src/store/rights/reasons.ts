import { BrokenSeal } from '../../crypto/aead.ts'
import type { RowSeal, SealPlace } from '../../crypto/row-seal.ts'
import { readNote, wordsOf, type GivenReason, type ReasonNote } from '../../model/reason.ts'
import type { Database } from '../database.ts'
import type { SessionKey } from '../messages.ts'
import type { Queries } from '../rows.ts'

/** What a reason is about: it goes with that. */
export interface ReasonSubject {
  readonly tenantId: number
  /** It is sealed under the key of the session then. */
  readonly sessionId?: string
  /** The message that was corrected, or the participant as the audit log names one; or the session, where its key is missing. */
  readonly about?: string
}

/** A reason as it is stored. */
export interface StoredReason {
  readonly id: string
  readonly sessionId: string | null
  readonly body: Uint8Array
  readonly keyVersion: number
}

export const reasonPlace = (id: string): SealPlace => ({ field: 'reason', id })

/** Keeps a reason, in the transaction of what it was given for. */
export async function keepReason(
  sql: Queries,
  { tenantId, sessionId, about }: ReasonSubject,
  { reason, seal }: { readonly reason: GivenReason; readonly seal: RowSeal | undefined },
): Promise<void> {
  const { id, body } = reason
  const sealed = seal === undefined ? body : seal.seal(reasonPlace(id), body)
  await sql`
    insert into reasons (tenant_id, id, session_id, about, body, key_version)
    values (${tenantId}, ${id}, ${sessionId ?? null}, ${about ?? null}, ${Buffer.from(sealed)}, ${seal?.version ?? 0})
    on conflict do nothing`
}

/** Erases all reasons that were given for a session; how many there were. */
export async function eraseSessionReasons(sql: Queries, { tenantId, sessionId }: SessionKey): Promise<number> {
  const gone = await sql`
    update reasons set body = null, session_id = null, about = null, key_version = 0
    where tenant_id = ${tenantId} and (session_id = ${sessionId} or (session_id is null and about = ${sessionId}::text))`
  return gone.count
}

/** Erases the reasons of corrections of which one of the two messages is gone; how many there were. */
export async function eraseLostCorrections(sql: Queries, { tenantId, sessionId }: SessionKey): Promise<number> {
  const gone = await sql`
    update reasons r set body = null, session_id = null, about = null, key_version = 0
    where r.tenant_id = ${tenantId} and r.session_id = ${sessionId} and r.about is not null and not exists (
      select from corrections c where c.tenant_id = ${tenantId} and c.session_id = ${sessionId} and c.message_id::text = r.about)`
  return gone.count
}

/** Erases why a participant was restricted and released, by the names that the audit log may have for them; how many reasons that were. */
export async function eraseParticipantReasons(
  sql: Queries,
  tenantId: number,
  hashes: readonly string[],
): Promise<number> {
  const gone = await sql`
    update reasons set body = null, about = null, key_version = 0
    where tenant_id = ${tenantId} and session_id is null
      and about in (select jsonb_array_elements_text(${JSON.stringify(hashes)}::text::jsonb))`
  return gone.count
}

/** How many reasons of restricting and releasing a participant are there. */
export async function countParticipantReasons(
  sql: Queries,
  tenantId: number,
  hashes: readonly string[],
): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::int as count from reasons
    where tenant_id = ${tenantId} and session_id is null
      and about in (select jsonb_array_elements_text(${JSON.stringify(hashes)}::text::jsonb))`
  return row?.count ?? 0
}

/** What is known of a reason that rows note. */
export type FoundReason =
  | { readonly state: 'kept'; readonly words: string }
  /** Or it is at the store that it was given at. */
  | { readonly state: 'erased' }
  /** It was altered, or its key is missing. */
  | { readonly state: 'unreadable' }
  | { readonly state: 'exchanged' }

/** Opens reasons that rows note, each once. */
export async function findReasons(
  database: Pick<Database, 'run' | 'vault'>,
  tenantId: number,
  notes: readonly ReasonNote[],
): Promise<(note: ReasonNote) => FoundReason> {
  const ids = [...new Set(notes.map(({ id }) => id))]
  const bodies = new Map(await readBodies(database, tenantId, ids))
  const lost = [...bodies].flatMap(([id, body]) => (body === undefined ? [id] : []))
  // Between the row and its key it may have been erased, or put under another key.
  const again = await readBodies(database, tenantId, lost)
  for (const id of lost) {
    if (again.has(id)) bodies.set(id, again.get(id))
    else bodies.delete(id)
  }
  return (note) => {
    if (!bodies.has(note.id)) return { state: 'erased' }
    const body = bodies.get(note.id)
    if (body === undefined) return { state: 'unreadable' }
    const words = wordsOf(note, body)
    return words === undefined ? { state: 'exchanged' } : { state: 'kept', words }
  }
}

async function readBodies(
  database: Pick<Database, 'run' | 'vault'>,
  tenantId: number,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Uint8Array | undefined>> {
  if (ids.length === 0) return new Map()
  return await openReasons(database, tenantId, await database.run((sql) => readReasons(sql, tenantId, ids)))
}

/** Reasons that are there, by their ids. */
export async function readReasons(sql: Queries, tenantId: number, ids: readonly string[]): Promise<StoredReason[]> {
  return await sql<StoredReason[]>`
    select id, session_id as "sessionId", body, key_version as "keyVersion" from reasons
    where tenant_id = ${tenantId} and body is not null
      and id in (select jsonb_array_elements_text(${JSON.stringify(ids)}::text::jsonb)::uuid)`
}

/** The bodies of reasons by their ids; undefined of those that cannot be opened. */
export async function openReasons(
  { vault }: Pick<Database, 'vault'>,
  tenantId: number,
  rows: readonly StoredReason[],
): Promise<ReadonlyMap<string, Uint8Array | undefined>> {
  const ofSessions = rows.flatMap(({ sessionId, keyVersion: version }) =>
    sessionId === null ? [] : [{ sessionId, version }],
  )
  const sessionSeals = await vault.sealsOf(tenantId, ofSessions)
  const ofTenant = rows.flatMap(({ sessionId, keyVersion }) => (sessionId === null ? [keyVersion] : []))
  const tenantSeals = await vault.sealsOfTenant(tenantId, ofTenant)
  return new Map(
    rows.map((row) => {
      const { id, sessionId, body, keyVersion } = row
      if (keyVersion === 0) return [id, body]
      return [id, openedReason(sessionId === null ? tenantSeals(keyVersion) : sessionSeals(sessionId, keyVersion), row)]
    }),
  )
}

/** Undefined where it cannot be opened. */
export function openedReason(
  seal: RowSeal | undefined,
  { id, body }: Pick<StoredReason, 'id' | 'body'>,
): Uint8Array | undefined {
  try {
    return seal?.open(reasonPlace(id), body)
  } catch (error) {
    // Who shows it says so, and `audit verify` names it.
    if (error instanceof BrokenSeal) return undefined
    throw error
  }
}

/** Rows with the words of the reasons that they note, as far as these are there. */
export async function withReasons<T extends { readonly reason: string | null }>(
  database: Pick<Database, 'run' | 'vault'>,
  tenantId: number,
  rows: readonly T[],
): Promise<T[]> {
  const notes = rows.flatMap(({ reason }) => readNote(reason) ?? [])
  const find = await findReasons(database, tenantId, notes)
  return rows.map((row) => {
    const note = readNote(row.reason)
    return note === undefined ? row : { ...row, reason: shown(find(note)) }
  })
}

function shown(found: FoundReason): string {
  switch (found.state) {
    case 'kept':
      return found.words
    case 'erased':
      return '(erased)'
    case 'unreadable':
      return '(cannot be read: it was altered, or its key is missing)'
    case 'exchanged':
      return '(not the one that was given)'
    default:
      return found satisfies never
  }
}
