import type { Sql } from 'postgres'

import { reserveConnection } from '../reserve.ts'
import type { Queries } from '../rows.ts'
import { text, wholeNumber, type SqlText } from '../sql-text.ts'
import type { VectorForm } from './nearest-units.ts'
import type { VectorScope } from './unit-vectors.ts'

/** The vectors that one graph connects: those of a level of a tenant and a model, all with the same dimensions. */
export interface GraphScope extends VectorScope {
  readonly level: number
}

/** Enough for the graph of some 500,000 vectors of 384 bits; beyond it a build takes several times as long. */
const buildMemory = '256MB'

function graphName(scope: GraphScope): string {
  return `unit_vectors_near_${scope.tenantId}_${scope.modelId}_${scope.level}`
}

function nameText(scope: GraphScope): SqlText {
  return text`unit_vectors_near_${wholeNumber(scope.tenantId)}_${wholeNumber(scope.modelId)}_${wholeNumber(scope.level)}`
}

/** Whether the graph is there; `broken` where a build was broken off. */
export async function findGraph(sql: Queries, scope: GraphScope): Promise<'ready' | 'broken' | 'absent'> {
  const [row] = await sql<{ valid: boolean }[]>`
    select indisvalid as valid from pg_index where indexrelid = to_regclass(${graphName(scope)})`
  if (row === undefined) return 'absent'
  return row.valid ? 'ready' : 'broken'
}

/**
 * Builds the HNSW index of a scope. On a server others read and write meanwhile; the embedded engine does nothing else:
 * about 0.4 s a 1,000 vectors of 384 dimensions there. An index is partial, as dimensions differ from model to model,
 * and as a search must not walk through vectors of other tenants.
 */
export async function createGraph(
  sql: Sql,
  scope: GraphScope & { readonly dimensions: number },
  form: VectorForm,
): Promise<void> {
  const dimensions = wholeNumber(scope.dimensions)
  const expression =
    form === 'bits'
      ? text`(binary_quantize(embedding)::bit(${dimensions})) bit_hamming_ops`
      : text`(embedding::halfvec(${dimensions})) halfvec_cosine_ops`
  const { text: statement } = text`
    create index ${form === 'bits' ? text`` : text`concurrently`} ${nameText(scope)} on unit_vectors using hnsw (${expression})
    where tenant_id = ${wholeNumber(scope.tenantId)} and model_id = ${wholeNumber(scope.modelId)}
      and level = ${wholeNumber(scope.level)}`.toStatement()
  // Settings of a session, as an index that is built concurrently can be part of no transaction.
  const connection = await reserveConnection(sql)
  try {
    // Parallel builds overran a buffer before pgvector 0.8.2 (CVE-2026-3172).
    await connection`
      select set_config('maintenance_work_mem', ${buildMemory}, false), set_config('max_parallel_maintenance_workers', '0', false)`
    await connection.unsafe(statement)
    await connection`reset maintenance_work_mem`
    await connection`reset max_parallel_maintenance_workers`
  } finally {
    // After an error the settings stay with the connection: harmless, and it may be lost anyway.
    connection.release()
  }
}

/** On a server others read and write meanwhile. */
export async function dropGraph(sql: Queries, scope: GraphScope, form: VectorForm): Promise<void> {
  const { text: statement } =
    text`drop index ${form === 'bits' ? text`` : text`concurrently`} if exists ${nameText(scope)}`.toStatement()
  await sql.unsafe(statement)
}

/**
 * Does `work` unless another process is at the same graph: one that is being built looks broken to the others. Takes a
 * connection of the pool beside those that `work` needs. Undefined where another is at it.
 */
export async function aloneAtGraph<T>(sql: Sql, scope: GraphScope, work: () => Promise<T>): Promise<T | undefined> {
  const connection = await reserveConnection(sql)
  try {
    const [lock] = await connection<{ taken: boolean }[]>`
      select pg_try_advisory_lock(hashtext(${graphName(scope)})) as taken`
    if (lock?.taken !== true) return undefined
    const result = await work()
    await connection`select pg_advisory_unlock(hashtext(${graphName(scope)}))`
    return result
  } finally {
    connection.release()
  }
}
