import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

import { setup as buildWhenStale } from '../../test/support/global-setup.ts'
import type { BenchResult } from '../figure.ts'
import { describeMachine } from '../machine.ts'
import { sampleQuestions, type Dataset } from '../recall/dataset.ts'
import { readLocomo } from '../recall/locomo.ts'
import { renderReport, writeResults } from '../results.ts'
import { agentmemory } from './agentmemory.ts'
import { measureDurability, type Durability } from './durability.ts'
import { EmbeddingServer } from './embedding-server.ts'
import { installPeer } from './install.ts'
import { mem0 } from './mem0.ts'
import { memoryKeeper } from './memory-keeper.ts'
import { PeerProcess } from './peer-process.ts'
import { measureConversation, type PeerRecall } from './peer-recall.ts'
import { peerTables, type PeerResult } from './peer-tables.ts'
import { lineOf, type Peer } from './peer.ts'
import { serverMemory } from './server-memory.ts'
import { PeerStore } from './store.ts'
import { makeVerbatimPeer } from './verbatim.ts'

const peers: readonly Peer[] = [
  makeVerbatimPeer('local'),
  makeVerbatimPeer('none'),
  serverMemory,
  agentmemory,
  memoryKeeper,
  mem0,
]
const processCounts = [2, 4] as const
const reasonCharacters = 300
const vectorsNote =
  'Vectors of messages and questions were made ahead, so that their time is in no figure of mem0ai/oss; those of names ' +
  'that it finds in a question are made in the call.'

/**
 * `npm run bench:peers -- [name…] [--limit N] [--cache DIR] [--no-build]`: the product and other memories on the same
 * messages and questions. They are installed by npm into a directory apart, at the versions that stand in their files; one
 * that cannot be installed or run is said to be skipped.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  allowNegative: true,
  options: {
    limit: { type: 'string' },
    cache: { type: 'string', default: join(tmpdir(), 'verbatim-bench-peers') },
    build: { type: 'boolean', default: true },
  },
})
const unknown = positionals.find((name) => !peers.some((peer) => peer.name === name))
if (unknown !== undefined)
  throw new Error(`No peer is called "${unknown}". Choose from: ${peers.map(({ name }) => name).join(', ')}`)
const chosen = positionals.length === 0 ? peers : peers.filter(({ name }) => positionals.includes(name))
const limit = values.limit === undefined ? undefined : Number(values.limit)
if (limit !== undefined && !(Number.isInteger(limit) && limit > 0))
  throw new Error('--limit takes a number of questions')
const say = (text: string) => process.stderr.write(`${text}\n`)

async function measureRecall(
  peer: Peer,
  dataset: Dataset,
  at: { readonly installed: string; readonly embeddings: string },
) {
  const questions = limit === undefined ? dataset.questions : sampleQuestions(dataset.questions, limit)
  const parts: PeerRecall[] = []
  for (const { id } of dataset.conversations) {
    await using store = new PeerStore()
    await using running = await PeerProcess.start(peer, { ...at, store: store.path })
    const asked = questions.filter(({ conversation }) => conversation === id)
    parts.push(await measureConversation(peer, running, { dataset, conversation: id, questions: asked }))
  }
  return {
    scored: parts.flatMap(({ scored }) => scored),
    scoredByWords: parts.flatMap(({ scoredByWords }) => scoredByWords),
    saveMs: parts.flatMap(({ saveMs }) => saveMs),
    searchMs: parts.flatMap(({ searchMs }) => searchMs),
    replyTokens: parts.flatMap(({ replyTokens }) => replyTokens),
  }
}

async function measurePeer(peer: Peer, dataset: Dataset, embeddings: string): Promise<PeerResult> {
  const at = { installed: installPeer(peer, resolve(values.cache)), embeddings }
  const durability: Durability[] = []
  let toolTokens: PeerResult['toolTokens']
  for (const count of processCounts) {
    await using store = new PeerStore()
    const place = { ...at, store: store.path }
    durability.push(await measureDurability(peer, place, count))
    await using running = await PeerProcess.start(peer, place)
    toolTokens = peer.hasOwnTools ? await running.toolTokens() : undefined
  }
  say(`  durability: ${durability.map(({ survived, acknowledged }) => `${survived}/${acknowledged}`).join(', ')}`)
  return { peer, durability, toolTokens, recall: await measureRecall(peer, dataset, at) }
}

if (values.build) buildWhenStale()
const machine = describeMachine()
const notes: string[] = []
const results: PeerResult[] = []
const dataset = await readLocomo()
if (dataset === undefined) notes.push('Nothing was measured: the data of LoCoMo are not beside the repository.')
else {
  await using embeddings = await EmbeddingServer.start()
  if (chosen.some(({ needsVectors }) => needsVectors)) {
    say('embedding …')
    const lines = dataset.conversations.flatMap(({ sessions }) =>
      sessions.flatMap(({ messages }) => messages.map(lineOf)),
    )
    await embeddings.prepare([...lines, ...dataset.questions.map(({ question }) => question)])
    notes.push(vectorsNote)
  }
  for (const peer of chosen) {
    const startedAt = performance.now()
    say(`${peer.name} …`)
    try {
      results.push(await measurePeer(peer, dataset, embeddings.url))
      say(`  took ${((performance.now() - startedAt) / 1000).toFixed(0)} s`)
    } catch (error) {
      // That of a reply that is not as expected is a list over several lines.
      const said = error instanceof Error ? error.message : String(error)
      const reason = said.replaceAll(/\s+/g, ' ').slice(0, reasonCharacters)
      say(`  skipped: ${reason}`)
      notes.push(`Not measured: ${peer.name}, as ${reason}.`)
    }
  }
}
const tables = dataset === undefined ? [] : peerTables(results, dataset)
const bench = ['peers', ...(positionals.length === 0 ? [] : chosen.map(({ name }) => name.replaceAll('/', '-')))].join(
  '-',
)
const result: BenchResult = { bench, figures: [], tables, notes }
const report = { at: new Date().toISOString(), quick: limit !== undefined, complete: false, machine, results: [result] }
const files = await writeResults(report)
process.stdout.write(`${renderReport(report)}\nKept in ${files.join(' and ')}\n`)
