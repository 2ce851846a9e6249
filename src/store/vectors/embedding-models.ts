import type { Sql } from 'postgres'

import type { Queries } from '../rows.ts'
import { inTransaction } from '../transaction.ts'
import { addAllSessions, lockModels } from '../work/add-work.ts'
import { embedTopic } from '../work/outbox.ts'

/** Which model makes vectors, the fields of the port's `EmbeddingModel`, and the name of the vector index that they are in. */
export interface ModelIdentity {
  readonly provider: string
  readonly name: string
  readonly dimensions: number
  readonly revision: string
  readonly index: string
}

/**
 * - `current`: new vectors are made with it
 * - `former`: another took its place; its vectors are searched until the other has as many
 * - `paused`: embedding was turned off; messages may have been saved since that have no vector
 */
export type ModelState = 'current' | 'former' | 'paused'

export interface StoredModel extends ModelIdentity {
  readonly id: number
  readonly state: ModelState
}

export async function readModels(sql: Queries, tenantId: number): Promise<StoredModel[]> {
  const rows = await sql<StoredModel[]>`
    select id, provider, name, dimensions, revision, vector_index as index, state from embedding_models
    where tenant_id = ${tenantId} order by state, id desc`
  return rows.map(({ id, provider, name, dimensions, revision, index, state }) => ({
    id,
    provider,
    name,
    dimensions,
    revision,
    index,
    state,
  }))
}

/**
 * Makes a model the current one and whichever was current a former one. Where it was not current until now, messages may lack
 * a vector of it: all of them become work, in the same transaction, so that a crash leaves both or neither.
 */
export async function makeCurrent(sql: Sql, tenantId: number, model: ModelIdentity): Promise<StoredModel> {
  return await inTransaction(sql, async (transaction) => {
    // Two replicas may start at once, with one model or with two.
    await lockModels(transaction, tenantId, 'exclusive')
    const known = (await readModels(transaction, tenantId)).find((stored) => isSame(stored, model))
    if (known?.state === 'current') return known
    await transaction`
      update embedding_models set state = 'former' where tenant_id = ${tenantId} and state in ('current', 'paused')`
    const [row] =
      known === undefined
        ? await transaction<{ id: number }[]>`
            insert into embedding_models (tenant_id, id, provider, name, dimensions, revision, vector_index, state)
            select ${tenantId}, coalesce(max(id), 0) + 1, ${model.provider}, ${model.name}, ${model.dimensions}, ${model.revision}, ${model.index}, 'current'
            from embedding_models where tenant_id = ${tenantId} returning id`
        : await transaction<{ id: number }[]>`
            update embedding_models set state = 'current' where tenant_id = ${tenantId} and id = ${known.id} returning id`
    if (row === undefined) throw new Error('embedding_models returned no row')
    await addAllSessions(transaction, tenantId, embedTopic)
    return { ...model, id: row.id, state: 'current' }
  })
}

/** Notes that no vectors are made for now, so that what is missed then is made up for later. */
export async function pauseModels(sql: Queries, tenantId: number): Promise<void> {
  await sql`update embedding_models set state = 'paused' where tenant_id = ${tenantId} and state = 'current'`
}

/**
 * Removes a former model whose vectors are gone. Where it is none any more, as somebody went back to it meanwhile, all messages are
 * work again: what was done of that may have passed over what had a vector then. Nothing is to be done where another replica has
 * removed it.
 */
export async function removeModel(
  sql: Sql,
  { tenantId, modelId }: { readonly tenantId: number; readonly modelId: number },
): Promise<void> {
  await inTransaction(sql, async (transaction) => {
    await lockModels(transaction, tenantId, 'exclusive')
    await transaction`
      delete from embedding_models where tenant_id = ${tenantId} and id = ${modelId} and state = 'former'`
    const left = await transaction`select from embedding_models where tenant_id = ${tenantId} and id = ${modelId}`
    if (left.length > 0) await addAllSessions(transaction, tenantId, embedTopic)
  })
}

function isSame(stored: ModelIdentity, model: ModelIdentity): boolean {
  return (
    stored.provider === model.provider &&
    stored.name === model.name &&
    stored.dimensions === model.dimensions &&
    stored.revision === model.revision &&
    stored.index === model.index
  )
}
