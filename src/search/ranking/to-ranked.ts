import type { ScoredMessage } from '../../store/search/score-units.ts'
import { placeKey } from './conversation.ts'
import { rankedMax } from './find-seeds.ts'
import type { Nearness } from './fuse.ts'
import type { ScoredTurn } from './rank-turns.ts'
import type { RankedMessage } from './rank.ts'

/**
 * What was required must be in the turn's words. One that only stands beside a match is `near`: an answer to a question, and
 * nothing to who looks up a word.
 */
export type MustMatch = 'words' | 'itself' | 'near'

/**
 * The ranked turns with their best parts and their places by words and by meaning alone; after them what else has the words,
 * so that who pages on comes to all of it.
 */
export function toRanked(
  ranked: readonly ScoredTurn[],
  context: {
    readonly seeds: readonly ScoredMessage[]
    readonly nearness: Nearness
    /** What the time that the query asks about leads to. */
    readonly ofTime: Nearness
    readonly mustMatch: MustMatch
    /** Places of what the filters leave out. */
    readonly left: ReadonlySet<string>
  },
): RankedMessage[] {
  const lexical = new Map(
    context.seeds.map((seed, index) => [placeKey(seed), { part: seed.part, lexicalRank: index + 1 }]),
  )
  const looked = ranked
    .filter(
      ({ turn }) =>
        lexical.has(placeKey(turn)) ||
        context.mustMatch === 'near' ||
        (context.mustMatch === 'itself' && context.nearness.rankOf(turn) !== undefined),
    )
    .map(({ turn, score, weighed }) => {
      const { sessionId, seq } = turn
      const semanticRank = context.nearness.rankOf(turn)
      const found = lexical.get(placeKey(turn)) ?? { part: 0 }
      const how = {
        ...(weighed === undefined ? {} : { weighed }),
        ...(context.ofTime.rankOf(turn) === undefined ? {} : { isOfTime: true }),
      }
      return { sessionId, seq, score, ...found, ...how, ...(semanticRank === undefined ? {} : { semanticRank }) }
    })
  const others = othersOf(context.seeds, looked).filter((message) => !context.left.has(placeKey(message)))
  return [...looked, ...others].slice(0, rankedMax)
}

/** What has the words and was not looked at among its neighbours, in the order of its words, with scores below all others. */
function othersOf(seeds: readonly ScoredMessage[], looked: readonly RankedMessage[]): RankedMessage[] {
  const places = new Set(looked.map(placeKey))
  const lowest = looked.at(-1)?.score ?? 1
  const best = seeds[0]?.score ?? 1
  return seeds.flatMap(({ sessionId, seq, part, score }, index) =>
    places.has(placeKey({ sessionId, seq }))
      ? []
      : [{ sessionId, seq, part, lexicalRank: index + 1, score: best > 0 ? (lowest * score) / best : lowest }],
  )
}
