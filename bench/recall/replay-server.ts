import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { z } from 'zod'

import { DirectoryArchive } from '../../src/adapters/archives/directory-archive.ts'
import { readConfig } from '../../src/config.ts'
import { TermHashers } from '../../src/indexing/terms/term-hashers.ts'
import { createLog } from '../../src/log.ts'
import { serveStdio } from '../../src/mcp/stdio.ts'
import { selectTools } from '../../src/mcp/tool-list.ts'
import { localCaller } from '../../src/model/access.ts'
import type { EmbedQuery } from '../../src/search/ranking/semantic.ts'
import type { Database } from '../../src/store/database.ts'
import { connectEmbedded } from '../../src/store/embedded/client.ts'
import { homePathsOf } from '../../src/store/embedded/home.ts'
import { Vault } from '../../src/store/keys/vault.ts'
import { makeCurrent } from '../../src/store/vectors/embedding-models.ts'
import { embedTopic } from '../../src/store/work/outbox.ts'
import { Verbatim } from '../../src/verbatim.ts'
import { packageVersion } from '../../src/version.ts'
import { readLocomo } from './locomo.ts'
import { ReplayedEmbedder } from './replayed-embedder.ts'
import { readPublishedRanks, ReplayedIndex } from './replayed-index.ts'

/**
 * The product's server on stdio with one part exchanged: its vector index replays a ranking that was published. Used with
 * VERBATIM_EMBEDDER=none, so that the store makes no vectors of its own.
 */
const dataset = await readLocomo()
if (dataset === undefined) throw new Error('Cannot replay a ranking as its data are not beside the repository')
const published = new URL(
  '../../../shared/data/bench/locomo-dense-te3small/ranks_dense_te3small_top50.json',
  import.meta.url,
)
const config = readConfig()
const log = createLog('warn')
const paths = homePathsOf(config.home)
const ranks = await readPublishedRanks(published.pathname)
const embedder = new ReplayedEmbedder(dataset.questions)
const connection = connectEmbedded({ home: config.home, version: packageVersion() })
const run: Database['run'] = (work) => work(connection.sql)
const database: Database = {
  kind: 'embedded',
  vault: new Vault(run, config.encryption),
  of() {
    return this
  },
  run,
  close: () => connection.close(),
}
const caller = localCaller('bench')
await makeCurrent(connection.sql, caller.tenantId, { ...(await embedder.describe()), index: 'replayed' })

/** The replayed index has every vector from the start: what is noted to be embedded would wait for ever. */
const takeWork = () => connection.sql`delete from outbox where tenant_id = ${caller.tenantId} and topic = ${embedTopic}`
setInterval(
  () => void takeWork().catch((error: unknown) => log.error('Cannot take the work of embedding', error)),
  500,
).unref()

const placeSchema = z.object({
  conversation: z.string(),
  session: z.number(),
  ref: z.string(),
  sessionId: z.string(),
  seq: z.number(),
})
let index: ReplayedIndex | undefined

/** The places are known when every message is saved: before the first question. */
async function replayedIndex(): Promise<ReplayedIndex> {
  const places = z.array(placeSchema).parse(JSON.parse(await readFile(join(config.home, 'places.json'), 'utf8')))
  index ??= new ReplayedIndex({ ranks, questions: dataset?.questions ?? [], places })
  return index
}

const embedQuery: EmbedQuery = async (_model, text, { signal }) => {
  const [vector = new Float32Array()] = await embedder.embed([text], { purpose: 'query', signal })
  return vector
}

await using verbatim = new Verbatim({
  database,
  archive: new DirectoryArchive(paths.archive),
  hashers: new TermHashers(database.vault),
  semantic: {
    index: {
      kind: 'pgvector',
      name: 'replayed',
      query: async (space, query) => (await replayedIndex()).query(space, query),
      upsert: async () => undefined,
      fetch: async () => [],
      delete: async () => undefined,
      deleteSession: async () => undefined,
      deleteSpace: async () => undefined,
      count: async () => 0,
      close: async () => undefined,
    },
    embedQuery,
  },
})
await serveStdio({
  version: packageVersion(),
  tools: () => Promise.resolve(selectTools({ readOnly: false })),
  readOnly: false,
  open: () => Promise.resolve(verbatim),
  caller: (client) => localCaller(client),
  log,
})
