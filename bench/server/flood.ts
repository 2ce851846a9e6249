import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'

import { setup as buildWhenStale } from '../../test/support/global-setup.ts'
import { holds, renderBench, timeBaseline, type Figure } from '../figure.ts'
import { repositoryRoot } from '../machine.ts'
import { percentile } from '../measure.ts'
import { Cluster, type Process } from './cluster.ts'
import { HttpCaller } from './load.ts'

/**
 * `npm run bench:flood -- [--seconds N] [--rounds N]`: saves of four tenants that keep within their rate, in turns with and
 * without a fifth that sends a hundred times as much; once where no rate is set and once where one is. Exits 1 where the
 * others wait more than half as long again although there is a rate.
 */
const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '5' }, rounds: { type: 'string', default: '3' } },
})
const seconds = Number(values.seconds)
const rounds = Number(values.rounds)
const ratePerSecond = 20
const quietPerSecond = 10
const floodPerSecond = 100 * ratePerSecond
const waitedMax = 1.5
const quiet = ['a', 'b', 'c', 'd'] as const
const say = (text: string) => void process.stderr.write(`${text}\n`)

/** The times of saves that begin at fixed moments, whether those before were answered or not. */
async function quietTimes(web: Process, tokens: readonly string[]): Promise<number[]> {
  const times: number[] = []
  await Promise.all(
    tokens.map(async (token) => {
      const caller = new HttpCaller([web.url], token)
      const sent: Promise<void>[] = []
      const session = randomUUID()
      for (let at = 0; at < seconds * quietPerSecond; at++) {
        const startedAt = performance.now()
        const saved = caller.call(0, 'save_message', { session_id: session, content: `message ${at}`, sender: 'user' })
        sent.push(saved.then(() => void times.push(performance.now() - startedAt)))
        await sleep(1_000 / quietPerSecond)
      }
      await Promise.all(sent)
      caller.close()
    }),
  )
  return times
}

/** Runs work beside a flood, and says what the flood was answered. */
async function besideFlood<T>(web: Process, token: string, work: () => Promise<T>): Promise<T> {
  const script = join(repositoryRoot, 'bench', 'server', 'flooder.ts')
  const args = ['--import', 'tsx', script, web.url, token, String(floodPerSecond)]
  const flooder = spawn(process.execPath, args, { cwd: repositoryRoot, stdio: ['pipe', 'pipe', 'inherit'] })
  flooder.stdout.on('data', (chunk: Buffer) => say(`  the flood was answered: ${chunk.toString().trim()}`))
  const ended = once(flooder, 'close')
  // Its code is compiled, and a burst is used up.
  await sleep(3_000)
  try {
    return await work()
  } finally {
    flooder.stdin.end()
    await ended
  }
}

async function measure(
  web: Process,
  tokens: { readonly noisy: string; readonly quiet: readonly string[] },
  name: string,
) {
  const calm: number[] = []
  const beside: number[] = []
  await quietTimes(web, tokens.quiet)
  for (let round = 0; round < rounds; round++) {
    calm.push(...(await quietTimes(web, tokens.quiet)))
    beside.push(...(await besideFlood(web, tokens.noisy, () => quietTimes(web, tokens.quiet))))
  }
  const own = percentile(beside, 0.95)
  const baseline = percentile(calm, 0.95)
  return {
    name: `p95 of the others' saves beside a flood, ${name}`,
    value: own,
    unit: 'ms',
    samples: beside.length,
    baselines: [timeBaseline('without the flood', { own, baseline })],
  } satisfies Figure
}

buildWhenStale()
await using cluster = await Cluster.start()
const makeToken = (name: string) => {
  cluster.run(['tenant', 'create', name])
  return cluster.run(['token', 'create', '--name', 'bench', '--scopes', 'read,write'], { VERBATIM_TENANT: name })
}
const tokens = { noisy: makeToken('noisy'), quiet: quiet.map(makeToken) }
say(`a rate of ${ratePerSecond} a second`)
const limited = await cluster.serve('web', { VERBATIM_TENANT_RATE: String(ratePerSecond) })
const within: Figure = {
  ...(await measure(limited, tokens, `with a rate of ${ratePerSecond}/s`)),
  bound: { of: 'ratio', atMost: waitedMax },
}
say(`  ${within.value} ms, ${within.baselines?.[0]?.value} ms without the flood`)
await limited.stop()
say('no rate')
const free = await cluster.serve('web')
const without = await measure(free, tokens, 'without a rate')
const figures = [without, within]
const load = loadavg().map((average) => average.toFixed(1))
process.stdout.write(
  renderBench({
    bench: 'flood',
    figures,
    notes: [
      `One tenant sends ${floodPerSecond} saves a second, four others ${quietPerSecond} each. All of them, the server and PostgreSQL share the cores.`,
      `Load of the machine at the end, over 1, 5 and 15 minutes: ${load.join(', ')}`,
    ],
  }),
)
if (figures.some((figure) => holds(figure) === false)) process.exitCode = 1
