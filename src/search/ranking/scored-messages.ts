import type { ScoredMessage } from '../../store/search/score-units.ts'
import type { TimeSpan } from '../query/times/time-bounds.ts'
import { placeKey } from './conversation.ts'

/** The messages of several lists, each with its best score, best first. */
export function merged(...lists: readonly (readonly ScoredMessage[])[]): ScoredMessage[] {
  const byPlace = new Map<string, ScoredMessage>()
  for (const message of lists.flat()) {
    const key = placeKey(message)
    if ((byPlace.get(key)?.score ?? -1) < message.score) byPlace.set(key, message)
  }
  return [...byPlace.values()].toSorted((a, b) => b.score - a.score)
}

/** Of each time the first messages, up to a limit. */
export function firstOfTimes(
  messages: readonly ScoredMessage[],
  spans: readonly TimeSpan[],
  limit: number,
): ScoredMessage[] {
  return spans.flatMap(({ fromMs, toMs }) =>
    messages.filter(({ timestampMs }) => timestampMs >= fromMs && timestampMs < toMs).slice(0, limit),
  )
}
