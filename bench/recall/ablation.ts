import { resolve } from 'node:path'
import { parseArgs } from 'node:util'

import { openStores } from '../../src/compose.ts'
import { readConfig } from '../../src/config.ts'
import { weights as usualWeights, type Weights } from '../../src/search/ranking/weights.ts'
import { Verbatim } from '../../src/verbatim.ts'
import { setup as buildWhenStale } from '../../test/support/global-setup.ts'
import type { BenchHome } from '../bench-home.ts'
import type { BenchResult, Table } from '../figure.ts'
import { describeMachine } from '../machine.ts'
import { renderReport, writeResults } from '../results.ts'
import { datasetNames, sampleQuestions, type Dataset, type Question } from './dataset.ts'
import { fill, type Places } from './fill.ts'
import { firstHits } from './first-hits.ts'
import { MemoryProcess } from './memory-process.ts'
import { moves, type Move } from './moves.ts'
import { chosenOf, limitOf, readDatasets } from './options.ts'
import { recallHome } from './recall-home.ts'
import { recallSettings, type Setting } from './settings.ts'

/**
 * `npm run bench:ablation -- [--settings lexical,local] [--corpora locomo,beam] [--limit N] [--keep DIR] [--no-build]`: what
 * each move of the ranking is worth, as R@10 of the same searches without it. `--keep DIR` as for `bench:recall`, whose
 * stores it uses.
 */
const { values } = parseArgs({
  allowNegative: true,
  options: {
    settings: { type: 'string', default: 'lexical,local' },
    corpora: { type: 'string', default: datasetNames.join(',') },
    limit: { type: 'string' },
    keep: { type: 'string' },
    build: { type: 'boolean', default: true },
  },
})

const keep = values.keep === undefined ? undefined : resolve(values.keep)
const limit = limitOf(values.limit)
const say = (text: string) => process.stderr.write(`${text}\n`)

/** Mean share of the gold messages among the first ten, in percent. */
async function recallOf(
  verbatim: Verbatim,
  home: BenchHome,
  of: { readonly questions: readonly Question[]; readonly places: Places },
): Promise<number> {
  let sum = 0
  for (const question of of.questions) {
    const found = new Set((await firstHits(verbatim, home, question)).map(({ id }) => of.places.get(id)?.ref))
    sum += question.gold.filter((ref) => found.has(ref)).length / question.gold.length
  }
  return (100 * sum) / of.questions.length
}

interface Ablation {
  readonly whole: number
  readonly without: ReadonlyMap<Move, number>
}

async function measure(setting: Setting, dataset: Dataset): Promise<Ablation> {
  await using home = recallHome(keep, setting, dataset)
  await using memory = await MemoryProcess.start(setting.command(home.env))
  say(`${setting.name}, ${dataset.title}: saving …`)
  const places = await fill(memory, dataset.conversations)
  await memory.waitUntilCaughtUp()
  const asked = dataset.questions.filter(({ category }) => !dataset.categoriesApart.includes(category))
  const questions = limit === undefined ? asked : sampleQuestions(asked, limit)
  const stores = await openStores(
    readConfig({ VERBATIM_HOME: home.path, VERBATIM_EMBEDDER: setting.name === 'lexical' ? 'none' : setting.name }),
  )
  const recall = async (weights: Weights = usualWeights) =>
    recallOf(new Verbatim({ ...stores, weights }), home, { questions, places })
  try {
    const whole = await recall()
    say(`  every move: ${whole.toFixed(1)}`)
    const without = new Map<Move, number>()
    for (const move of moves.filter(({ needsMeaning }) => needsMeaning !== true || setting.name !== 'lexical')) {
      const value = await recall({ ...usualWeights, ...move.off })
      without.set(move, value)
      say(`  without ${move.title}: ${value.toFixed(1)}`)
    }
    return { whole, without }
  } finally {
    await stores.database.close()
  }
}

/** Points of R@10 that a move brings: what is lost without it. */
function rowOf(move: Move, columns: readonly Ablation[]): string[] {
  const cells = columns.map(({ whole, without }) => {
    const value = without.get(move)
    if (value === undefined) return ''
    const points = whole - value
    return `${points < 0 ? '' : '+'}${points.toFixed(1)}`
  })
  return [move.title, ...cells]
}

if (values.build) buildWhenStale()
const machine = describeMachine()
const { datasets, notes } = await readDatasets(chosenOf(values.corpora, datasetNames))
const names = chosenOf(values.settings, ['lexical', 'local'] as const)
const settings = recallSettings(process.env).filter(({ name }) => names.some((chosen) => chosen === name))
const header = ['move']
const columns: Ablation[] = []
for (const setting of settings) {
  for (const dataset of datasets) {
    header.push(`${dataset.title}, ${setting.title}`)
    columns.push(await measure(setting, dataset))
  }
}
const table: Table = {
  title: 'Points of R@10 that each move brings',
  header,
  rows: [
    ['all of them: R@10', ...columns.map(({ whole }) => whole.toFixed(1))],
    ...moves.map((move) => rowOf(move, columns)),
  ],
}
const result: BenchResult = {
  bench: 'ablation',
  figures: [],
  tables: [table],
  notes: [
    'Each row: the same questions with the weights of this one move turned off, beside all moves. Moves help each other, so that the rows do not add up.',
    'Isolated, without the categories that are reported apart. Less than half a point is chance.',
    ...notes,
  ],
}
const report = { at: new Date().toISOString(), quick: limit !== undefined, complete: false, machine, results: [result] }
const files = await writeResults(report)
process.stdout.write(`${renderReport(report)}\nKept in ${files.join(' and ')}\n`)
