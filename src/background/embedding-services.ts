import { openFormerEmbedder } from '../adapters/embedders/open-embedder.ts'
import type { EmbedderSettings } from '../config.ts'
import type { DailyBudget } from '../indexing/daily-budget.ts'
import { BudgetedEmbedder } from '../indexing/vectors/budgeted-embedder.ts'
import type { Log } from '../log.ts'
import type { Embedder, EmbeddingModel } from '../ports/embedder.ts'
import type { Observer } from '../ports/observer.ts'
import { tenantIds } from '../store/access/tenants.ts'
import type { Database } from '../store/database.ts'
import { embeddingSocketPathOf } from '../store/embedded/home.ts'
import { readModels } from '../store/vectors/embedding-models.ts'
import { EmbeddingService } from './embedding-service.ts'

export interface EmbeddingServicesOptions {
  readonly home: string
  readonly owner: string | undefined
  readonly embedder: Embedder
  readonly config: EmbedderSettings
  readonly budget: DailyBudget
  readonly database: Database
  /** Of the vector index that is searched. */
  readonly indexName: string
  readonly log: Log
  readonly observer: Observer
}

const describeMs = 10_000

/** One service a model on a socket of its own: the current model, and former ones whose vectors are searched still. */
export class EmbeddingServices {
  readonly #options: EmbeddingServicesOptions
  readonly #services = new Map<string, EmbeddingService>()
  /** Embedders of former models by their sockets; undefined where the settings open none. */
  readonly #former = new Map<string, Embedder | undefined>()

  constructor(options: EmbeddingServicesOptions) {
    this.#options = options
  }

  /** Offers what is not offered yet. A provider that cannot say which its model is now is asked again the next time: false then. */
  async offer(): Promise<boolean> {
    const { embedder, database, indexName, log } = this.#options
    try {
      await this.#offerOwn(embedder)
      for (const tenantId of await database.run(tenantIds)) {
        for (const model of await database.run((sql) => readModels(sql, tenantId))) {
          if (model.state === 'former' && model.index === indexName) await this.#offerFormer(model)
        }
      }
      return true
    } catch (error) {
      log.error('a model is not offered', error)
      return false
    }
  }

  /**
   * The service of this embedder's model. Where it cannot say which that is now, it is the one that the store has vectors of: who asks is
   * told at once what fails, and is answered from when it works.
   */
  async #offerOwn(embedder: Embedder): Promise<void> {
    try {
      await this.#serve(embedder)
    } catch (error) {
      const { config, database, indexName } = this.#options
      if (config.kind === 'openai-compatible')
        for (const tenantId of await database.run(tenantIds))
          for (const model of await database.run((sql) => readModels(sql, tenantId)))
            if (model.state === 'current' && model.index === indexName && isOf(config, model))
              await this.#listen(this.#pathOf(model), embedder)
      throw error
    }
  }

  async #offerFormer(model: EmbeddingModel): Promise<void> {
    const path = this.#pathOf(model)
    if (this.#services.has(path)) return
    const { config, budget, observer } = this.#options
    if (!this.#former.has(path)) this.#former.set(path, await openFormerEmbedder(config, model, observer))
    const former = this.#former.get(path)
    if (former !== undefined) await this.#serve(new BudgetedEmbedder(former, budget))
  }

  async close(): Promise<void> {
    for (const service of this.#services.values()) await service.close()
    for (const embedder of this.#former.values()) await embedder?.close()
  }

  async #serve(embedder: Embedder): Promise<void> {
    await this.#listen(this.#pathOf(await embedder.describe({ signal: AbortSignal.timeout(describeMs) })), embedder)
  }

  async #listen(path: string, embedder: Embedder): Promise<void> {
    if (this.#services.has(path)) return
    this.#services.set(path, await EmbeddingService.start({ embedder, path }))
  }

  #pathOf(model: EmbeddingModel): string {
    return embeddingSocketPathOf(this.#options.home, model, this.#options.owner)
  }
}

function isOf(config: { readonly kind: string; readonly model: string }, model: EmbeddingModel): boolean {
  return model.provider === config.kind && model.name === config.model
}
