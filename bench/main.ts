import { parseArgs } from 'node:util'

import { setup as buildWhenStale } from '../test/support/global-setup.ts'
import { auditBench } from './audit.ts'
import type { Bench } from './bench.ts'
import { encryptionBench } from './encryption.ts'
import { holds, renderBench, type BenchResult } from './figure.ts'
import { importBench } from './import.ts'
import { keysBench } from './keys.ts'
import { describeMachine } from './machine.ts'
import { predictionBench } from './prediction.ts'
import { recallContextBench } from './recall-context.ts'
import { renderReport, writeResults } from './results.ts'
import { saveBench } from './save.ts'
import { searchBench } from './search.ts'
import { startupBench } from './startup.ts'
import { toolsBench } from './tools.ts'

const benches: readonly Bench[] = [
  toolsBench,
  startupBench,
  saveBench,
  importBench,
  searchBench,
  predictionBench,
  recallContextBench,
  keysBench,
  auditBench,
  encryptionBench,
]

/**
 * `npm run bench -- [name…] [--quick] [--sizes N,N…] [--json] [--no-build]`: runs the named benches, or all, one after the
 * other. `--sizes 10000,100000,1000000` is for the search bench: the last takes half an hour. Exits 1 where a promise does
 * not hold.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  allowNegative: true,
  options: {
    quick: { type: 'boolean', default: false },
    sizes: { type: 'string' },
    json: { type: 'boolean', default: false },
    build: { type: 'boolean', default: true },
  },
})
const unknown = positionals.find((name) => !benches.some((bench) => bench.name === name))
if (unknown !== undefined) {
  throw new Error(`No bench is called "${unknown}". Choose from: ${benches.map(({ name }) => name).join(', ')}`)
}
const chosen = positionals.length === 0 ? benches : benches.filter(({ name }) => positionals.includes(name))

const sizes = values.sizes?.split(',').map(Number)
if (sizes?.some((size) => !Number.isInteger(size) || size < 1_000))
  throw new Error('--sizes takes numbers of messages from 1000 on')
if (values.build) buildWhenStale()
const say = (text: string) => process.stderr.write(`${text}\n`)
const machine = describeMachine()
const results: BenchResult[] = []
for (const bench of chosen) {
  const startedAt = performance.now()
  say(`${bench.name} …`)
  const result = await bench.run({ quick: values.quick, sizes, say: (text) => say(`  ${text}`) })
  results.push(result)
  say(`  took ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
  if (!values.json) process.stdout.write(`\n${renderBench(result)}\n`)
}
const report = {
  at: new Date().toISOString(),
  quick: values.quick,
  complete: chosen.length === benches.length,
  machine,
  results,
}
const files = await writeResults(report)
if (values.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
else process.stdout.write(`${renderReport({ ...report, results: [] })}\nKept in ${files.join(' and ')}\n`)
if (results.some(({ figures }) => figures.some((figure) => holds(figure) === false))) process.exitCode = 1
