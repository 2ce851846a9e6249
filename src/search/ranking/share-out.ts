import { senderTerms } from '../../indexing/terms/field-terms.ts'
import type { TermHasher } from '../../indexing/terms/terms.ts'
import type { SearchMode } from '../../model/search-mode.ts'
import type { Database } from '../../store/database.ts'
import { readTermSketches } from '../../store/search/term-sketches.ts'
import type { Authors } from './authors.ts'
import { boundShares, dominant, dominantAuthor, reorderedMax } from './diversity.ts'
import type { RankedMessage } from './rank.ts'
import { groupAlike, sketchTerms, type Sketch } from './sketches.ts'
import type { Weights } from './weights.ts'

interface Dependencies {
  readonly database: Database
  readonly authors: Authors
  readonly hasher: TermHasher
  readonly weights: Weights
}

/** Of what units the messages are, and how they were found. */
interface Found {
  readonly tenantId: number
  readonly level: number
  readonly mode: SearchMode
}

/** Fewer than this are no flood: who has measured something each day asks for that. */
const floodMin = 20

/** Leaves places of each page to others than who says much, and than what is said again and again. */
export async function shareOut(
  dependencies: Dependencies,
  ranked: readonly RankedMessage[],
  found: Found,
): Promise<readonly RankedMessage[]> {
  const { authors, weights } = dependencies
  const authorOf = (message: RankedMessage) => authors.of(message)
  const best = ranked.slice(0, reorderedMax)
  await authors.read(best)
  const repeats = best.length < floodMin ? [] : await repeatsAmong(dependencies, best, found)
  const isRepeated = dominant(repeats, weights.repeatFlood) !== undefined
  // Who has said nearly all of the best may have said much more: what others say is further down then.
  const isFlooded = isRepeated || dominantAuthor(best, { authorOf, weights }) !== undefined
  if (isFlooded) await authors.read(ranked)
  return boundShares(ranked, {
    // A page of what is near in meaning is by whom it is.
    ...(found.mode === 'semantic' ? {} : { authorOf }),
    ...(isRepeated ? { repeats: await repeatsAmong(dependencies, ranked, found) } : {}),
    weights,
    among: isFlooded ? ranked.length : reorderedMax,
  })
}

/** By numbers, which messages say nearly the same, whoever says it. Who has written them must be known. */
async function repeatsAmong(
  { database, authors, hasher, weights }: Dependencies,
  messages: readonly RankedMessage[],
  { tenantId, level }: Found,
): Promise<readonly (number | undefined)[]> {
  const names = messages.map((message) => senderTerms(authors.of(message) ?? '').map(hasher))
  const count = sketchTerms + names.reduce((most, { length }) => Math.max(most, length), 0)
  const terms = await database.run((sql) => readTermSketches(sql, { tenantId, level, count }, messages))
  const sketches = terms.map((own, at): Sketch | undefined => {
    const fields = new Set(names[at])
    return own?.filter((term) => !fields.has(term)).slice(0, sketchTerms)
  })
  return groupAlike(sketches, weights.repeatShare)
}
