import { mkdtempSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

import { setup as buildWhenStale } from '../../test/support/global-setup.ts'
import { holds, type BenchResult } from '../figure.ts'
import { describeMachine } from '../machine.ts'
import { renderReport, writeResults } from '../results.ts'
import type { Scope } from './ask.ts'
import { datasetNames, sampleQuestions, type Dataset } from './dataset.ts'
import { fill } from './fill.ts'
import { measureRun, type MeasuredRun } from './measure-run.ts'
import { MemoryProcess } from './memory-process.ts'
import { chosenOf, limitOf, readDatasets } from './options.ts'
import { recallHome } from './recall-home.ts'
import { reportOf, type Column } from './report.ts'
import { keepAndCheckRun } from './run-file.ts'
import { recallSettings, settingNames, type Setting } from './settings.ts'

/**
 * `npm run bench:recall -- [--settings lexical,plain,local,dense,live] [--corpora locomo,beam] [--isolated] [--pooled]
 * [--limit N] [--keep DIR] [--no-build]`: how much of the evidence for real questions about real conversations
 * `search_memory` finds. `--keep DIR` fills a store once and uses it again. Exits 1 where a promise does not hold.
 */
const { values } = parseArgs({
  allowNegative: true,
  options: {
    settings: { type: 'string', default: settingNames.join(',') },
    corpora: { type: 'string', default: datasetNames.join(',') },
    isolated: { type: 'boolean', default: false },
    pooled: { type: 'boolean', default: false },
    limit: { type: 'string' },
    keep: { type: 'string' },
    build: { type: 'boolean', default: true },
  },
})

const settings = chosenOf(values.settings, settingNames)
const corpora = chosenOf(values.corpora, datasetNames)
const limit = limitOf(values.limit)
const scopes: readonly Scope[] =
  values.isolated === values.pooled ? ['isolated', 'pooled'] : values.isolated ? ['isolated'] : ['pooled']
const keep = values.keep === undefined ? undefined : resolve(values.keep)
const runsDirectory = keep === undefined ? mkdtempSync(join(tmpdir(), 'verbatim-recall-runs-')) : join(keep, 'runs')

const say = (text: string) => process.stderr.write(`${text}\n`)
const notes: string[] = [
  'Messages were saved with save_messages and questions asked with search_memory, over stdio, as they stand; nothing ' +
    'else was given but the tag of the conversation, and in the pooled runs not even that.',
  'Shares in percent, with 95 % intervals of a bootstrap over conversations. Evidence: of the texts from the top, as ' +
    'they were saved, without names and times, in tokens of o200k_base.',
  'First page: from the call to the parsed reply in the client, for 50 hits at most; windows: for 5 hits with a neighbour on each side.',
]

async function measure(setting: Setting, dataset: Dataset): Promise<Column> {
  await using home = recallHome(keep, setting, dataset)
  await using memory = await MemoryProcess.start(setting.command(home.env))
  say(`${setting.name}, ${dataset.title}: saving …`)
  const places = await fill(memory, dataset.conversations)
  // For a server that replays a ranking and must know where its messages are.
  await writeFile(join(home.path, 'places.json'), JSON.stringify([...places.values()]))
  const waitedMs = await memory.waitUntilCaughtUp()
  say(`  ${places.size} messages; the index took ${(waitedMs / 1000).toFixed(0)} s more`)
  const questions = limit === undefined ? dataset.questions : sampleQuestions(dataset.questions, limit)
  const runs: MeasuredRun[] = []
  const shapes = scopes.flatMap((scope) => [
    { scope, shape: 'hits' as const },
    ...(scope === 'isolated' ? [{ scope, shape: 'windows' as const }] : []),
  ])
  for (const shape of shapes) {
    const startedAt = performance.now()
    const run = await measureRun(memory, { dataset, questions, places, setting: setting.name }, shape)
    const isChecked = await keepAndCheckRun(runsDirectory, run)
    if (!isChecked) notes.push(`${run.name} was not compared with score_run.mjs: it is not beside the repository.`)
    runs.push(run)
    say(`  ${run.name}: ${questions.length} questions in ${((performance.now() - startedAt) / 1000).toFixed(0)} s`)
  }
  return { setting, dataset, runs }
}

if (values.build) buildWhenStale()
const machine = describeMachine()
const found = await readDatasets(corpora)
notes.push(...found.notes)
const columns: Column[] = []
for (const setting of recallSettings(process.env).filter(({ name }) => settings.includes(name))) {
  if (setting.skipped !== undefined) {
    say(`${setting.name}: skipped, as ${setting.skipped}`)
    notes.push(`Not measured: ${setting.title}, as ${setting.skipped}.`)
    continue
  }
  for (const dataset of found.datasets.filter(({ name }) => setting.datasets.includes(name)))
    columns.push(await measure(setting, dataset))
}
const suffix = [
  settings.length < settingNames.length ? settings : [],
  corpora.length < datasetNames.length ? corpora : [],
]
const result: BenchResult = { bench: ['recall', ...suffix.flat()].join('-'), ...reportOf(columns), notes }
const report = { at: new Date().toISOString(), quick: limit !== undefined, complete: false, machine, results: [result] }
const files = await writeResults(report)
process.stdout.write(`${renderReport(report)}\nKept in ${files.join(' and ')}; the rankings in ${runsDirectory}\n`)
if (result.figures.some((figure) => holds(figure) === false)) process.exitCode = 1
