import { parentPort, workerData } from 'node:worker_threads'

import { DirectoryArchive } from '../adapters/directory-archive.ts'
import { openEmbedder } from '../adapters/open-embedder.ts'
import { openVectorIndex } from '../adapters/open-vector-index.ts'
import { readConfig } from '../config.ts'
import { DailyBudget } from '../indexing/daily-budget.ts'
import { VectorWorker } from '../indexing/vector-worker.ts'
import { createLog } from '../log.ts'
import { pauseModels } from '../store/embedding-models.ts'
import { tenantIds } from '../store/tenants.ts'
import { EmbeddingServices } from './embedding-services.ts'
import { openThreadDatabase, threadSettingsSchema } from './thread-database.ts'

/**
 * The thread that makes vectors and offers them to the other processes of the store. Where no embedder is configured it only
 * notes that, so that a later start knows what was missed.
 */
const settings = threadSettingsSchema.parse(workerData)
const port = parentPort
if (port === null) throw new Error('embedding-thread.ts must run in a worker thread')

const config = readConfig()
const database = openThreadDatabase(settings)
const log = createLog('error')
const idle = () => port.postMessage('idle')
const embedder = await openEmbedder(config.embedder)
const index = openVectorIndex(config.vectors, database)

const running =
  embedder === undefined || index === undefined
    ? undefined
    : {
        services: new EmbeddingServices({ home: settings.home, embedder, config: config.embedder, database, log }),
        worker: new VectorWorker({
          database,
          archive: new DirectoryArchive(settings.archive),
          embedder,
          index,
          budget: new DailyBudget(database, config.dailyTokens),
          log,
          onIdle: idle,
        }),
      }

/** The sockets first: a search may be waiting for them. */
async function wake(): Promise<void> {
  if (running === undefined) {
    for (const tenantId of await database.run(tenantIds)) await database.run((sql) => pauseModels(sql, tenantId))
    idle()
    return
  }
  await running.services.offer()
  running.worker.wake()
}

async function stop(): Promise<void> {
  await running?.worker.stop()
  await running?.services.close()
  await embedder?.close()
  await index?.close()
  await database.close()
}

port.on('message', (message: unknown) => {
  if (message === 'wake')
    wake().catch((error: unknown) => {
      log.error('the vectors were not looked after', error)
      idle()
    })
  // In a thread this ends the thread alone, and does not wait for timers of libraries.
  else if (message === 'stop') void stop().finally(() => process.exit(0))
})
