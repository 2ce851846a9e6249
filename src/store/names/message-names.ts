import type { TransactionSql } from 'postgres'
import { z } from 'zod'

import { BrokenSeal } from '../../crypto/aead.ts'
import type { RowSeal } from '../../crypto/row-seal.ts'
import { limits } from '../../limits.ts'
import { nameTypes, type FoundName } from '../../model/names.ts'
import { keepFromErasure } from '../erasure/keep-from-erasure.ts'
import { isOf, type Piece } from '../erasure/piece.ts'
import type { MessageSource, SessionKey } from '../messages.ts'
import type { Queries } from '../rows.ts'
import { addOutboxAgain } from '../work/add-work.ts'
import { namesTopic } from './name-work.ts'

/** What a model has found in a message that it has read. */
export interface ReadNames {
  /** Of the message. */
  readonly id: string
  readonly names: readonly FoundName[]
  /** Whether all of the message was read. */
  readonly isWhole: boolean
}

/** The same as it is stored; `body` is undefined where there are no names. */
interface SealedNames {
  readonly id: string
  readonly body: Buffer | undefined
  readonly isWhole: boolean
}

interface NamesRow {
  readonly id: string
  readonly body: Uint8Array
  readonly key_version: number
  readonly seq: string
}

/** Each is of a message that may name two hundred. */
const rowsAtOnce = 1_000

const bodySchema = z.array(z.object({ type: z.enum(nameTypes), name: z.string().min(1) }))

export function sealNames({ id, names, isWhole }: ReadNames, seal: RowSeal | undefined): SealedNames {
  if (names.length === 0) return { id, isWhole, body: undefined }
  const plain = Buffer.from(JSON.stringify(names), 'utf8')
  return { id, isWhole, body: seal === undefined ? plain : seal.seal({ field: 'names', id }, plain) }
}

/**
 * Stores what was found in messages of a session; of those that are gone or anonymised nothing is stored. What is there already stays.
 * False where the session is under another key by now, or messages of it were erased or anonymised since `erasures` was read.
 */
export async function saveNames(
  sql: TransactionSql,
  { tenantId, sessionId }: SessionKey,
  {
    read,
    keyVersion,
    erasures,
    madeBy,
  }: {
    readonly read: readonly SealedNames[]
    readonly keyVersion: number
    readonly erasures: number
    readonly madeBy: string
  },
): Promise<boolean> {
  await keepFromErasure(sql, tenantId, [{ sessionId }])
  const [session] = await sql<{ key_version: number; erasures: number }[]>`
    select key_version, erasures from sessions where tenant_id = ${tenantId} and id = ${sessionId}`
  // Of what was erased nothing is kept.
  if (session === undefined) return true
  if (session.key_version !== keyVersion || session.erasures !== erasures) return false
  const rows = read.map(({ id, body, isWhole }) => ({ i: id, b: body?.toString('base64'), w: isWhole }))
  await sql`
    insert into message_names (tenant_id, id, session_id, body, is_whole, made_by, key_version)
    select ${tenantId}, m.id, ${sessionId}, decode(b, 'base64'), w, ${madeBy}, case when b is null then 0 else ${keyVersion}::int end
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as given(i uuid, b text, w boolean)
      join messages m on m.tenant_id = ${tenantId} and m.session_id = ${sessionId} and m.id = given.i
    where m.kind <> 'erased' and m.anonymized_at is null
    on conflict do nothing`
  return true
}

/** Which of some messages were read already. */
export async function alreadyRead(
  sql: Queries,
  tenantId: number,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set()
  const rows = await sql<{ id: string }[]>`
    select id from message_names
    where tenant_id = ${tenantId} and id in (select jsonb_array_elements_text(${JSON.stringify(ids)}::text::jsonb)::uuid)`
  return new Set(rows.map(({ id }) => id))
}

/**
 * The names that a model has found in a session, each once, those of its first messages first: as many as are looked for in a text.
 * No more is read than that takes, a page at a time. What cannot be opened with the key of the session is removed, so that its message
 * counts as unread, and is read again.
 */
export async function readSessionNames(database: MessageSource, key: SessionKey): Promise<readonly FoundName[]> {
  const { tenantId, sessionId } = key
  const names = new Map<string, FoundName>()
  let afterSeq = 0
  for (;;) {
    const rows = await database.run((sql) => readNamesPage(sql, key, afterSeq))
    const versions = rows.map((row) => ({ sessionId, version: row.key_version }))
    const seals = await database.vault.sealsOf(tenantId, versions)
    const broken: NamesRow[] = []
    for (const row of rows) {
      const { id, body, key_version: version } = row
      const seal = seals(sessionId, version)
      // Without its key nothing of the session can be read, nor looked through again.
      if (version !== 0 && seal === undefined) continue
      const opened = openNames({ id, body }, seal)
      if (opened === undefined) broken.push(row)
      for (const found of opened ?? [])
        if (names.size < limits.namesPerSessionMax) names.set(`${found.type} ${found.name}`, found)
    }
    if (broken.length > 0) await database.run((sql) => readAgain(sql, key, broken))
    const last = rows.at(-1)
    if (last === undefined || rows.length < rowsAtOnce || names.size >= limits.namesPerSessionMax)
      return [...names.values()]
    afterSeq = Number(last.seq)
  }
}

async function readNamesPage(sql: Queries, { tenantId, sessionId }: SessionKey, afterSeq: number): Promise<NamesRow[]> {
  return await sql<NamesRow[]>`
    select n.id, n.body, n.key_version, m.seq from message_names n
      join messages m on m.tenant_id = ${tenantId} and m.session_id = ${sessionId} and m.id = n.id
    where n.tenant_id = ${tenantId} and n.session_id = ${sessionId} and n.body is not null and m.seq > ${afterSeq}
    order by m.seq limit ${rowsAtOnce}`
}

/** Removes what cannot be opened, unless it was changed meanwhile, and leaves its messages to be read again. */
async function readAgain(
  sql: Queries,
  { tenantId, sessionId }: SessionKey,
  broken: readonly NamesRow[],
): Promise<void> {
  for (const { id, seq, body, key_version: version } of broken) {
    const removed = await sql`
      delete from message_names where tenant_id = ${tenantId} and id = ${id} and key_version = ${version}
        and body = decode(${Buffer.from(body).toString('base64')}, 'base64') returning id`
    const work = { tenantId, sessionId, firstSeq: Number(seq), lastSeq: Number(seq) }
    if (removed.length > 0) await addOutboxAgain(sql, namesTopic, [work])
  }
}

/** Undefined where they cannot be opened: what they are of was not looked through, then. */
function openNames(
  { id, body }: Pick<NamesRow, 'id' | 'body'>,
  seal: RowSeal | undefined,
): readonly FoundName[] | undefined {
  try {
    const plain = seal === undefined ? body : seal.open({ field: 'names', id }, body)
    return bodySchema.parse(JSON.parse(Buffer.from(plain).toString('utf8')))
  } catch (error) {
    // Of a store that is not encrypted, damage shows where it is read as JSON.
    if (error instanceof BrokenSeal || error instanceof SyntaxError || error instanceof z.ZodError) return undefined
    throw error
  }
}

/**
 * Removes what was found in messages that go. Of those that are anonymised it stays until their session is done, as what one says is
 * looked for in the others.
 */
export async function eraseNames(sql: Queries, { tenantId, sessionId }: SessionKey, piece: Piece): Promise<void> {
  await sql`
    delete from message_names n using messages m
    where n.tenant_id = ${tenantId} and n.session_id = ${sessionId}
      and m.tenant_id = ${tenantId} and m.session_id = ${sessionId} and m.id = n.id and ${isOf(sql, 'm.seq', piece)}`
}

/** Removes what was found in messages of a session that were anonymised: it says what they do not say any more. */
export async function eraseAnonymisedNames(sql: Queries, { tenantId, sessionId }: SessionKey): Promise<void> {
  await sql`
    delete from message_names n using messages m
    where n.tenant_id = ${tenantId} and n.session_id = ${sessionId}
      and m.tenant_id = ${tenantId} and m.session_id = ${sessionId} and m.id = n.id and m.anonymized_at is not null`
}
