import type { Caller } from '../../model/access.ts'
import { placeKey } from '../../search/ranking/conversation.ts'
import { usablePlaces } from '../../store/access/usable-places.ts'
import type { Database } from '../../store/database.ts'
import { factsState } from '../../store/learning/facts-state.ts'
import { sessionVersions } from '../../store/sessions.ts'
import type { Place } from '../recall/recall-reply.ts'

/** What a reply holds on: which of some messages their reader may use, the versions of their sessions, and some facts. */
export interface Basis<P extends Place = Place> {
  readonly places: readonly P[]
  readonly factIds: readonly string[]
  readonly usable: readonly P[]
  readonly versions: ReadonlyMap<string, number>
  /** Those that stand, and when they were changed. */
  readonly facts: ReadonlyMap<string, string>
}

/** How things stand with some messages and facts now. */
export async function readBasis<P extends Place>(
  database: Database,
  caller: Caller,
  { places, factIds = [] }: { readonly places: readonly P[]; readonly factIds?: readonly string[] },
): Promise<Basis<P>> {
  const once = [...new Map(places.map((place) => [placeKey(place), place])).values()]
  const sessionIds = [...new Set(once.map(({ sessionId }) => sessionId))]
  const [usable, versions, facts] = await Promise.all([
    usablePlaces(database, caller, once),
    database.run((sql) => sessionVersions(sql, caller, sessionIds)),
    database.run((sql) => factsState(sql, caller.tenantId, factIds)),
  ])
  return { places: once, factIds, usable, versions, facts }
}

/** Whether all of it may be used. */
export function isWhole({ places, usable, factIds, facts }: Basis): boolean {
  return usable.length === places.length && facts.size === factIds.length
}

/** Whether what held when `earlier` was read holds for all of it now: `now` is of the same, or of more. */
export function stillHolds(earlier: Basis, now: Basis): boolean {
  const usable = new Set(now.usable.map(placeKey))
  return (
    earlier.usable.every((place) => usable.has(placeKey(place))) &&
    [...earlier.versions].every(([id, version]) => now.versions.get(id) === version) &&
    [...earlier.facts].every(([id, changed]) => now.facts.get(id) === changed)
  )
}
