import { limits } from '../../limits.ts'
import type { Viewer } from '../../model/access.ts'
import type { Database } from '../../store/database.ts'
import type { UnitFilter } from '../../store/search/unit-filter.ts'
import { unitsOfTime } from '../../store/search/units-of-time.ts'
import type { TimeSpan } from '../query/times/time-bounds.ts'
import type { SemanticList } from './semantic.ts'

/** As many as of what is near in meaning. */
const messagesMax = 60
/** As much as the best by words: there are no words that tell more. */
const timeWeight = 1

interface TimeRequest extends Viewer {
  readonly filter: UnitFilter
}

/** Messages of the times that a query asks about, where it asks about nothing else: no word of it leads to them. No list is empty. */
export async function findByTime(
  database: Database,
  { filter, tenantId, principalId }: TimeRequest,
  { spans, level }: { readonly spans: readonly TimeSpan[]; readonly level: number },
): Promise<SemanticList[]> {
  const lists: SemanticList[] = []
  for (const { fromMs, toMs } of spans) {
    const places = await database.run((sql) =>
      unitsOfTime(sql, {
        viewer: { tenantId, principalId },
        level,
        filter,
        fromMs,
        toMs,
        readMax: limits.searchCandidatesMax,
        limit: messagesMax,
      }),
    )
    const matches = places.map(({ sessionId, seq }) => ({ level, sessionId, firstSeq: seq, part: 0, similarity: 0 }))
    if (matches.length > 0) lists.push({ weight: timeWeight, matches })
  }
  return lists
}
