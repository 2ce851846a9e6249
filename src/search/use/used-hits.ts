import { limits } from '../../limits.ts'
import type { ShownHit } from '../../store/learning/recall-feedback.ts'
import type { ShownSearch } from './shown-hits.ts'

/** What somebody did that may have used results. */
export type Reading =
  /** One message was read. */
  | { readonly kind: 'message'; readonly sessionId: string; readonly seq: number }
  /** A session was read from a message on, or from its beginning. */
  | {
      readonly kind: 'session'
      readonly sessionId: string
      readonly fromSeq?: number | undefined
      readonly toSeq: number
    }
  /** A text was written that names messages by their ids. */
  | { readonly kind: 'text'; readonly text: string }

/** Results of one search, and which of them were used. */
export interface UsedHits {
  readonly search: ShownSearch
  readonly used: readonly ShownHit[]
}

/**
 * Which of the results that were shown were used. A message that several searches have shown counts for the latest, and a search of
 * which only one result was shown, or all were used at once, tells nothing.
 */
export function usedHits(searches: readonly ShownSearch[], reading: Reading): UsedHits[] {
  const known = new Set<string>()
  return searches.flatMap((search) => {
    const used = hitsOf(search, reading).filter(({ messageId }) => !known.has(messageId))
    for (const { messageId } of used) known.add(messageId)
    return used.length > 0 && used.length < search.hits.length ? [{ search, used }] : []
  })
}

function hitsOf({ hits }: ShownSearch, reading: Reading): readonly ShownHit[] {
  switch (reading.kind) {
    case 'message':
      return hits.filter(({ sessionId, seq }) => sessionId === reading.sessionId && seq === reading.seq)
    case 'session':
      return openedOf(
        hits.filter(({ sessionId }) => sessionId === reading.sessionId),
        reading,
      )
    case 'text': {
      const ids = new Set(reading.text.toLowerCase().match(idPattern))
      return hits.filter(({ messageId }) => ids.has(messageId))
    }
    default:
      return reading satisfies never
  }
}

const idPattern = /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/g

/**
 * Who reads on from a little before a result, or from it, has opened it; of several the first. Who reads a session from its beginning
 * has opened its one result; of several it is not known which.
 */
function openedOf(
  hits: readonly ShownHit[],
  { fromSeq, toSeq }: { readonly fromSeq?: number | undefined; readonly toSeq: number },
): readonly ShownHit[] {
  const shown = hits.filter(({ seq }) => seq <= toSeq)
  if (fromSeq === undefined) return hits.length === 1 ? shown : []
  return shown
    .filter(({ seq }) => seq >= fromSeq && seq - fromSeq <= limits.contextNeighboursMax)
    .toSorted((a, b) => a.seq - b.seq)
    .slice(0, 1)
}
