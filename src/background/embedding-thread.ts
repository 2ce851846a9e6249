import { parentPort, workerData } from 'node:worker_threads'

import { openArchive } from '../adapters/archives/open-archive.ts'
import { openEmbedder } from '../adapters/embedders/open-embedder.ts'
import { openVectorIndex } from '../adapters/vector-indexes/open-vector-index.ts'
import { readConfig } from '../config.ts'
import { DailyBudget } from '../indexing/daily-budget.ts'
import { BudgetedEmbedder } from '../indexing/vectors/budgeted-embedder.ts'
import { VectorWorker } from '../indexing/vectors/vector-worker.ts'
import { EmbeddingServices } from './embedding-services.ts'
import { lookNowAndThen } from './look-now-and-then.ts'
import { openThreadDatabase, threadSettingsSchema } from './thread-database.ts'
import { threadLog } from './thread-log.ts'
import { threadObserver } from './thread-observer.ts'

/** The thread that makes vectors and offers them to the other processes of the store. */
const settings = threadSettingsSchema.parse(workerData)
const port = parentPort
if (port === null) throw new Error('embedding-thread.ts must run in a worker thread')

const config = readConfig()
const observer = threadObserver(port)
const database = openThreadDatabase(settings, observer, { encryption: config.encryption, serverConnections: 4 })
const log = threadLog(settings)
const idle = () => port.postMessage('idle')
const index = openVectorIndex(config.vectors, database, observer)

/** Undefined where the settings want no vectors. */
async function open() {
  if (index === undefined) return undefined
  const embedder = await openEmbedder(config.embedder, observer)
  if (embedder === undefined) return undefined
  const budget = new DailyBudget(database, config.dailyTokens)
  const budgeted = new BudgetedEmbedder(embedder, budget)
  const archive = openArchive(config.archive, settings.archive, observer)
  return {
    services: new EmbeddingServices({
      home: settings.home,
      owner: settings.owner,
      embedder: budgeted,
      config: config.embedder,
      budget,
      database,
      indexName: index.name,
      log,
      observer,
    }),
    worker: new VectorWorker({ database, archive, embedder: budgeted, index, log, observer, onIdle: idle }),
    embedder: budgeted,
  }
}

let running: Awaited<ReturnType<typeof open>>

/** The sockets first: a search may be waiting for them. What cannot be opened now is tried again at the next wake. */
async function wake(): Promise<void> {
  running ??= await open()
  if (running === undefined) return idle()
  isOffered = await running.services.offer()
  if (settings.works) running.worker.wake()
  else idle()
}

async function stop(): Promise<void> {
  stopLooking()
  await running?.worker.stop()
  await running?.services.close()
  await running?.embedder.close()
  await index?.close()
  await database.close()
}

const offerAgainMs = 15_000
let isOffered = false
let offeredAtMs = 0

const stopLooking = lookNowAndThen(database, () => {
  if (settings.works) running?.worker.wake()
  // Who only answers is woken by nobody else: a provider that did not say which its model is is asked again.
  else if (!isOffered && performance.now() - offeredAtMs > offerAgainMs) {
    offeredAtMs = performance.now()
    wakeNext()
  }
})

/** One after the other: two at once would open everything twice. */
let last: Promise<void> = Promise.resolve()

function wakeNext(): void {
  last = last.then(wake).catch((error: unknown) => {
    log.error('the vectors were not looked after', error)
    idle()
  })
}

port.on('message', (message: unknown) => {
  if (message === 'wake') wakeNext()
  // In a thread this ends the thread alone, and does not wait for timers of libraries.
  else if (message === 'stop') void stop().finally(() => process.exit(0))
})
