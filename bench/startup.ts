import { setTimeout as sleep } from 'node:timers/promises'

import { BenchHome } from './bench-home.ts'
import type { Bench, BenchOptions } from './bench.ts'
import { sizeBaseline, timeBaseline, type Figure } from './figure.ts'
import { median } from './measure.ts'
import { ServerProcess, emptyServerCommand, productCommand, residentMiB, type ServerCommand } from './server-process.ts'

/** Memory settles a moment after the last answer. */
const settleMs = 500

async function handshake(command: ServerCommand): Promise<{ initialize: number; toolsList: number }> {
  const server = new ServerProcess(command)
  const initialize = await server.initialize()
  const toolsList = await server.request('tools/list')
  await server.close()
  return { initialize, toolsList }
}

/** From the start of the process to its answers, beside the empty server's, in turns, while the store's daemon runs. */
async function measureHandshake(home: BenchHome, options: BenchOptions): Promise<Figure[]> {
  const rounds = options.quick ? 6 : 20
  const product: { initialize: number; toolsList: number }[] = []
  const empty: { initialize: number; toolsList: number }[] = []
  // The first of each warms the file cache.
  for (let round = 0; round <= rounds; round++) {
    const measured = await handshake(productCommand(home.env))
    const baseline = await handshake(emptyServerCommand(home.env))
    if (round === 0) continue
    product.push(measured)
    empty.push(baseline)
  }
  const figure = (name: string, read: (answer: { initialize: number; toolsList: number }) => number): Figure => {
    const times = { own: median(product.map(read)), baseline: median(empty.map(read)) }
    return {
      name: `start to the answer to ${name}, p50`,
      value: times.own,
      unit: 'ms',
      samples: rounds,
      baselines: [timeBaseline('empty server', times)],
      bound: { of: 'ratio', atMost: 1.5 },
    }
  }
  return [figure('initialize', (answer) => answer.initialize), figure('tools/list', (answer) => answer.toolsList)]
}

interface FirstSave {
  readonly name: string
  /** Brings the home into the state in which the process is started. */
  readonly prepare: (home: BenchHome) => Promise<void>
}

const firstSaves: readonly FirstSave[] = [
  { name: 'no store yet', prepare: async () => undefined },
  { name: 'a store, no daemon', prepare: (home) => home.endDaemon() },
  { name: 'a store and its daemon', prepare: async () => undefined },
]

/** What a user waits for: from the start of the process until a first message is acknowledged. */
async function measureFirstSave(options: BenchOptions): Promise<Figure[]> {
  const rounds = options.quick ? 1 : 5
  const times = firstSaves.map((): { save: number; initialize: number }[] => [])
  for (let round = 0; round < rounds; round++) {
    await using home = new BenchHome()
    for (const [index, { prepare }] of firstSaves.entries()) {
      await prepare(home)
      const server = new ServerProcess(productCommand(home.env))
      const initialize = await server.initialize()
      times[index]?.push({ save: await server.save('The first message'), initialize })
      await server.close()
    }
  }
  return firstSaves.map(({ name }, index) => {
    const own = median(times[index]?.map(({ save }) => save) ?? [])
    const baseline = median(times[index]?.map(({ initialize }) => initialize) ?? [])
    return {
      name: `start to the first save, ${name}, p50`,
      value: own,
      unit: 'ms',
      samples: rounds,
      baselines: [timeBaseline('its own answer to initialize', { own, baseline })],
    }
  })
}

async function measureMemory(home: BenchHome, options: BenchOptions): Promise<Figure[]> {
  const empty = new ServerProcess(emptyServerCommand(home.env))
  await empty.initialize()
  await empty.request('tools/list')
  await sleep(settleMs)
  const baseline = residentMiB(empty.pid)
  await empty.close()

  const figures: Figure[] = []
  const servers: ServerProcess[] = []
  for (const count of options.quick ? [1, 4] : [1, 8, 32]) {
    const added = Array.from({ length: count - servers.length }, () => new ServerProcess(productCommand(home.env)))
    servers.push(...added)
    await Promise.all(
      added.map(async (server, index) => {
        await server.initialize()
        await server.save(`Message of process ${index}`)
      }),
    )
    await sleep(settleMs)
    const own = median(servers.map(({ pid }) => residentMiB(pid)))
    const { daemonPid } = home
    figures.push({
      name: `memory of a process, ${count} on one home, p50`,
      value: own,
      unit: 'MiB',
      samples: count,
      baselines: [sizeBaseline('empty server', { own, baseline })],
    })
    if (daemonPid === undefined) throw new Error('The daemon of the store is not there although processes use it')
    figures.push({ name: `memory of the daemon, ${count} on its home`, value: residentMiB(daemonPid), unit: 'MiB' })
  }
  await Promise.all(servers.map((server) => server.close()))
  return figures
}

export const startupBench: Bench = {
  name: 'startup',
  async run(options) {
    const firstSave = await measureFirstSave(options)
    await using home = new BenchHome()
    // From here on the daemon runs, as it does for all but the first process.
    await home.messagesBehind()
    const figures = [...(await measureHandshake(home, options)), ...firstSave, ...(await measureMemory(home, options))]
    return {
      bench: 'startup',
      figures,
      notes: ['Resident memory counts the pages of the program `node` itself in every process.'],
    }
  },
}
