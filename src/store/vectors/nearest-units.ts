import type { Sql } from 'postgres'

import type { Role } from '../../model/messages/message.ts'
import { roleSchema } from '../../model/messages/message.ts'
import type { VectorFilter } from '../../ports/vector-index.ts'
import type { Queries } from '../rows.ts'
import { joined, text, wholeNumber, type SqlText } from '../sql-text.ts'
import { inTransaction } from '../transaction.ts'
import { vectorLiteral, type UnitKey, type VectorScope } from './unit-vectors.ts'

export interface NearestQuery {
  readonly scope: VectorScope
  readonly level: number
  readonly vector: Float32Array
  readonly limit: number
  readonly filter: VectorFilter
}

/** A unit with the cosine of its vector and the query's. */
export interface NearUnit extends UnitKey {
  readonly similarity: number
}

/**
 * The two kinds of the column `embedding` and of the index on it. `bits` (embedded): the graph holds one bit a dimension,
 * its nearest are ranked again by the whole vectors. `halves` (server): the graph holds the vectors themselves.
 */
export type VectorForm = 'bits' | 'halves'

interface NearestRow {
  readonly session_id: string
  readonly first_seq: string
  readonly part: number
  readonly distance: number
}

const columns = text`session_id, first_seq, part`

function scopeCondition({ scope, level }: Pick<NearestQuery, 'scope' | 'level'>): SqlText {
  return text`tenant_id = ${scope.tenantId} and model_id = ${scope.modelId} and level = ${level}`
}

function timeOf(ms: number): SqlText {
  return text`${new Date(ms).toISOString()}::text::timestamptz`
}

function rolesLiteral(roles: readonly Role[]): SqlText {
  return text`${`{${roles.join(',')}}`}::text::text[]`
}

function filterConditions(filter: VectorFilter): SqlText {
  const conditions: SqlText[] = []
  if (filter.sessionIds !== undefined)
    conditions.push(text`and session_id = any(${`{${filter.sessionIds.join(',')}}`}::text::uuid[])`)
  if (filter.notSessionId !== undefined) conditions.push(text`and session_id <> ${filter.notSessionId}::text::uuid`)
  if (filter.sinceMs !== undefined) conditions.push(text`and timestamp >= ${timeOf(filter.sinceMs)}`)
  if (filter.untilMs !== undefined) conditions.push(text`and timestamp <= ${timeOf(filter.untilMs)}`)
  if (filter.roles !== undefined) conditions.push(text`and role = any(${rolesLiteral(filter.roles)})`)
  return joined(conditions, text` `)
}

/** The type of the column, which the query must have too for an operator between them. */
function columnType(form: VectorForm): SqlText {
  return form === 'bits' ? text`vector` : text`halfvec`
}

function toUnits(rows: readonly NearestRow[], level: number): NearUnit[] {
  return rows.map((row) => ({
    level,
    sessionId: row.session_id,
    firstSeq: Number(row.first_seq),
    part: row.part,
    // A distance may lie outside of 0 … 2 by the error of float32.
    similarity: Math.max(-1, Math.min(1, 1 - row.distance)),
  }))
}

/** Whether more than `rowsMax` vectors meet the filter: by the primary key for a session, else by the index on role and time. */
export async function hasMoreThan(
  sql: Sql,
  query: Pick<NearestQuery, 'scope' | 'level' | 'filter'>,
  rowsMax: number,
): Promise<boolean> {
  const { filter } = query
  // The index begins with the role: naming all of them lets it find a time.
  const roles = filter.sessionIds === undefined ? (filter.roles ?? roleSchema.options) : filter.roles
  const conditions = filterConditions({ ...filter, roles, notSessionId: undefined })
  const statement = text`
    select count(*) as count from (
      select from unit_vectors where ${scopeCondition(query)} ${conditions} limit ${rowsMax + 1}) counted`.toStatement()
  const [row] = await sql.unsafe<{ count: string }[]>(statement.text, statement.values)
  return Number(row?.count ?? 0) > rowsMax
}

/** The nearest of all that meet the filter, each compared. The subquery keeps the vector from being parsed once a row. */
export async function nearestExactly(sql: Sql, query: NearestQuery, form: VectorForm): Promise<NearUnit[]> {
  const { filter } = query
  const needsTime = filter.sinceMs !== undefined || filter.untilMs !== undefined
  const roles = needsTime && filter.sessionIds === undefined ? (filter.roles ?? roleSchema.options) : filter.roles
  const statement = text`
    select ${columns}, embedding <=> (select ${vectorLiteral(query.vector)}::text::${columnType(form)}) as distance
    from unit_vectors where ${scopeCondition(query)} ${filterConditions({ ...filter, roles })}
    order by distance, ${columns} limit ${query.limit}`.toStatement()
  return toUnits(await sql.unsafe<NearestRow[]>(statement.text, statement.values), query.level)
}

/** The statement of `nearestByGraph`; apart for the test that looks at its plan. */
export function graphStatement(
  query: NearestQuery,
  options: { readonly form: VectorForm; readonly candidates: number },
): ReturnType<SqlText['toStatement']> {
  const dimensions = wholeNumber(query.vector.length)
  const vector = text`(select ${vectorLiteral(query.vector)}::text::${columnType(options.form)})`
  const order =
    options.form === 'bits'
      ? text`binary_quantize(embedding)::bit(${dimensions}) <~> (select binary_quantize(${vector})::bit(${dimensions}))`
      : text`embedding::halfvec(${dimensions}) <=> ${vector}`
  return text`
    select ${columns}, embedding <=> ${vector} as distance
    from (select ${columns}, embedding from unit_vectors where ${scopeCondition(query)} ${filterConditions(query.filter)}
      order by ${order} limit ${options.candidates}) candidate
    order by distance, ${columns} limit ${query.limit}`.toStatement()
}

/**
 * The nearest as the index's graph finds them: `candidates` by the graph, of which the vectors themselves choose. Needs
 * the index of `createGraph`; without it the answer is the same but slow. Where a filter leaves out what the graph finds
 * first, the graph is walked on, up to pgvector's 20,000 vectors: then fewer than `limit` may come back.
 */
export async function nearestByGraph(
  sql: Sql,
  query: NearestQuery,
  options: { readonly form: VectorForm; readonly candidates: number },
): Promise<NearUnit[]> {
  const statement = graphStatement(query, options)
  return await inTransaction(sql, async (transaction) => {
    await useGraph(transaction, options.candidates)
    const rows = await transaction.unsafe<NearestRow[]>(statement.text, statement.values)
    return toUnits(rows, query.level)
  })
}

/**
 * Settings of one transaction. That the index is to be used is decided already: the planner, whose statistics may be
 * missing in an embedded store, is kept from sorting everything instead. It charges so much for what it may not do that a
 * server would compile the statement, for 50 ms: that is turned off too.
 */
export async function useGraph(transaction: Queries, candidates: number): Promise<void> {
  await transaction`
    select set_config('hnsw.ef_search', ${String(candidates)}, true),
      set_config('hnsw.iterative_scan', 'relaxed_order', true), set_config('enable_sort', 'off', true),
      set_config('jit', 'off', true)`
}
