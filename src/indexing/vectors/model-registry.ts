import type { Embedder } from '../../ports/embedder.ts'
import type { VectorIndex, VectorSpace } from '../../ports/vector-index.ts'
import { tenantIds } from '../../store/access/tenants.ts'
import type { Database } from '../../store/database.ts'
import { countEmbedded, forgetEmbedded } from '../../store/vectors/embedded-units.ts'
import { makeCurrent, readModels, removeModel } from '../../store/vectors/embedding-models.ts'
import { dueAtOnce, embedTopic, outboxBacklog } from '../../store/work/outbox.ts'

export interface RegistryDependencies {
  readonly database: Database
  readonly embedder: Embedder
  readonly index: VectorIndex
}

/** Index structures that an index builds when there is time for it. */
interface Maintained {
  maintain(space: VectorSpace, options: { readonly signal: AbortSignal }): Promise<unknown>
}

function isMaintained(index: VectorIndex): index is VectorIndex & Maintained {
  return 'maintain' in index
}

/**
 * Which model's vectors are made. A new model takes the place of the old one at once; what was saved before is embedded
 * again in the background, and the old vectors are searched until as many new ones are there.
 */
export class ModelRegistry {
  readonly #dependencies: RegistryDependencies
  readonly #spaces = new Map<number, VectorSpace>()
  #isPrepared = false

  constructor(dependencies: RegistryDependencies) {
    this.#dependencies = dependencies
  }

  /**
   * Whether this model is still the current one: on a server another process may have another embedder, and what is pending is
   * for its model then. An embedded store has one process that embeds.
   */
  async isCurrent({ tenantId, modelId }: VectorSpace): Promise<boolean> {
    if (this.#dependencies.database.kind === 'embedded') return true
    const models = await this.#dependencies.database.run((sql) => readModels(sql, tenantId))
    return models.some(({ id, state }) => id === modelId && state === 'current')
  }

  /**
   * Of some work what nobody else makes vectors for while this process's embedder does not say which its model is: on a server, that
   * of tenants without a current model. Another process may have an embedder that answers.
   */
  async withoutModel<T extends { readonly tenantId: number }>(items: readonly T[]): Promise<readonly T[]> {
    const { database } = this.#dependencies
    if (database.kind === 'embedded') return items
    const served = new Set<number>()
    for (const tenantId of new Set(items.map((item) => item.tenantId))) {
      const models = await database.run((sql) => readModels(sql, tenantId))
      if (models.some(({ state }) => state === 'current')) served.add(tenantId)
    }
    return items.filter(({ tenantId }) => !served.has(tenantId))
  }

  /** Makes the embedder's model the current one of every tenant, once. A ProviderError where it cannot say which it is. */
  async prepare(signal: AbortSignal): Promise<void> {
    for (const tenantId of await this.#dependencies.database.run(tenantIds)) await this.spaceOf(tenantId, signal)
    if (this.#isPrepared) return
    // What waited for a provider or a budget may find another now that the settings were read anew.
    await this.#dependencies.database.run((sql) => dueAtOnce(sql, embedTopic))
    this.#isPrepared = true
  }

  async spaceOf(tenantId: number, signal: AbortSignal): Promise<VectorSpace> {
    const known = this.#spaces.get(tenantId)
    if (known !== undefined) return known
    const { database, embedder, index } = this.#dependencies
    const described = await embedder.describe({ signal })
    const { id, dimensions } = await database.run((sql) =>
      makeCurrent(sql, tenantId, { ...described, index: index.name }),
    )
    const space = { tenantId, modelId: id, dimensions }
    this.#spaces.set(tenantId, space)
    return space
  }

  /** For when nothing is due: builds indexes, and removes models whose place another has taken. */
  async tidy(signal: AbortSignal): Promise<void> {
    const { database, index } = this.#dependencies
    for (const space of this.#spaces.values()) {
      if (isMaintained(index)) await index.maintain(space, { signal })
      const models = await database.run((sql) => readModels(sql, space.tenantId))
      if (models.some(({ id, state }) => id === space.modelId && state === 'former')) continue
      // Those of another index stay known: who goes back to it finds its vectors, and no other model gets their number.
      const formerModels = models.filter((model) => model.state === 'former' && model.index === index.name)
      // Counting reads every row, and this runs after each save.
      if (formerModels.length === 0) continue
      const embedded = await database.run((sql) => countEmbedded(sql, space))
      // Texts that this model does not take get no vector, ever.
      const { dead } = await database.run((sql) => outboxBacklog(sql, space.tenantId, { topic: embedTopic }))
      for (const { id, dimensions } of formerModels) {
        const former = { tenantId: space.tenantId, modelId: id, dimensions }
        if ((await database.run((sql) => countEmbedded(sql, former))) > embedded + dead) continue
        await index.deleteSpace(former, { signal })
        await database.run((sql) => forgetEmbedded(sql, former))
        await database.run((sql) => removeModel(sql, former))
      }
    }
  }
}
