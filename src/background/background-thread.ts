import { parentPort, workerData } from 'node:worker_threads'

import { openArchive } from '../adapters/open-archive.ts'
import { readConfig } from '../config.ts'
import { createTermHasher, defaultTermKey } from '../indexing/terms.ts'
import { IndexWorker } from '../indexing/worker.ts'
import { lookNowAndThen } from './look-now-and-then.ts'
import { openThreadDatabase, threadSettingsSchema } from './thread-database.ts'
import { threadLog } from './thread-log.ts'
import { threadObserver } from './thread-observer.ts'

const settings = threadSettingsSchema.parse(workerData)
const port = parentPort
if (port === null) throw new Error('background-thread.ts must run in a worker thread')

const { embedder, vectors, archive } = readConfig()
const observer = threadObserver(port)
const database = openThreadDatabase(settings, observer)
const worker = new IndexWorker({
  database,
  archive: openArchive(archive, settings.archive, observer),
  hasher: createTermHasher(defaultTermKey),
  log: threadLog(settings),
  observer,
  embeds: embedder.kind !== 'none' && vectors.kind !== 'none',
  onIdle: () => port.postMessage('idle'),
})

// On a server others save too; the daemon of an embedded store sees every save and says so.
const stopLooking = lookNowAndThen(database, () => worker.wake())

port.on('message', (message: unknown) => {
  if (message === 'wake') worker.wake()
  else if (message === 'stop') {
    stopLooking()
    void worker
      .stop()
      .then(() => database.close())
      // In a thread this ends the thread alone, and does not wait for timers of libraries.
      .finally(() => process.exit(0))
  }
})
