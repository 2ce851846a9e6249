import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'

import { openStores } from '../../src/compose.ts'
import { readConfig } from '../../src/config.ts'
import { readRanking, resetRanking, type RankingDocument } from '../../src/insight/ranking/learned-ranking.ts'
import { Verbatim, type Stores } from '../../src/verbatim.ts'
import { setup as buildWhenStale } from '../../test/support/global-setup.ts'
import type { BenchHome } from '../bench-home.ts'
import type { BenchResult, Figure, Table } from '../figure.ts'
import { describeMachine } from '../machine.ts'
import { seededRandom } from '../measure.ts'
import { renderReport, writeResults } from '../results.ts'
import { datasetNames, sampleQuestions, type Dataset, type Question } from './dataset.ts'
import { fill, type Places } from './fill.ts'
import { firstHits } from './first-hits.ts'
import { MemoryProcess } from './memory-process.ts'
import { meanOf, scoreAnswer, type Scored } from './metrics.ts'
import { chosenOf, limitOf, readDatasets } from './options.ts'
import { recallHome } from './recall-home.ts'
import { recallSettings, type Setting } from './settings.ts'

/**
 * `npm run bench:ranking -- [--settings lexical,local] [--corpora locomo,beam] [--limit N] [--keep DIR] [--no-build]`: whether what
 * is learned from use helps. On one half of the questions somebody opens the first message with the answer, where it is among the
 * first ten; then the other half is asked with the learned weights and with the usual ones. Both halves take both parts. Once more
 * with somebody who opens one of the ten at random. `--keep DIR` as for `bench:recall`, whose stores it uses.
 */
const { values } = parseArgs({
  allowNegative: true,
  options: {
    settings: { type: 'string', default: 'lexical' },
    corpora: { type: 'string', default: datasetNames.join(',') },
    limit: { type: 'string' },
    keep: { type: 'string' },
    build: { type: 'boolean', default: true },
  },
})

const keep = values.keep === undefined ? undefined : resolve(values.keep)
const limit = limitOf(values.limit)
const say = (text: string) => process.stderr.write(`${text}\n`)

const users = ['who opens the answer', 'who opens anything'] as const
type User = (typeof users)[number]

interface Bench {
  readonly stores: Stores
  readonly home: BenchHome
  readonly places: Places
}

/** Asks questions and opens a result of each, as one kind of user does. */
async function use({ stores, home, places }: Bench, user: User, questions: readonly Question[]): Promise<void> {
  const verbatim = new Verbatim({ ...stores, learnsRanking: true })
  const random = seededRandom(7)
  for (const question of questions) {
    const hits = await firstHits(verbatim, home, question)
    const gold = new Set(question.gold)
    const hit =
      user === 'who opens anything'
        ? hits[Math.floor(random() * hits.length)]
        : hits.find(({ id }) => gold.has(places.get(id)?.ref ?? ''))
    if (hit === undefined) continue
    await verbatim.readMessage(home.caller, { sessionId: hit.sessionId, messageId: hit.id })
  }
}

const stillMs = 3_000

/** Waits until the background has learned from all that was noted, and nothing more comes. */
async function untilLearned({ stores, home }: Bench): Promise<RankingDocument> {
  let [known, sinceMs] = [-1, performance.now()]
  for (;;) {
    const ranking = await readRanking(stores.database, home.caller)
    if (ranking.is_behind || ranking.searches !== known) [known, sinceMs] = [ranking.searches, performance.now()]
    else if (performance.now() - sinceMs > stillMs) return ranking
    await sleep(200)
  }
}

async function score({ stores, home, places }: Bench, learnsRanking: boolean, questions: readonly Question[]) {
  const verbatim = new Verbatim({ ...stores, learnsRanking })
  const scored: Scored[] = []
  for (const question of questions) {
    const ranked = (await firstHits(verbatim, home, question)).flatMap(({ id }) => places.get(id)?.ref ?? [])
    scored.push(scoreAnswer(question, { ranked, sessions: [] }, () => 0))
  }
  return scored
}

interface Compared {
  readonly usual: Scored[]
  readonly learned: Scored[]
  readonly rankings: RankingDocument[]
}

/** The same questions with the usual weights and with those that were learned on the other half of them. */
async function compare(bench: Bench, user: User, questions: readonly Question[]): Promise<Compared> {
  const compared: Compared = { usual: [], learned: [], rankings: [] }
  for (const half of [0, 1]) {
    await resetRanking(bench.stores.database, bench.home.caller)
    await use(
      bench,
      user,
      questions.filter((_, index) => index % 2 === half),
    )
    compared.rankings.push(await untilLearned(bench))
    const others = questions.filter((_, index) => index % 2 !== half)
    compared.usual.push(...(await score(bench, false, others)))
    compared.learned.push(...(await score(bench, true, others)))
  }
  await resetRanking(bench.stores.database, bench.home.caller)
  return compared
}

const metrics = ['R@1', 'R@5', 'R@10', 'MRR', 'nDCG@10'] as const
const inPercent = (share: number) => (100 * share).toFixed(1)

function rowOf(title: string, { usual, learned, rankings }: Compared): string[] {
  const cells = metrics.map((metric) => `${inPercent(meanOf(usual, metric))} → ${inPercent(meanOf(learned, metric))}`)
  const factors = rankings.map(({ searches, parts }) => {
    const moved = parts.filter(({ factor }) => factor !== 1).map(({ part, factor }) => `${part} ${factor}`)
    return `${searches}: ${moved.length === 0 ? 'usual' : moved.join(', ')}`
  })
  return [title, String(usual.length), ...cells, factors.join(' / ')]
}

function figureOf(title: string, { usual, learned }: Compared): Figure {
  const [value, baseline] = [meanOf(learned, 'nDCG@10'), meanOf(usual, 'nDCG@10')]
  return {
    name: `nDCG@10 with learned weights, ${title}`,
    value: Number(inPercent(value)),
    unit: '%',
    samples: usual.length,
    baselines: [
      { name: 'usual weights', value: Number(inPercent(baseline)), ratio: value / baseline, ratioOf: 'speeds' },
    ],
    // Less is chance.
    bound: { of: 'ratio', atLeast: 0.99 },
  }
}

/** The questions that the usual weights were made with in view, and apart from them those that they were not. */
function groupsOf({ questions, categoriesApart, categoryTitles }: Dataset): (readonly [string, readonly Question[]])[] {
  const some = (all: readonly Question[]) => (limit === undefined ? all : sampleQuestions(all, limit))
  const apart = categoriesApart.map(
    (category) =>
      [
        `, ${categoryTitles[category] ?? category}`,
        some(questions.filter((one) => one.category === category)),
      ] as const,
  )
  return [['', some(questions.filter(({ category }) => !categoriesApart.includes(category)))], ...apart]
}

async function measure(setting: Setting, dataset: Dataset): Promise<{ rows: string[][]; figures: Figure[] }> {
  await using home = recallHome(keep, setting, dataset)
  await using memory = await MemoryProcess.start(setting.command(home.env))
  say(`${setting.name}, ${dataset.title}: saving …`)
  const places = await fill(memory, dataset.conversations)
  await memory.waitUntilCaughtUp()
  const stores = await openStores(
    readConfig({ VERBATIM_HOME: home.path, VERBATIM_EMBEDDER: setting.name === 'lexical' ? 'none' : setting.name }),
  )
  const measured: { rows: string[][]; figures: Figure[] } = { rows: [], figures: [] }
  try {
    for (const [group, questions] of groupsOf(dataset))
      for (const user of users) {
        const title = `${dataset.title}${group}, ${setting.title}, ${user}`
        const compared = await compare({ stores, home, places }, user, questions)
        measured.rows.push(rowOf(title, compared))
        measured.figures.push(figureOf(title, compared))
        say(`  ${measured.rows.at(-1)?.join(' | ')}`)
      }
    return measured
  } finally {
    await stores.database.close()
  }
}

if (values.build) buildWhenStale()
const machine = describeMachine()
const { datasets, notes } = await readDatasets(chosenOf(values.corpora, datasetNames))
const names = chosenOf(values.settings, ['lexical', 'local'] as const)
const settings = recallSettings(process.env).filter(({ name }) => names.some((chosen) => chosen === name))
const rows: string[][] = []
const figures: Figure[] = []
for (const setting of settings)
  for (const dataset of datasets) {
    const measured = await measure(setting, dataset)
    rows.push(...measured.rows)
    figures.push(...measured.figures)
  }
const table: Table = {
  title: 'Usual → learned weights, on the half of the questions that they were not learned from',
  header: ['questions and use', 'n', ...metrics, 'searches learned from: factors, of each half'],
  rows,
}
const result: BenchResult = {
  bench: 'ranking',
  figures,
  tables: [table],
  notes: ['Isolated. Ratios are of nDCG@10: more is better.', ...notes],
}
const report = { at: new Date().toISOString(), quick: limit !== undefined, complete: false, machine, results: [result] }
const files = await writeResults(report)
process.stdout.write(`${renderReport(report)}\nKept in ${files.join(' and ')}\n`)
