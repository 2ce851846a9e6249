import { placeKey } from '../../search/ranking/conversation.ts'
import type { RankedMessage } from '../../search/ranking/rank.ts'

/** Messages that one way of looking has found, best first. */
export interface RankedList<K extends string = string> {
  readonly kind: K
  /** What a first place here is worth against one in another list. */
  readonly weight: number
  readonly messages: readonly RankedMessage[]
}

/** A message with the ways in which it was found. */
export interface Predicted<K extends string = string> extends RankedMessage {
  readonly kinds: readonly K[]
}

/** As in Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion outperforms Condorcet" (SIGIR 2009). */
const rankOffset = 60

/** Fuses lists by the reciprocal ranks of what they hold. Scores are of use for the order alone. */
export function fuseSignals<K extends string>(lists: readonly RankedList<K>[]): Predicted<K>[] {
  const byPlace = new Map<string, Predicted<K>>()
  for (const { kind, weight, messages } of lists)
    for (const [rank, message] of messages.entries()) {
      const key = placeKey(message)
      const known = byPlace.get(key)
      byPlace.set(key, {
        ...(known ?? message),
        score: (known?.score ?? 0) + weight / (rankOffset + rank + 1),
        kinds: [...(known?.kinds ?? []), kind],
      })
    }
  return [...byPlace.values()].toSorted((a, b) => b.score - a.score || (placeKey(a) < placeKey(b) ? -1 : 1))
}
