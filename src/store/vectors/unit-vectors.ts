import type { Role } from '../../model/messages/message.ts'
import type { Queries } from '../rows.ts'

/** Whose vectors, and of which model. */
export interface VectorScope {
  readonly tenantId: number
  readonly modelId: number
}

/** The search unit that a vector is of. */
export interface UnitKey {
  readonly level: number
  readonly sessionId: string
  readonly firstSeq: number
  readonly part: number
}

export interface UnitVector extends UnitKey {
  readonly vector: Float32Array
  readonly timestampMs: number
  readonly role: Role
}

/** The levels of search units: messages, windows of them, sessions. Naming all lets the primary key find a session. */
export const unitLevels = [0, 1, 2] as const

/**
 * A vector as pgvector reads it. Nine digits give back the same float32, so that copies of a vector are equally near.
 * postgres.js sends text only; parsing a vector costs less than a tenth of storing it.
 */
export function vectorLiteral(vector: Float32Array): string {
  return `[${Array.from(vector, (value) => value.toPrecision(9)).join(',')}]`
}

function keysJson(keys: readonly UnitKey[]): string {
  return JSON.stringify(
    keys.map(({ level, sessionId, firstSeq, part }) => ({ l: level, s: sessionId, f: firstSeq, p: part })),
  )
}

/** Writes vectors, in place of those with the same keys. No key may occur twice. */
export async function writeVectors(sql: Queries, scope: VectorScope, vectors: readonly UnitVector[]): Promise<void> {
  const rows = vectors.map((unit) => ({
    l: unit.level,
    s: unit.sessionId,
    f: unit.firstSeq,
    p: unit.part,
    at: new Date(unit.timestampMs).toISOString(),
    r: unit.role,
    v: vectorLiteral(unit.vector),
  }))
  await sql`
    insert into unit_vectors (tenant_id, model_id, level, session_id, first_seq, part, timestamp, role, embedding)
    select ${scope.tenantId}, ${scope.modelId}, l, s, f, p, at, r, v::vector
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb)
      as unit(l smallint, s uuid, f bigint, p int, at timestamptz, r text, v text)
    order by l, s, f, p
    on conflict (tenant_id, model_id, level, session_id, first_seq, part)
      do update set timestamp = excluded.timestamp, role = excluded.role, embedding = excluded.embedding`
}

/** The vectors of those keys that have one, in no order. */
export async function readVectors(
  sql: Queries,
  scope: VectorScope,
  keys: readonly UnitKey[],
): Promise<(UnitKey & { readonly vector: Float32Array })[]> {
  const rows = await sql<{ level: number; session_id: string; first_seq: string; part: number; embedding: string }[]>`
    select u.level, u.session_id, u.first_seq, u.part, u.embedding::text as embedding
    from jsonb_to_recordset(${keysJson(keys)}::text::jsonb) as key(l smallint, s uuid, f bigint, p int)
    join unit_vectors u on u.tenant_id = ${scope.tenantId} and u.model_id = ${scope.modelId}
      and u.level = key.l and u.session_id = key.s and u.first_seq = key.f and u.part = key.p`
  return rows.map((row) => ({
    level: row.level,
    sessionId: row.session_id,
    firstSeq: Number(row.first_seq),
    part: row.part,
    vector: Float32Array.from(row.embedding.slice(1, -1).split(','), Number),
  }))
}

export async function deleteVectors(sql: Queries, scope: VectorScope, keys: readonly UnitKey[]): Promise<void> {
  await sql`
    delete from unit_vectors u using jsonb_to_recordset(${keysJson(keys)}::text::jsonb) as key(l smallint, s uuid, f bigint, p int)
    where u.tenant_id = ${scope.tenantId} and u.model_id = ${scope.modelId}
      and u.level = key.l and u.session_id = key.s and u.first_seq = key.f and u.part = key.p`
}

/** Removes at most `rowsMax` vectors of the scope, of one session where it is given. Answers how many there were. */
export async function deleteSomeVectors(
  sql: Queries,
  scope: VectorScope & { readonly sessionId?: string | undefined },
  rowsMax: number,
): Promise<number> {
  const levels = `{${unitLevels.join(',')}}`
  const session = scope.sessionId === undefined ? sql`` : sql`and session_id = ${scope.sessionId}`
  const deleted = await sql`
    delete from unit_vectors where ctid = any(array(
      select ctid from unit_vectors
      where tenant_id = ${scope.tenantId} and model_id = ${scope.modelId} and level = any(${levels}::text::smallint[]) ${session}
      limit ${rowsMax}))`
  return deleted.count
}

export async function countVectors(sql: Queries, scope: VectorScope): Promise<number> {
  const [row] = await sql<{ count: string }[]>`
    select count(*) as count from unit_vectors where tenant_id = ${scope.tenantId} and model_id = ${scope.modelId}`
  return Number(row?.count ?? 0)
}
