import { openArchive } from './adapters/archives/open-archive.ts'
import { ServiceQueryEmbedder } from './adapters/embedders/service-query-embedder.ts'
import { GuardedGenerator } from './adapters/generators/guarded-generator.ts'
import { ObservedGenerator } from './adapters/generators/observed-generator.ts'
import { openGenerator } from './adapters/generators/open-generator.ts'
import { PatientGenerator } from './adapters/generators/patient-generator.ts'
import { auditKeyFile, findSecretFile, readSecretFile } from './adapters/secret-file.ts'
import { openVectorIndex } from './adapters/vector-indexes/open-vector-index.ts'
import type { Config, GeneratorSettings, TracingSettings } from './config.ts'
import { BudgetedGenerator } from './indexing/budgeted-generator.ts'
import { DailyBudget } from './indexing/daily-budget.ts'
import { TermHashers } from './indexing/terms/term-hashers.ts'
import { createLog, type Log } from './log.ts'
import { Caches } from './model/caches.ts'
import type { LocalUser } from './model/local-user.ts'
import { openDatabase, ownerOf } from './open-database.ts'
import type { ArchiveStore } from './ports/archive-store.ts'
import { observerOf, unobserved, type CircuitState, type Observer } from './ports/observer.ts'
import type { TextGenerator } from './ports/text-generator.ts'
import { QueryExpander } from './search/query/expand-query.ts'
import type { RankDependencies } from './search/ranking/rank.ts'
import type { Database } from './store/database.ts'
import { embeddingSocketPathOf, homePathsOf } from './store/embedded/home.ts'
import { Verbatim, type Stores } from './verbatim.ts'

/**
 * Puts the product together as the configuration says; `observer` is told what it does. Nothing is connected before the first
 * call. `localUser` is given where those who call are on this machine.
 */
export async function openVerbatim(
  config: Config,
  observer: Observer = unobserved,
  localUser?: LocalUser,
): Promise<Verbatim> {
  return new Verbatim({ ...(await openStores(config, observer)), localUser }, observer, {
    failure: config.audit.failure,
    log: createLog(config.logLevel),
  })
}

/** Loads what finds, for a process that stays: an update takes the files of what is not loaded yet, and it is to save and find all the same. */
export async function loadSearch(): Promise<void> {
  await import('./search/search.ts')
}

/** The product with what an operator sees of it, for a process that serves. */
export async function openServed(config: Config, { version, log }: { readonly version: string; readonly log: Log }) {
  const [{ Metrics }, { StoreSampler }] = await Promise.all([
    import('./operations/metrics.ts'),
    import('./operations/store-sample.ts'),
  ])
  let sampler: InstanceType<typeof StoreSampler> | undefined
  const metrics = new Metrics({ version, sample: async () => await sampler?.sample() })
  const tracing = config.tracing === undefined ? undefined : await openTracing(config.tracing, { version, log })
  const observer = observerOf((fact) => metrics.note(fact), tracing?.trace)
  const [verbatim] = await Promise.all([openVerbatim(config, observer), loadSearch()])
  sampler = new StoreSampler(verbatim.stores.database, log)
  return { verbatim, observer, metrics, tracing }
}

/** Loaded where traces are wanted only. */
async function openTracing(settings: TracingSettings, options: { readonly version: string; readonly log: Log }) {
  const { Tracing } = await import('./operations/tracing.ts')
  return new Tracing({ ...settings, ...options })
}

/** What the product is put together of. */
export async function openStores(config: Config, observer: Observer = unobserved): Promise<Stores> {
  const database = await openDatabase(config, observer)
  const caches = new Caches(config.cacheBytesMax, {
    lookedUp: (cache, isHit) => observer.note({ kind: 'looked_up', cache, isHit }),
    resized: (cache, sizeBytes) => observer.note({ kind: 'cached', cache, sizeBytes }),
  })
  const wiring = { database, observer, caches }
  return {
    database,
    caches,
    vectors: openVectorIndex(config.vectors, database, observer),
    semantic: semanticOf(config, wiring),
    expander: expanderOf(config, wiring),
    learnsRanking: config.learnsRanking,
    writer: writerOf(config, wiring),
    namesBy: config.names?.kind,
    archive: archiveOf(config, observer),
    pseudonymKey: () =>
      readSecretFile({
        path: config.privacy.pseudonymKeyFile,
        lost: 'Without it the pseudonyms that were given before cannot be given again, nor what they stand for',
      }),
    auditSecret: async () =>
      config.store.kind === 'embedded' || config.audit.isKeyNamed
        ? await findSecretFile(auditKeyFile(config.audit.keyFile))
        : undefined,
    hashers: new TermHashers(database.vault),
  }
}

/** Where large payloads are kept. */
export function archiveOf({ archive, home }: Pick<Config, 'archive' | 'home'>, observer?: Observer): ArchiveStore {
  return openArchive(archive, homePathsOf(home).archive, observer)
}

interface Wiring {
  readonly database: Database
  readonly observer: Observer
  readonly caches: Caches
}

/** A model that writes, each try held to the budget of the day, and left alone for a while where it fails. */
function generatorOf(
  settings: GeneratorSettings,
  { database, observer }: Wiring,
  { dailyTokens, tells }: { readonly dailyTokens: number; readonly tells: boolean },
): TextGenerator {
  const budget = new DailyBudget(database, dailyTokens)
  const generator = new BudgetedGenerator(new ObservedGenerator(openGenerator(settings), observer), budget)
  const { provider } = generator
  const circuitChanged = (state: CircuitState) => observer.note({ kind: 'circuit', provider, state })
  return new GuardedGenerator(new PatientGenerator(generator), tells ? circuitChanged : undefined)
}

function expanderOf({ expansion, dailyTokens }: Config, wiring: Wiring): QueryExpander | undefined {
  if (expansion === undefined) return undefined
  return new QueryExpander(generatorOf(expansion, wiring, { dailyTokens, tells: true }), wiring.caches)
}

/** Queries have less time than summaries: each has its own count of failures, and what is seen of it is one. */
function writerOf({ writer, expansion, dailyTokens }: Config, wiring: Wiring): TextGenerator | undefined {
  if (writer === undefined) return undefined
  return generatorOf(writer, wiring, { dailyTokens, tells: expansion === undefined })
}

/**
 * Vectors of queries come from where those of messages are made, the daemon or this process's own thread, whichever embedder
 * it has: then they are of the same model as those stored.
 */
function semanticOf(config: Config, { database, observer, caches }: Wiring): RankDependencies['semantic'] {
  const index = config.embedder.kind === 'none' ? undefined : openVectorIndex(config.vectors, database, observer)
  if (index === undefined) return undefined
  const queries = new ServiceQueryEmbedder(
    (model) => embeddingSocketPathOf(config.home, model, ownerOf(config)),
    caches,
  )
  return {
    index,
    embedQuery(model, text, options) {
      database.needWork?.()
      return queries.embed(model, text, options)
    },
  }
}
