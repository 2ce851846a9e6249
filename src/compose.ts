import { DirectoryArchive } from './adapters/directory-archive.ts'
import { GuardedGenerator } from './adapters/guarded-generator.ts'
import { openGenerator } from './adapters/open-generator.ts'
import { openVectorIndex } from './adapters/open-vector-index.ts'
import { ServiceQueryEmbedder } from './adapters/service-query-embedder.ts'
import type { Config } from './config.ts'
import { BudgetedGenerator } from './indexing/budgeted-generator.ts'
import { DailyBudget } from './indexing/daily-budget.ts'
import { createTermHasher, defaultTermKey } from './indexing/terms.ts'
import { QueryExpander } from './search/query/expand-query.ts'
import type { RankDependencies } from './search/ranking/rank.ts'
import type { SearchDependencies } from './search/search.ts'
import { launchOptions } from './start-store.ts'
import type { Database } from './store/database.ts'
import { connectEmbedded } from './store/embedded/client.ts'
import { embeddingSocketPathOf, homePathsOf } from './store/embedded/home.ts'
import { withReconnect } from './store/embedded/reconnect.ts'
import { asUnavailable } from './store/embedded/unavailable.ts'
import { Verbatim } from './verbatim.ts'
import { packageVersion } from './version.ts'

/** Puts the product together as the configuration says. Nothing is connected before the first call. */
export async function openVerbatim(config: Config): Promise<Verbatim> {
  return new Verbatim(openStores(config))
}

/** What the product is put together of. */
export function openStores(config: Config): SearchDependencies {
  const connection = connectEmbedded(launchOptions(config, packageVersion()))
  const database: Database = {
    kind: 'embedded',
    run: async (work) => {
      try {
        return await withReconnect(() => work(connection.sql))
      } catch (error) {
        throw asUnavailable(error)
      }
    },
    close: () => connection.close(),
  }
  return {
    database,
    semantic: semanticOf(config, database),
    expander: expanderOf(config, database),
    archive: new DirectoryArchive(homePathsOf(config.home).archive),
    hasher: createTermHasher(defaultTermKey),
  }
}

function expanderOf({ expansion, dailyTokens }: Config, database: Database): QueryExpander | undefined {
  if (expansion === undefined) return undefined
  const budget = new DailyBudget(database, dailyTokens)
  return new QueryExpander(new GuardedGenerator(new BudgetedGenerator(openGenerator(expansion), budget)))
}

/** Vectors of queries come from the daemon, whichever embedder it has: then they are of the same model as those stored. */
function semanticOf(config: Config, database: Database): RankDependencies['semantic'] {
  const index = config.embedder.kind === 'none' ? undefined : openVectorIndex(config.vectors, database)
  if (index === undefined) return undefined
  const queries = new ServiceQueryEmbedder((model) => embeddingSocketPathOf(config.home, model))
  return { index, embedQuery: (model, text, options) => queries.embed(model, text, options) }
}
