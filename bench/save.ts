import { randomUUID } from 'node:crypto'

import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'

import { distPath } from '../test/support/built.ts'
import { BenchHome } from './bench-home.ts'
import type { Bench, BenchOptions } from './bench.ts'
import { speedBaseline, type Figure } from './figure.ts'
import { interleave, median, percentile, seededRandom } from './measure.ts'
import { RawTable } from './raw-table.ts'

const messageCharacters = 300
const warmUp = 20

/** Words of random letters: what a save costs does not depend on what they say. */
function makeText(random: () => number): string {
  let text = ''
  while (text.length < messageCharacters) text += `${Math.floor(random() * 36 ** 6).toString(36)} `
  return text
}

async function connect(home: BenchHome): Promise<Client> {
  const client = new Client({ name: 'bench', version: '1.0.0' })
  await client.connect(
    new StdioClientTransport({ command: process.execPath, args: [distPath('cli/main.js')], env: home.env }),
  )
  return client
}

/** Messages one by one: through the core, as a raw row, and through a server process on stdio. */
async function saveSingly(home: BenchHome, raw: RawTable, options: BenchOptions): Promise<Figure[]> {
  const random = seededRandom(1)
  const verbatim = await home.verbatim()
  const client = await connect(home)
  const sessionId = randomUUID()
  const overStdio = randomUUID()
  const rounds = options.quick ? 150 : 400
  const [core = [], row = [], stdio = []] = await interleave(
    [
      {
        name: 'core',
        run: () =>
          verbatim.saveMessages(home.caller, {
            sessionId,
            messages: [{ content: makeText(random), sender: 'user', role: 'user' }],
          }),
      },
      { name: 'raw row', run: () => raw.insert(Buffer.from(makeText(random))) },
      {
        name: 'stdio',
        run: async () => {
          const saved = await client.callTool({
            name: 'save_message',
            arguments: { session_id: overStdio, content: makeText(random), sender: 'user', role: 'user' },
          })
          if (saved.isError === true) throw new Error(`save_message failed: ${JSON.stringify(saved.content)}`)
        },
      },
    ],
    { rounds, warmUp },
  )
  await client.close()
  const figure = (name: string, own: readonly number[], part: number): Figure => ({
    name: `${name}, p${part * 100}`,
    value: percentile(own, part),
    unit: 'ms',
    samples: rounds,
    baselines: [speedBaseline('raw row', { own: percentile(own, part), baseline: percentile(row, part) })],
  })
  return [
    { ...figure('one message, core', core, 0.5), bound: { of: 'ratio', atLeast: 0.5 } },
    figure('one message, core', core, 0.95),
    { ...figure('one message, stdio', stdio, 0.5), bound: { of: 'ratio', atLeast: 0.4 } },
    figure('one message, stdio', stdio, 0.95),
  ]
}

async function saveBatches(
  home: BenchHome,
  raw: RawTable,
  batch: { readonly size: number; readonly rounds: number },
): Promise<Figure> {
  const random = seededRandom(batch.size)
  const verbatim = await home.verbatim()
  const sessionId = randomUUID()
  const texts = Array.from({ length: batch.size }, () => makeText(random))
  const payloads = texts.map((text) => Buffer.from(text))
  // Indexing of one contender's messages must not fall into the time of the other.
  const prepare = () => home.waitUntilIndexed()
  const [own = [], baseline = []] = await interleave(
    [
      {
        name: 'core',
        prepare,
        run: () =>
          verbatim.saveMessages(home.caller, {
            sessionId,
            messages: texts.map((content) => ({ content, sender: 'user', role: 'user' })),
          }),
      },
      { name: 'raw rows', prepare, run: () => raw.insertMany(payloads) },
    ],
    { rounds: batch.rounds, warmUp: 2 },
  )
  const medians = { own: median(own), baseline: median(baseline) }
  return {
    name: `batch of ${batch.size}, core, p50`,
    value: medians.own,
    unit: 'ms',
    samples: batch.rounds,
    baselines: [speedBaseline('raw multi-row insert', medians)],
  }
}

export const saveBench: Bench = {
  name: 'save',
  async run(options) {
    await using home = new BenchHome()
    const raw = new RawTable(home.sql)
    await raw.create()
    const figures = await saveSingly(home, raw, options)
    for (const size of [100, 500]) figures.push(await saveBatches(home, raw, { size, rounds: options.quick ? 6 : 20 }))
    return {
      bench: 'save',
      figures,
      notes: [
        'Messages of 300 characters. While single messages are saved the index worker runs, as it does in use, and delays product and raw row alike; batches are timed while it rests.',
        'A raw row has no totals, no outbox, no audit record, no idempotency and no hash: the ratio is what those cost.',
      ],
    }
  },
}
