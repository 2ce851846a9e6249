import type { TransactionSql } from 'postgres'

import {
  countUnits,
  insertUnits,
  modelIdAt,
  modelToMove,
  readUnits,
  type MovedModel,
  type Stretch,
} from '../store/copy/copied-vectors.ts'
import { describeTable, inPlainText, type TableShape } from '../store/copy/table-rows.ts'
import type { Database } from '../store/database.ts'
import { readModels } from '../store/vectors/embedding-models.ts'
import { Counter, type MoveReport } from './report.ts'

const tables = ['embedded_units', 'unit_vectors'] as const

type Plan = { readonly moved: MovedModel; readonly shapes: readonly TableShape[] } | { readonly reason: string }

type Units = readonly { readonly table: TableShape; readonly rows: readonly string[] }[]

/** Copies the vectors of messages, which cost time or money to make; or says why that cannot be. */
export class VectorMover {
  readonly counts = new Counter()
  readonly #source: Database
  readonly #target: Database
  readonly #tenantId: number
  readonly #plan: Plan

  private constructor(stores: { source: Database; target: Database; tenantId: number }, plan: Plan) {
    this.#source = stores.source
    this.#target = stores.target
    this.#tenantId = stores.tenantId
    this.#plan = plan
  }

  /** A vector is known to be of a text by the hash of that, which has to be as the target would make it. */
  static async make(
    stores: { source: Database; target: Database; tenantId: number },
    isHashedOtherwise: boolean,
  ): Promise<VectorMover> {
    const { source, target, tenantId } = stores
    if (isHashedOtherwise)
      return new VectorMover(stores, { reason: 'the target hashes the words of texts under another key' })
    const shapes: TableShape[] = []
    for (const name of tables) {
      // The columns are the same at both ends; only the type of a vector differs, which has one text.
      const shape = await target.run((sql) => describeTable(sql, name))
      const isAtSource = (await source.run((sql) => describeTable(sql, name))) !== undefined
      if (shape === undefined || !isAtSource)
        return new VectorMover(stores, { reason: `there is no pgvector at the ${isAtSource ? 'target' : 'source'}` })
      shapes.push(shape)
    }
    const models = await source.run((sql) => readModels(sql, tenantId))
    const model = modelToMove(models, await target.run((sql) => readModels(sql, tenantId)))
    if (model === undefined) {
      const reason = models.length === 0 ? 'there are none' : 'the target makes them with another model or elsewhere'
      return new VectorMover(stores, { reason })
    }
    const targetId = await inPlainText(target, (sql) => modelIdAt(sql, tenantId, model))
    return new VectorMover(stores, { moved: { model, sourceId: model.id, targetId }, shapes })
  }

  get report(): MoveReport['vectors'] {
    if ('reason' in this.#plan) return { made_anew: this.#plan.reason }
    const { provider, name, dimensions } = this.#plan.moved.model
    return { model: `${provider} ${name}, ${dimensions} dimensions`, ...this.counts.toJSON() }
  }

  /** What is to be written with the messages of a stretch. */
  async read(stretch: Stretch): Promise<(sql: TransactionSql) => Promise<void>> {
    const plan = this.#plan
    if ('reason' in plan) return async () => undefined
    const units: Units = await inPlainText(this.#source, async (sql) => {
      const read: { table: TableShape; rows: readonly string[] }[] = []
      for (const table of plan.shapes)
        read.push({ table, rows: await readUnits(sql, { table, modelId: plan.moved.sourceId }, stretch) })
      return read
    })
    if (units.every(({ rows }) => rows.length === 0)) return async () => undefined
    return (sql) => insertUnits(sql, { tenantId: this.#tenantId, modelId: plan.moved.targetId }, units)
  }

  /** Adds those that were made since their messages were moved, counts, and returns how many the target lacks. */
  async complete(stretch: Stretch, isNew: boolean): Promise<number> {
    const plan = this.#plan
    if ('reason' in plan) return 0
    const wanted = await this.#source.run((sql) => countUnits(sql, plan.moved.sourceId, stretch))
    const count = () => this.#target.run((sql) => countUnits(sql, plan.moved.targetId, stretch))
    const before = await count()
    if (before >= wanted) {
      if (isNew) this.counts.add(wanted, 0)
      else this.counts.add(0, wanted)
      return 0
    }
    const write = await this.read(stretch)
    await inPlainText(this.#target, write)
    const after = await count()
    this.counts.add(Math.max(0, after - before), Math.min(before, wanted))
    return Math.max(0, wanted - after)
  }
}
