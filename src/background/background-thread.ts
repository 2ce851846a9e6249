import { parentPort, workerData } from 'node:worker_threads'

import postgres from 'postgres'
import { z } from 'zod'

import { DirectoryArchive } from '../adapters/directory-archive.ts'
import { createTermHasher, defaultTermKey } from '../indexing/terms.ts'
import { IndexWorker } from '../indexing/worker.ts'
import { createLog } from '../log.ts'
import type { Database } from '../store/database.ts'
import { withReconnect } from '../store/embedded/reconnect.ts'

const settings = z
  .object({
    connection: z.object({
      path: z.string(),
      user: z.string(),
      database: z.string(),
      connection: z.object({ application_name: z.string() }),
    }),
    archive: z.string(),
  })
  .parse(workerData)

const port = parentPort
if (port === null) throw new Error('background-thread.ts must run in a worker thread')

const sql = postgres({ ...settings.connection, max: 1, fetch_types: false, onnotice: () => undefined })
const database: Database = {
  kind: 'embedded',
  run: (work) => withReconnect(() => work(sql)),
  // Nothing is under way when it is called: the connection is dropped, and the store need not wait for a farewell.
  close: () => sql.end({ timeout: 0 }),
}
const worker = new IndexWorker({
  database,
  archive: new DirectoryArchive(settings.archive),
  hasher: createTermHasher(defaultTermKey),
  log: createLog('error'),
  onIdle: () => port.postMessage('idle'),
})

port.on('message', (message: unknown) => {
  if (message === 'wake') worker.wake()
  else if (message === 'stop') {
    void worker
      .stop()
      .then(() => database.close())
      // In a thread this ends the thread alone, and does not wait for timers of libraries.
      .finally(() => process.exit(0))
  }
})
