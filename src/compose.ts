import { GuardedGenerator } from './adapters/guarded-generator.ts'
import { openArchive } from './adapters/open-archive.ts'
import { openGenerator } from './adapters/open-generator.ts'
import { openVectorIndex } from './adapters/open-vector-index.ts'
import { ServiceQueryEmbedder } from './adapters/service-query-embedder.ts'
import type { Config } from './config.ts'
import { BudgetedGenerator } from './indexing/budgeted-generator.ts'
import { DailyBudget } from './indexing/daily-budget.ts'
import { createTermHasher, defaultTermKey } from './indexing/terms.ts'
import { openDatabase, ownerOf } from './open-database.ts'
import { QueryExpander } from './search/query/expand-query.ts'
import type { RankDependencies } from './search/ranking/rank.ts'
import type { SearchDependencies } from './search/search.ts'
import type { Database } from './store/database.ts'
import { embeddingSocketPathOf, homePathsOf } from './store/embedded/home.ts'
import { Verbatim } from './verbatim.ts'

/** Puts the product together as the configuration says. Nothing is connected before the first call. */
export async function openVerbatim(config: Config): Promise<Verbatim> {
  return new Verbatim(await openStores(config))
}

/** What the product is put together of. */
export async function openStores(config: Config): Promise<SearchDependencies> {
  const database = await openDatabase(config)
  return {
    database,
    semantic: semanticOf(config, database),
    expander: expanderOf(config, database),
    archive: openArchive(config.archive, homePathsOf(config.home).archive),
    hasher: createTermHasher(defaultTermKey),
  }
}

function expanderOf({ expansion, dailyTokens }: Config, database: Database): QueryExpander | undefined {
  if (expansion === undefined) return undefined
  const budget = new DailyBudget(database, dailyTokens)
  return new QueryExpander(new GuardedGenerator(new BudgetedGenerator(openGenerator(expansion), budget)))
}

/**
 * Vectors of queries come from where those of messages are made, the daemon or this process's own thread, whichever embedder
 * it has: then they are of the same model as those stored.
 */
function semanticOf(config: Config, database: Database): RankDependencies['semantic'] {
  const index = config.embedder.kind === 'none' ? undefined : openVectorIndex(config.vectors, database)
  if (index === undefined) return undefined
  const queries = new ServiceQueryEmbedder((model) => embeddingSocketPathOf(config.home, model, ownerOf(config)))
  return { index, embedQuery: (model, text, options) => queries.embed(model, text, options) }
}
