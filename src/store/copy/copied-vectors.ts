import type { TransactionSql } from 'postgres'

import { UnavailableError } from '../../errors.ts'
import type { Queries } from '../rows.ts'
import { identifier, text, type SqlText } from '../sql-text.ts'
import { readModels, type StoredModel } from '../vectors/embedding-models.ts'
import { lockModels } from '../work/add-work.ts'
import { insertRows, type TableShape } from './table-rows.ts'

/** The model whose vectors are moved, with its number at each of the two stores. */
export interface MovedModel {
  readonly model: StoredModel
  readonly sourceId: number
  readonly targetId: number
}

/** A stretch of a session's messages; both ends included. */
export interface Stretch {
  readonly tenantId: number
  readonly sessionId: string
  readonly fromSeq: number
  readonly toSeq: number
}

function isSame(a: StoredModel, b: StoredModel): boolean {
  return a.provider === b.provider && a.name === b.name && a.dimensions === b.dimensions && a.revision === b.revision
}

/**
 * Which model's vectors are worth moving: the one that the target makes vectors with; where it makes none yet, the one that
 * the source made them with last. Vectors of any other would be replaced at once.
 */
export function modelToMove(source: readonly StoredModel[], target: readonly StoredModel[]): StoredModel | undefined {
  const own = source.filter(({ index }) => index === 'pgvector')
  const wanted = target.find(({ state }) => state === 'current')
  if (wanted !== undefined) return wanted.index === 'pgvector' ? own.find((model) => isSame(model, wanted)) : undefined
  return own.find(({ state }) => state === 'current') ?? own.find(({ state }) => state === 'paused') ?? own[0]
}

/**
 * The number of a model at the target. A new one is noted as paused: the process that begins to make vectors with it looks
 * for what lacks one, and finds what was moved.
 */
export async function modelIdAt(sql: TransactionSql, tenantId: number, model: StoredModel): Promise<number> {
  await lockModels(sql, tenantId, 'exclusive')
  const known = (await readModels(sql, tenantId)).find(
    (stored) => stored.index === model.index && isSame(stored, model),
  )
  if (known !== undefined) return known.id
  const [row] = await sql<{ id: number }[]>`
    insert into embedding_models (tenant_id, id, provider, name, dimensions, revision, vector_index, state)
    select ${tenantId}, coalesce(max(id), 0) + 1, ${model.provider}, ${model.name}, ${model.dimensions}, ${model.revision}, ${model.index}, 'paused'
    from embedding_models where tenant_id = ${tenantId} returning id`
  if (row === undefined) throw new Error('embedding_models returned no row')
  return row.id
}

function unitsOf(modelId: number, stretch: Stretch): SqlText {
  // All levels are named, so that the primary key finds the session.
  return text`t.tenant_id = ${stretch.tenantId} and t.model_id = ${modelId} and t.level = any('{0,1,2}'::smallint[])
    and t.session_id = ${stretch.sessionId}::text::uuid and t.first_seq between ${stretch.fromSeq} and ${stretch.toSeq}`
}

/** How many units of a stretch have a vector that is there. */
export async function countUnits(sql: Queries, modelId: number, stretch: Stretch): Promise<number> {
  const { text: words, values } = text`
    select count(*) as count from embedded_units t join unit_vectors v using (tenant_id, model_id, level, session_id, first_seq, part)
    where ${unitsOf(modelId, stretch)}`.toStatement()
  const [row] = await sql.unsafe<{ count: string }[]>(words, values)
  return Number(row?.count ?? 0)
}

/** The rows of a stretch, as `insertRows` takes them. */
export async function readUnits(
  sql: TransactionSql,
  { table, modelId }: { readonly table: TableShape; readonly modelId: number },
  stretch: Stretch,
): Promise<string[]> {
  const { text: words, values } = text`
    select row_to_json(t)::text as row from ${identifier(table.name)} t where ${unitsOf(modelId, stretch)}`.toStatement()
  const rows = await sql.unsafe<{ row: string }[]>(words, values)
  return rows.map(({ row }) => row)
}

/**
 * Adds vectors under the target's number of the model; those that are there stay. Fails where the model was removed
 * meanwhile: its number may be another's soon.
 */
export async function insertUnits(
  sql: TransactionSql,
  { tenantId, modelId }: { readonly tenantId: number; readonly modelId: number },
  units: readonly { readonly table: TableShape; readonly rows: readonly string[] }[],
): Promise<void> {
  const known = await sql`
    select from embedding_models where tenant_id = ${tenantId} and id = ${modelId} for key share`
  if (known.length === 0)
    throw new UnavailableError('Cannot move vectors as another embedding model took the place of theirs meanwhile', {
      remedy: 'Run it again: it goes on where it was, without them',
    })
  for (const { table, rows } of units)
    await insertRows(sql, table, { rows, values: new Map([['model_id', text`${modelId}::int::smallint`]]) })
}
