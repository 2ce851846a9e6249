import { pick, seededRandom } from '../measure.ts'
import { valueOf, type Scored } from './metrics.ts'

export interface Interval {
  readonly low: number
  readonly high: number
}

interface Cluster {
  readonly total: number
  readonly count: number
}

const rounds = 2_000
const seed = 20_251_125

function clustersOf(questions: readonly Scored[], valueAt: (scored: Scored, index: number) => number): Cluster[] {
  const clusters = new Map<string, Cluster>()
  for (const [index, scored] of questions.entries()) {
    const { total, count } = clusters.get(scored.conversation) ?? { total: 0, count: 0 }
    clusters.set(scored.conversation, { total: total + valueAt(scored, index), count: count + 1 })
  }
  return [...clusters.values()]
}

function resample(clusters: readonly Cluster[]): Interval {
  const random = seededRandom(seed)
  const means = Array.from({ length: rounds }, () => {
    let total = 0
    let count = 0
    for (let drawn = 0; drawn < clusters.length; drawn++) {
      const cluster = pick(clusters, random)
      total += cluster.total
      count += cluster.count
    }
    return total / count
  }).toSorted((a, b) => a - b)
  const at = (part: number) => means[Math.floor(part * (rounds - 1))] ?? Number.NaN
  return { low: at(0.025), high: at(0.975) }
}

/**
 * Where the mean lies in 95 of 100 draws of as many conversations as there are, with repeats. Whole conversations are
 * drawn because the questions of one are alike. Of five conversations the interval is rough. The same in every run.
 */
export function meanInterval(questions: readonly Scored[], metric: string): Interval {
  return resample(clustersOf(questions, (scored) => valueOf(scored, metric)))
}

/** The mean difference between two runs of the same questions in the same order, second minus first, with its interval. */
export function pairedDifference(
  first: readonly Scored[],
  second: readonly Scored[],
  metric: string,
): Interval & { readonly mean: number } {
  const differences = clustersOf(first, (scored, index) => {
    const other = second[index]
    if (other === undefined || other.conversation !== scored.conversation || second.length !== first.length)
      throw new Error('Cannot compare two runs of other questions: ask both the same, in the same order')
    return valueOf(other, metric) - valueOf(scored, metric)
  })
  const total = differences.reduce((sum, cluster) => sum + cluster.total, 0)
  return { mean: total / first.length, ...resample(differences) }
}
