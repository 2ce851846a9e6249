import { isDeepStrictEqual } from 'node:util'

import type { Figure, Table } from '../figure.ts'
import { percentile } from '../measure.ts'
import { meanInterval, pairedDifference } from './bootstrap.ts'
import type { Dataset } from './dataset.ts'
import type { MeasuredRun } from './measure-run.ts'
import { evidenceBudgetsTokens, meanOf, recallRanks, type Scored } from './metrics.ts'
import { localBelowLexicalPointsMax, musts, pooledBelowIsolatedPointsMax } from './musts.ts'
import type { Setting } from './settings.ts'

/** The runs of one setting on one dataset. */
export interface Column {
  readonly setting: Setting
  readonly dataset: Dataset
  readonly runs: readonly MeasuredRun[]
}

interface Group {
  /** `headline` or a category. */
  readonly of: string
  readonly title: string
  readonly contains: (scored: Scored) => boolean
}

function groupsOf(dataset: Dataset): Group[] {
  const categories = [...new Set(dataset.questions.map(({ category }) => category))].toSorted()
  const headline = categories.filter((category) => !dataset.categoriesApart.includes(category))
  const title = (category: string) => dataset.categoryTitles[category] ?? category.replaceAll('_', ' ')
  return [
    {
      of: 'headline',
      title: dataset.categoriesApart.length === 0 ? 'all' : `all but ${dataset.categoriesApart.map(title).join(', ')}`,
      contains: ({ category }) => headline.includes(category),
    },
    ...categories.map((category) => ({
      of: category,
      title: title(category),
      contains: (scored: Scored) => scored.category === category,
    })),
  ]
}

function runOf(column: Column, scope: MeasuredRun['scope']): MeasuredRun | undefined {
  return column.runs.find((run) => run.scope === scope && run.shape === 'hits')
}

const percent = (share: number) => (100 * share).toFixed(1)

function cell(scored: readonly Scored[], metric: string): string {
  const { low, high } = meanInterval(scored, metric)
  return `${percent(meanOf(scored, metric))} (${percent(low)}–${percent(high)})`
}

function metricTable(run: MeasuredRun, title: string, metrics: readonly string[]): Table {
  const rows = groupsOf(run.dataset).flatMap((group) => {
    const scored = run.scored.filter(group.contains)
    return scored.length === 0
      ? []
      : [[group.title, String(scored.length), ...metrics.map((metric) => cell(scored, metric))]]
  })
  return { title, header: ['questions', 'n', ...metrics], rows }
}

const messageMetrics = [...recallRanks.map((k) => `R@${k}`), 'any@10', 'all@10', 'MRR', 'nDCG@10']
const otherMetrics = ['session hit@1', 'session R@5', ...evidenceBudgetsTokens.map((tokens) => `evidence@${tokens}`)]

export function tablesOf({ setting, dataset, runs }: Column): Table[] {
  return runs.flatMap((run) => {
    const title = `${dataset.title}, ${setting.title}, ${run.scope}${run.shape === 'windows' ? ', as windows' : ''}`
    const messages = metricTable(run, `${title}: messages`, messageMetrics)
    return run.shape === 'windows'
      ? [messages]
      : [messages, metricTable(run, `${title}: sessions and evidence`, otherMetrics)]
  })
}

function mustFigures({ setting, dataset, runs }: Column): Figure[] {
  const run = runs.find(({ scope, shape }) => scope === 'isolated' && shape === 'hits')
  if (run === undefined) return []
  return groupsOf(dataset).flatMap((group) => {
    const scored = run.scored.filter(group.contains)
    const wanted = musts.filter(
      (must) => must.setting === setting.name && must.dataset === dataset.name && must.of === group.of,
    )
    if (scored.length === 0) return []
    const figure = (metric: string) => ({
      name: `${setting.name}, ${dataset.title}, ${group.title}: ${metric}`,
      value: 100 * meanOf(scored, metric),
      unit: '%',
      samples: scored.length,
    })
    if (wanted.length === 0 && group.of === 'headline') return [figure('R@10'), figure('MRR')]
    return wanted.map(({ metric, atLeastPercent }) => ({
      ...figure(metric),
      bound: { of: 'value', atLeast: atLeastPercent },
    }))
  })
}

function runFigures({ setting, dataset, runs }: Column): Figure[] {
  return runs.flatMap((run) => {
    const name = `${setting.name}, ${dataset.title}, ${run.scope}${run.shape === 'windows' ? ' windows' : ''}`
    const times = run.replies.map(({ firstPageMs }) => firstPageMs)
    return [
      ...[0.5, 0.95].map((part) => ({
        name: `${name}: first page, p${part * 100}`,
        value: percentile(times, part),
        unit: 'ms',
        samples: times.length,
      })),
      {
        name: `${name}: other answer when asked again`,
        value: run.unstable,
        unit: `of ${run.asked.twice}`,
        bound: { of: 'value', atMost: 0 } as const,
      },
    ]
  })
}

function pooledFigures(column: Column): Figure[] {
  const isolated = runOf(column, 'isolated')
  const pooled = runOf(column, 'pooled')
  const [headline] = groupsOf(column.dataset)
  if (isolated === undefined || pooled === undefined || headline === undefined) return []
  const points =
    100 *
    (meanOf(pooled.scored.filter(headline.contains), 'R@10') -
      meanOf(isolated.scored.filter(headline.contains), 'R@10'))
  return [
    {
      name: `${column.setting.name}, ${column.dataset.title}: R@10 pooled − isolated`,
      value: points,
      unit: 'points',
      bound: { of: 'value', atLeast: -pooledBelowIsolatedPointsMax },
    },
  ]
}

/** What another setting adds to words alone, question by question; of a store that is not encrypted that is to be nothing. */
function comparisonOf(lexical: Column, local: Column): { readonly figures: Figure[]; readonly tables: Table[] } {
  const first = runOf(lexical, 'isolated')
  const second = runOf(local, 'isolated')
  if (first === undefined || second === undefined) return { figures: [], tables: [] }
  const name = `${local.setting.name} − ${lexical.setting.name}, ${local.dataset.title}`
  const metrics = ['R@1', 'R@10', 'MRR'] as const
  const figures: Figure[] = []
  const rows: string[][] = []
  for (const group of groupsOf(local.dataset)) {
    const [before, after] = [first.scored.filter(group.contains), second.scored.filter(group.contains)]
    if (before.length === 0) continue
    const differences = metrics.map((metric) => pairedDifference(before, after, metric))
    rows.push([
      group.title,
      ...differences.map(({ mean, low, high }) => `${percent(mean)} (${percent(low)}–${percent(high)})`),
    ])
    const isBounded = local.setting.name === 'local'
    const bounded = group.of === 'headline' ? ([0, 0] as const) : ([1, -localBelowLexicalPointsMax] as const)
    const difference = differences[bounded[0]]
    if (isBounded && difference !== undefined)
      figures.push({
        name: `${name}, ${group.title}: ${metrics[bounded[0]]}`,
        value: 100 * difference.mean,
        unit: 'points',
        bound: { of: 'value', atLeast: bounded[1] },
      })
  }
  if (local.setting.name === 'plain')
    figures.push({
      name: `${name}: questions that encryption answers otherwise`,
      value: first.scored.filter(({ values }, at) => !isDeepStrictEqual(values, second.scored[at]?.values)).length,
      unit: `of ${first.scored.length}`,
      bound: { of: 'value', atMost: 0 },
    })
  return { figures, tables: [{ title: `${name}: points, isolated`, header: ['questions', ...metrics], rows }] }
}

/** Figures with what must hold of them first, then everything by category. */
export function reportOf(columns: readonly Column[]): {
  readonly figures: readonly Figure[]
  readonly tables: readonly Table[]
} {
  const comparisons = columns.flatMap((column) => {
    const lexical = columns.find(
      ({ setting, dataset }) => setting.name === 'lexical' && dataset.name === column.dataset.name,
    )
    return lexical === undefined || lexical === column ? [] : [comparisonOf(lexical, column)]
  })
  return {
    figures: [
      ...columns.flatMap(mustFigures),
      ...columns.flatMap(pooledFigures),
      ...comparisons.flatMap(({ figures }) => figures),
      ...columns.flatMap(runFigures),
    ],
    tables: [...columns.flatMap(tablesOf), ...comparisons.flatMap(({ tables }) => tables)],
  }
}
