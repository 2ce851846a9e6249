import type { DatasetName } from './dataset.ts'
import type { SettingName } from './settings.ts'

/** What the product promises of one metric, isolated, in percent. */
export interface Must {
  readonly setting: SettingName
  readonly dataset: DatasetName
  /** `headline`, or one category. */
  readonly of: string
  readonly metric: string
  readonly atLeastPercent: number
}

function must(setting: SettingName, dataset: DatasetName, wanted: Readonly<Record<string, number>>): readonly Must[] {
  return Object.entries(wanted).map(([metric, atLeastPercent]) => ({
    setting,
    dataset,
    of: 'headline',
    metric,
    atLeastPercent,
  }))
}

const adversarial = { dataset: 'locomo', of: '5', metric: 'R@10', atLeastPercent: 78 } as const

export const musts: readonly Must[] = [
  ...must('lexical', 'locomo', { 'R@10': 79, MRR: 63, 'evidence@1000': 84 }),
  ...must('local', 'locomo', { 'R@10': 82, MRR: 64, 'evidence@1000': 88 }),
  ...must('dense', 'locomo', { 'R@10': 85, MRR: 68, 'evidence@1000': 90 }),
  { ...adversarial, setting: 'lexical' },
  { ...adversarial, setting: 'local' },
  { ...adversarial, setting: 'dense' },
  ...must('lexical', 'beam', { 'R@10': 58 }),
  ...must('local', 'beam', { 'R@10': 60 }),
]

/** Points that one store for all conversations may cost. */
export const pooledBelowIsolatedPointsMax = 2
/** Points of R@10 that the local embedder may cost in one category. Of R@1 over all it may cost none. */
export const localBelowLexicalPointsMax = 1
