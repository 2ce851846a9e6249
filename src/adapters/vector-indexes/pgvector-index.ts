import { LimitError, UnavailableError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import type {
  CallOptions,
  VectorFilter,
  VectorIndex,
  VectorKey,
  VectorQuery,
  VectorRecord,
  VectorResult,
  VectorSpace,
} from '../../ports/vector-index.ts'
import type { Database } from '../../store/database.ts'
import {
  hasMoreThan,
  nearestByGraph,
  nearestExactly,
  type NearestQuery,
  type VectorForm,
} from '../../store/vectors/nearest-units.ts'
import {
  countVectors,
  deleteSomeVectors,
  deleteVectors,
  readVectors,
  unitLevels,
  writeVectors,
} from '../../store/vectors/unit-vectors.ts'
import { aloneAtGraph, createGraph, dropGraph, findGraph, type GraphScope } from '../../store/vectors/vector-graphs.ts'
import { untilAborted } from '../call-bounds.ts'
import { batches, lastOfEachKey, requireDimensions } from './vector-batches.ts'

type Sql = Parameters<Parameters<Database['run']>[0]>[0]

/** How a level of a space is searched. */
export interface LevelState {
  readonly level: number
  /** True where the graph is there; else every vector is compared, which is as good while there are few. */
  readonly hasGraph: boolean
}

export interface PgvectorOptions {
  /** Vectors of a level from which on a graph is built; for tests, default `exactVectorsMax` of limits.ts. */
  readonly exactVectorsMax?: number
}

/** Vectors of one insert, 0.5 MB of text at 384 dimensions. */
const writeBatch = 100
const keyBatch = 1_000
/** Rows of one delete: some 100 ms of the embedded engine, which serves nobody else meanwhile. */
const deleteBatch = 2_000

/** Vectors in the database itself. They are found as soon as they are written. */
export class PgvectorIndex implements VectorIndex {
  readonly kind = 'pgvector'
  readonly name = 'pgvector'
  readonly #database: Database
  readonly #form: VectorForm
  readonly #exactVectorsMax: number

  constructor(database: Database, options: PgvectorOptions = {}) {
    this.#database = database
    this.#form = database.kind === 'embedded' ? 'bits' : 'halves'
    this.#exactVectorsMax = options.exactVectorsMax ?? limits.exactVectorsMax
  }

  async upsert(space: VectorSpace, records: readonly VectorRecord[], options: CallOptions): Promise<void> {
    for (const { vector } of records) requireDimensions(space, vector)
    for (const batch of batches(lastOfEachKey(records), writeBatch))
      await this.#run(options, (sql) => writeVectors(sql, space, batch))
  }

  async fetch(
    space: VectorSpace,
    keys: readonly VectorKey[],
    options: CallOptions,
  ): Promise<(VectorKey & { readonly vector: Float32Array })[]> {
    const found = []
    for (const batch of batches(lastOfEachKey(keys), keyBatch))
      found.push(...(await this.#run(options, (sql) => readVectors(sql, space, batch))))
    return found
  }

  /**
   * Where the level has a graph and more vectors meet the filter than are compared one by one, the graph is asked; where
   * it finds fewer than wanted, as it gives up after 20,000, all that meet the filter are compared after all.
   */
  async query(space: VectorSpace, query: VectorQuery, options: CallOptions): Promise<VectorResult> {
    requireDimensions(space, query.vector)
    requireLimit(query.limit)
    const nearest: NearestQuery = { scope: space, ...query }
    const isFiltered = isFilter(query.filter)
    // Which sessions of the tenant may be found is for who asks.
    const database = this.#database.of({ tenantId: space.tenantId })
    const matches = await this.#runOn(database, options, async (sql) => {
      const usesGraph =
        (await findGraph(sql, graphOf(space, query.level))) === 'ready' &&
        (!isFiltered || (await hasMoreThan(sql, nearest, this.#exactVectorsMax)))
      if (!usesGraph) return await nearestExactly(sql, nearest, this.#form)
      const candidates = candidatesOf(this.#form, query.limit, isFiltered)
      const found = await nearestByGraph(sql, nearest, { form: this.#form, candidates })
      return found.length < query.limit ? await nearestExactly(sql, nearest, this.#form) : found
    })
    return { matches, behind: false }
  }

  async delete(space: VectorSpace, keys: readonly VectorKey[], options: CallOptions): Promise<void> {
    for (const batch of batches(lastOfEachKey(keys), keyBatch))
      await this.#run(options, (sql) => deleteVectors(sql, space, batch))
  }

  async deleteSession(space: VectorSpace, sessionId: string, options: CallOptions): Promise<void> {
    await this.#deleteAll({ ...space, sessionId }, options)
  }

  async deleteSpace(space: VectorSpace, options: CallOptions): Promise<void> {
    // First, as each row that is deleted later would else be looked up in them when the table is vacuumed.
    for (const level of unitLevels) await this.#run(options, (sql) => dropGraph(sql, graphOf(space, level), this.#form))
    await this.#deleteAll(space, options)
  }

  async count(space: VectorSpace, options: CallOptions): Promise<number> {
    return await this.#run(options, (sql) => countVectors(sql, space))
  }

  /**
   * Builds the graphs that are missing. To be called when the store is idle, best as soon as a level has passed
   * `exactVectorsMax`, by the daemon's own connection, whose requests have the time: 20,000 vectors take the embedded
   * engine some 5 s in which it serves nobody else. A graph that is there grows with every write (1 to 2 ms a vector).
   */
  async maintain(space: VectorSpace, options: CallOptions): Promise<readonly LevelState[]> {
    const states: LevelState[] = []
    for (const level of unitLevels)
      states.push({ level, hasGraph: await this.#run(options, (sql) => this.#ensureGraph(sql, space, level)) })
    return states
  }

  /** The database is closed by who opened it. */
  async close(): Promise<void> {}

  async #ensureGraph(sql: Sql, space: VectorSpace, level: number): Promise<boolean> {
    const scope = graphOf(space, level)
    const state = await findGraph(sql, scope)
    if (state === 'ready') return true
    if (!(await hasMoreThan(sql, { scope: space, level, filter: {} }, this.#exactVectorsMax))) return false
    // The embedded store has one process that builds, and its pool one connection.
    if (this.#form === 'bits') return await this.#build(sql, space, scope)
    return (await aloneAtGraph(sql, scope, () => this.#build(sql, space, scope))) ?? false
  }

  async #build(sql: Sql, space: VectorSpace, scope: GraphScope): Promise<true> {
    const state = await findGraph(sql, scope)
    if (state === 'ready') return true
    if (state === 'broken') await dropGraph(sql, scope, this.#form)
    await createGraph(sql, { ...scope, dimensions: space.dimensions }, this.#form)
    return true
  }

  async #deleteAll(scope: Parameters<typeof deleteSomeVectors>[1], options: CallOptions): Promise<void> {
    let deleted = deleteBatch
    while (deleted > 0) deleted = await this.#run(options, (sql) => deleteSomeVectors(sql, scope, deleteBatch))
  }

  #run<T>(options: CallOptions, work: (sql: Sql) => Promise<T>): Promise<T> {
    return this.#runOn(this.#database, options, work)
  }

  async #runOn<T>(database: Database, options: CallOptions, work: (sql: Sql) => Promise<T>): Promise<T> {
    options.signal.throwIfAborted()
    try {
      return await untilAborted(database.run(work), options.signal)
    } catch (error) {
      throw isMissingTable(error) ? withoutPgvector(error) : error
    }
  }
}

function graphOf(space: VectorSpace, level: number): GraphScope {
  return { tenantId: space.tenantId, modelId: space.modelId, level }
}

function isFilter(filter: VectorFilter): boolean {
  return Object.values(filter).some((value) => value !== undefined)
}

function requireLimit(limit: number): void {
  if (limit <= limits.vectorMatchesMax) return
  throw new LimitError('find nearest vectors', { what: 'limit', limit: limits.vectorMatchesMax, actual: limit })
}

/**
 * How many the graph is asked for; 1,000 is what pgvector takes. Bits order vectors roughly, so many are taken and
 * ranked again. Recall@10 and median time in the embedded engine, 384 dimensions, 2 busy cores:
 *
 * | candidates | 20,000 MiniLM | 50,000 text-embedding-3-small, cut | 100,000 MiniLM |
 * | 200 | 0.986, 6 ms | 0.921, 6 ms | 0.908, 9 ms |
 * | 400 | 0.995, 8 ms | 0.974, 9 ms | 0.962, 15 ms |
 * | 1,000 | 0.999, 14 ms | 0.996, 17 ms | 0.993, 35 ms |
 * | all, exactly | 40 ms | 128 ms | 548 ms |
 *
 * 500 it is: the words bring most of what they leave out, and 1,000 took half of a hybrid search's time.
 *
 * Under a filter the graph is walked until as many as the candidates meet it, so fewer are wanted; their recall is
 * higher, as they are a larger part of what may be found (0.965 with 200 candidates and half of the vectors left).
 */
function candidatesOf(form: VectorForm, limit: number, isFiltered: boolean): number {
  if (form === 'halves') return Math.min(1_000, Math.max(100, 4 * limit))
  return isFiltered ? Math.max(400, limit) : Math.max(500, limit)
}

/** 42P01: undefined_table; 42704: undefined_object, the type `vector`. */
function isMissingTable(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === '42P01' || error.code === '42704')
}

function withoutPgvector(cause: unknown): UnavailableError {
  return new UnavailableError('Cannot keep vectors in the database as it was set up without the extension pgvector', {
    remedy:
      'Install pgvector 0.8 or newer on the server, run "create extension vector" in the database as an administrator and start again, or set VERBATIM_VECTORS to "pinecone" or "none"',
    cause,
  })
}
