import { formatNumber, type Table } from '../figure.ts'
import { percentile } from '../measure.ts'
import { meanInterval } from '../recall/bootstrap.ts'
import type { Dataset } from '../recall/dataset.ts'
import { meanOf, type Scored } from '../recall/metrics.ts'
import type { Durability } from './durability.ts'
import type { PeerRecall } from './peer-recall.ts'
import type { Peer } from './peer.ts'

export interface PeerResult {
  readonly peer: Peer
  readonly durability: readonly Durability[]
  readonly toolTokens: { readonly tools: number; readonly tokens: number } | undefined
  readonly recall: PeerRecall
}

const metrics = ['R@1', 'R@5', 'R@10', 'all@10', 'MRR'] as const

function shareCells(scored: readonly Scored[]): string[] {
  if (scored.length === 0) return metrics.map(() => '')
  return metrics.map((metric) => {
    const { low, high } = meanInterval(scored, metric)
    const [mean, from, to] = [meanOf(scored, metric), low, high].map((share) => (100 * share).toFixed(1))
    return `${mean} (${from}–${to})`
  })
}

function recallTable(results: readonly PeerResult[], dataset: Dataset): Table {
  const isApart = ({ category }: Scored) => dataset.categoriesApart.includes(category)
  const rows = results.flatMap(({ peer, recall }) => {
    const ways = [
      { name: peer.name, scored: recall.scored },
      ...(peer.isAskedByWords ? [{ name: `${peer.name}, word by word`, scored: recall.scoredByWords }] : []),
    ]
    return ways.map(({ name, scored }) => {
      const apart = scored.filter(isApart)
      return [
        name,
        ...shareCells(scored.filter((one) => !isApart(one))),
        apart.length === 0 ? '' : (100 * meanOf(apart, 'R@10')).toFixed(1),
      ]
    })
  })
  return {
    title: `${dataset.title}, one conversation a store, ten results a question: percent of the evidence`,
    header: ['memory', ...metrics, 'adversarial R@10'],
    rows,
  }
}

function costTable(results: readonly PeerResult[]): Table {
  const at = (samples: readonly number[], part: number) =>
    samples.length === 0 ? '' : formatNumber(percentile(samples, part))
  return {
    title: 'Time of a call in the client (ms), and tokens',
    header: [
      'memory',
      'save p50',
      'save p95',
      'search p50',
      'search p95',
      'reply tokens p50',
      'reply tokens p95',
      'tools',
      'tokens of tools',
    ],
    rows: results.map(({ peer, recall, toolTokens }) => [
      peer.name,
      at(recall.saveMs, 0.5),
      at(recall.saveMs, 0.95),
      at(recall.searchMs, 0.5),
      at(recall.searchMs, 0.95),
      // The reply of a wrapper has the ids alone, and says nothing about the library.
      peer.hasOwnTools ? at(recall.replyTokens, 0.5) : '',
      peer.hasOwnTools ? at(recall.replyTokens, 0.95) : '',
      toolTokens === undefined ? '' : String(toolTokens.tools),
      toolTokens === undefined ? 'no server' : formatNumber(toolTokens.tokens),
    ]),
  }
}

function durabilityTable(results: readonly PeerResult[]): Table {
  const counts = results[0]?.durability.map(({ processes }) => processes) ?? []
  return {
    title: 'Processes on one store, 100 saves each: survived of acknowledged',
    header: ['memory', ...counts.map((count) => `${count} processes`), 'refused'],
    rows: results.map(({ peer, durability }) => [
      peer.name,
      ...durability.map(({ survived, acknowledged }) => `${survived} of ${acknowledged}`),
      String(durability.reduce((total, { refused }) => total + refused, 0)),
    ]),
  }
}

/** Which tools and versions the rows are of. */
function peersTable(results: readonly PeerResult[]): Table {
  return {
    title: 'What was run',
    header: ['memory', 'packages', 'tools'],
    rows: results.map(({ peer }) => [peer.name, peer.packages.join(', ') || 'this repository', peer.tools]),
  }
}

export function peerTables(results: readonly PeerResult[], dataset: Dataset): Table[] {
  return [recallTable(results, dataset), durabilityTable(results), costTable(results), peersTable(results)]
}
