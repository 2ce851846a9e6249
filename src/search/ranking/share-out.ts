import type { SearchMode } from '../../model/search-mode.ts'
import type { Database } from '../../store/database.ts'
import { readTermSketches } from '../../store/term-sketches.ts'
import type { Authors } from './authors.ts'
import { boundAuthors, boundRepeats, dominant, dominantAuthor, reorderedMax } from './diversity.ts'
import type { RankedMessage } from './rank.ts'
import { groupAlike, sketchTerms } from './sketches.ts'
import type { Weights } from './weights.ts'

interface Dependencies {
  readonly database: Database
  readonly authors: Authors
  readonly weights: Weights
}

/** Of what units the messages are, and how they were found. */
interface Found {
  readonly tenantId: number
  readonly level: number
  readonly mode: SearchMode
}

/** Leaves places of each page to others than who says much, and than what is said again and again. */
export async function shareOut(
  dependencies: Dependencies,
  ranked: readonly RankedMessage[],
  found: Found,
): Promise<readonly RankedMessage[]> {
  const spaced = await withBoundedRepeats(dependencies, ranked, found)
  return found.mode === 'semantic' ? spaced : await withBoundedAuthors(dependencies, spaced)
}

async function withBoundedRepeats(
  { database, weights }: Dependencies,
  ranked: readonly RankedMessage[],
  found: Found,
): Promise<readonly RankedMessage[]> {
  if (ranked.length <= weights.repeatPlaces) return ranked
  const read = async (messages: readonly RankedMessage[]) =>
    await database.run((sql) => readTermSketches(sql, { ...found, count: sketchTerms }, messages))
  const best = await read(ranked.slice(0, reorderedMax))
  // Where nearly all of the best say one thing, what others say is further down.
  const isFlooded = dominant(groupAlike(best, weights.repeatShare), weights.repeatPlaces) !== undefined
  const sketches = isFlooded ? [...best, ...(await read(ranked.slice(reorderedMax)))] : best
  return boundRepeats(ranked, { sketches, weights })
}

async function withBoundedAuthors(
  { authors, weights }: Dependencies,
  ranked: readonly RankedMessage[],
): Promise<readonly RankedMessage[]> {
  const authorOf = (message: RankedMessage) => authors.of(message)
  const best = ranked.slice(0, reorderedMax)
  await authors.read(best)
  // Who has said nearly all of the best may have said much more: what others say is further down then.
  const isFlooded = dominantAuthor(best, { authorOf, weights }) !== undefined
  if (isFlooded) await authors.read(ranked)
  return boundAuthors(ranked, { authorOf, weights, among: isFlooded ? ranked.length : reorderedMax })
}
