import type { SessionKey } from '../messages.ts'
import type { Queries } from '../rows.ts'
import type { UnitKey } from '../vectors/unit-vectors.ts'
import { isToBeEmbedded, upcomingHash } from '../vectors/upcoming-vectors.ts'

/** Whether a message of any tenant has its bytes at a place of the archive. */
export async function isPayloadUsed(sql: Queries, location: string): Promise<boolean> {
  const rows = await sql`select from messages where payload_location = ${location} limit 1`
  return rows.length > 0
}

/** Vectors of a session in an index that is not in this database, all of one model. */
export interface RemoteVectors {
  readonly modelId: number
  readonly dimensions: number
  /** The index that they are in: "pinecone/<index>". */
  readonly index: string
  readonly keys: readonly UnitKey[]
}

/** A page of them, after those that were found before. */
export interface RemotePage {
  readonly after: RemoteVectors | undefined
  readonly limit: number
}

/**
 * Some of the vectors elsewhere of which the messages are gone; undefined where there are no more. They stay known until
 * `forgetVectors` is told that they are removed.
 */
export async function remoteVectors(
  sql: Queries,
  key: SessionKey,
  { after, limit }: RemotePage,
): Promise<RemoteVectors | undefined> {
  const last = after?.keys.at(-1)
  const isAfter =
    after === undefined || last === undefined
      ? sql``
      : sql`and (u.model_id, u.level, u.first_seq, u.part) > (${after.modelId}::int, ${last.level}::int, ${last.firstSeq}::bigint, ${last.part}::int)`
  const rows = await sql<
    { model_id: number; dimensions: number; index: string; level: number; first_seq: string; part: number }[]
  >`
    select u.model_id, m.dimensions, m.vector_index as index, u.level, u.first_seq, u.part
    from embedded_units u join embedding_models m on m.tenant_id = u.tenant_id and m.id = u.model_id
    where u.tenant_id = ${key.tenantId} and u.level in (0, 1, 2) and u.session_id = ${key.sessionId} and m.vector_index <> 'pgvector'
      and (u.text_sha256 = '' or not exists (select from messages g where g.tenant_id = u.tenant_id
        and g.session_id = u.session_id and g.seq = u.first_seq and g.kind <> 'erased')) ${isAfter}
    order by u.model_id, u.level, u.first_seq, u.part limit ${limit}`
  const [first] = rows
  if (first === undefined) return undefined
  const same = rows.filter((row) => row.model_id === first.model_id)
  const { sessionId } = key
  return {
    modelId: first.model_id,
    dimensions: first.dimensions,
    index: first.index,
    keys: same.map(({ level, first_seq: seq, part }) => ({ level, sessionId, firstSeq: Number(seq), part })),
  }
}

/** The models that may have vectors of a session in an index, with which nothing is said of the session any more. */
export async function modelsIn(
  sql: Queries,
  tenantId: number,
  index: string,
): Promise<{ readonly modelId: number; readonly dimensions: number }[]> {
  const rows = await sql<{ id: number; dimensions: number }[]>`
    select id, dimensions from embedding_models where tenant_id = ${tenantId} and vector_index = ${index} order by id`
  return rows.map(({ id, dimensions }) => ({ modelId: id, dimensions }))
}

/**
 * Forgets vectors that are removed, and returns how many were known to be there. Whoever is just embedding may write one of them once more:
 * what is work still stays known as one that may be there, and that work removes it.
 */
export async function forgetVectors(
  sql: Queries,
  key: SessionKey,
  { modelId, keys }: Pick<RemoteVectors, 'modelId' | 'keys'>,
): Promise<number> {
  const rows = JSON.stringify(keys.map(({ level: l, firstSeq: f, part: p }) => ({ l, f, p })))
  const gone = sql`jsonb_to_recordset(${rows}::text::jsonb) as gone(l smallint, f bigint, p int)`
  const isOne = sql`u.tenant_id = ${key.tenantId} and u.model_id = ${modelId} and u.session_id = ${key.sessionId}
    and u.level = gone.l and u.first_seq = gone.f and u.part = gone.p`
  const known = await sql`
    select from embedded_units u, ${gone} where ${isOne} and u.text_sha256 <> ${upcomingHash(sql)} for update of u`
  const place = { ...key, sessionId: sql`u.session_id`, seq: sql`u.first_seq` }
  const stays = sql`${isToBeEmbedded(sql, place)} and exists (
    select from embedding_models m where m.tenant_id = u.tenant_id and m.id = u.model_id and m.state = 'current')`
  await sql`update embedded_units u set text_sha256 = ${upcomingHash(sql)} from ${gone} where ${isOne} and ${stays}`
  await sql`delete from embedded_units u using ${gone} where ${isOne} and not (${stays})`
  return known.length
}
