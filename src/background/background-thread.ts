import { parentPort, workerData } from 'node:worker_threads'

import { openArchive } from '../adapters/archives/open-archive.ts'
import { auditKeyFile, readSecretFile } from '../adapters/secret-file.ts'
import { openVectorIndex } from '../adapters/vector-indexes/open-vector-index.ts'
import { ArchiveWorker, lookAgainMsMax } from '../archive/archive-worker.ts'
import { HeadWriter } from '../audit/head-writer.ts'
import { Sealer } from '../audit/sealer.ts'
import { signingKeyOf } from '../audit/signed-head.ts'
import { makesVectors, readConfig } from '../config.ts'
import { ErasureWorker } from '../erasure/erasure-worker.ts'
import { StandBack } from '../indexing/stand-back.ts'
import { TermHashers } from '../indexing/terms/term-hashers.ts'
import { IndexWorker } from '../indexing/worker.ts'
import { RetentionWorker } from '../retention/retention-worker.ts'
import { tenantIds } from '../store/access/tenants.ts'
import { pauseModels } from '../store/vectors/embedding-models.ts'
import { Learning } from './learning.ts'
import { lookNowAndThen } from './look-now-and-then.ts'
import { Naming } from './naming.ts'
import { RankLearning } from './rank-learning.ts'
import { Rolling } from './rolling.ts'
import { openThreadDatabase, threadSettingsSchema } from './thread-database.ts'
import { threadLog } from './thread-log.ts'
import { threadObserver } from './thread-observer.ts'

const settings = threadSettingsSchema.parse(workerData)
const port = parentPort
if (port === null) throw new Error('background-thread.ts must run in a worker thread')

const config = readConfig()
const { archive: archiveSettings, archiveIdleMs, audit, encryption, learns, learnsRanking, vectors } = config
const embeds = makesVectors(config)
const observer = threadObserver(port)
/** Those who index, archive, learn (three, and one of the ranking), look for names, summarise and erase hold one each. */
const database = openThreadDatabase(settings, observer, { encryption, serverConnections: 10 })
const archive = openArchive(archiveSettings, settings.archive, observer)
const log = threadLog(settings)
const signingKey = async () => signingKeyOf(await readSecretFile(auditKeyFile(audit.keyFile)))
const heads = new HeadWriter({ database, archive, log, signingKey, everyMs: audit.headMs })
const sealer = new Sealer({ database, log, heads })
/** The daemon of an embedded store says whenever a client was served. */
const standBack = settings.store.kind === 'embedded' ? new StandBack() : undefined
const archiver = new ArchiveWorker({ database, archive, log, idleMs: archiveIdleMs, standBack })
const erasing = { database, archive, log, index: openVectorIndex(vectors, database, observer) }
const eraser = new ErasureWorker(erasing)
const retention = new RetentionWorker({ ...erasing, onErasure: () => eraser.wake() })
retention.start()
const hashers = new TermHashers(database.vault)
const learning = learns ? new Learning({ database, archive, hashers, log, config, observer, standBack }) : undefined
const naming = config.names === undefined ? undefined : new Naming({ database, archive, log, config, observer })
const rankLearning = learnsRanking ? new RankLearning({ database, log }) : undefined
const rolling = new Rolling({ database, archive, log, config, observer })
const worker = new IndexWorker({
  database,
  archive,
  hashers,
  log,
  observer,
  embeds,
  learns,
  looksForNames: naming !== undefined,
  archiveAfterMs: Math.min(archiveIdleMs, lookAgainMsMax),
  onIdle() {
    port.postMessage('idle')
    // After the index: nobody waits for the archive, nor for what is learned.
    learning?.wake()
    naming?.wake()
    rankLearning?.wake()
    archiver.wake()
    eraser.wake()
  },
})

// On a server others save too; the daemon of an embedded store sees every save and says so.
const stopLooking = lookNowAndThen(database, () => worker.wake())

/** On a server others may have an embedder. */
let isToPause = !embeds && settings.store.kind === 'embedded'

async function pauseAllModels(): Promise<void> {
  if (!isToPause) return
  isToPause = false
  try {
    for (const tenantId of await database.run(tenantIds)) await database.run((sql) => pauseModels(sql, tenantId))
  } catch (error) {
    isToPause = true
    log.error('that no vectors are made for now was not noted; it is tried again', error)
  }
}

port.on('message', (message: unknown) => {
  if (message === 'wake') {
    standBack?.served()
    void pauseAllModels()
    worker.wake()
    sealer.wake()
  } else if (message === 'stop') {
    stopLooking()
    void Promise.all([
      worker.stop(),
      learning?.stop(),
      naming?.stop(),
      rankLearning?.stop(),
      rolling.stop(),
      archiver.stop(),
      eraser.stop(),
      retention.stop(),
      sealer.stop(),
    ])
      .then(() => database.close())
      // In a thread this ends the thread alone, and does not wait for timers of libraries.
      .finally(() => process.exit(0))
  }
})
