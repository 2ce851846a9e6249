import { limits } from '../../limits.ts'
import type { Caller } from '../../model/access.ts'
import type { Cache, Caches } from '../../model/caches.ts'
import type { ShownHit } from '../../store/learning/recall-feedback.ts'

/** A page of results that somebody was shown. */
export interface ShownSearch {
  readonly id: string
  readonly atMs: number
  readonly hits: readonly ShownHit[]
}

/** Ids, ranks and numbers. */
const hitBytes = 500

/**
 * What the latest searches of each caller have shown: ids and numbers, in the memory of the process that answered, and there for a
 * quarter of an hour. Where a result is opened through another replica nothing is learned of it.
 */
export class ShownHits {
  readonly #kept: Cache<readonly ShownSearch[]>

  constructor(caches: Caches) {
    this.#kept = caches.open('shown_hits', {
      sizeOf: (searches) => searches.reduce((sum, { hits }) => sum + hits.length * hitBytes, 0),
      keptMs: limits.shownKeptMs,
    })
  }

  keep(caller: Caller, search: ShownSearch): void {
    const key = keyOf(caller)
    this.#kept.set(key, [search, ...this.#recent(key, search.atMs)].slice(0, limits.shownSearchesMax))
  }

  /** The newest first. */
  recent(caller: Caller, nowMs: number): readonly ShownSearch[] {
    const found = this.#recent(keyOf(caller), nowMs)
    this.#kept.count(found.length > 0)
    return found
  }

  #recent(key: string, nowMs: number): readonly ShownSearch[] {
    return (this.#kept.peek(key) ?? []).filter(({ atMs }) => nowMs - atMs < limits.shownKeptMs)
  }
}

/** Who searched and who opens must be the same, through the same program. */
function keyOf({ tenantId, principalId, principal, client, door }: Caller): string {
  return JSON.stringify([tenantId, principalId, principal, client, door?.tokenId])
}
