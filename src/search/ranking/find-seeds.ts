import type { TermHasher } from '../../indexing/terms/terms.ts'
import { limits } from '../../limits.ts'
import type { Viewer } from '../../model/access.ts'
import type { Database } from '../../store/database.ts'
import type { Factors } from '../../store/learning/ranking-weights.ts'
import {
  scoreMessages,
  type ScoredMessage,
  type ScoredMessages,
  type TermCondition,
  type UnitQuery,
} from '../../store/search/score-units.ts'
import { hasUnitsWith, type CorpusStatistics } from '../../store/search/search-units.ts'
import type { UnitFilter } from '../../store/search/unit-filter.ts'
import type { ParsedQuery } from '../query/query-text.ts'
import type { TimeSpan } from '../query/times/time-bounds.ts'
import type { Authors } from './authors.ts'
import { planTerms, type TermPlan } from './bm25.ts'
import { boundShare, dominantAuthor } from './diversity.ts'
import { recogniseNames, type HashedQueries } from './hash-queries.ts'
import { lookUp, type LookUpDependencies } from './look-up.ts'
import { firstOfTimes, merged } from './scored-messages.ts'
import { anyOf, documentsOf } from './term-conditions.ts'
import type { Weights } from './weights.ts'

/** Messages that one search ranks, for all of its pages. */
export const rankedMax = 500
/** The best by their own words, which are then looked at among their neighbours. */
const nearbyMax = 60
/** Of each time that the query names so many are looked at besides, as what is of it is lifted. */
const ofTimeMax = 20
/** So many messages of others are looked for where one author has written nearly all that is found. */
const othersMax = 100
/** Below this many messages the rare words have not found enough, and messages with only the common words count too. */
const enoughMessages = 30
/** For words that are in too many messages to look at each: as many of the newest units are looked through as of others. */
const newestAndOthers = {
  newestUnits: limits.searchCandidatesMax / 2,
  candidatesMax: limits.searchCandidatesMax / 2,
}
/** Standing instructions that are looked at besides. */
const standingMax = 20
/** Where there are more of them, these are chosen among the newest that hold a telling word of the query. */
const standingReadMax = 200

export interface Seeds {
  readonly messages: readonly ScoredMessage[]
  /** Of these the best, whoever wrote most of them: what is around them is looked at. */
  readonly best: readonly ScoredMessage[]
  readonly exhaustive: boolean
}

/** What words found, and what is known of them. */
export interface FoundByWords {
  /** Of the units that were looked at. */
  readonly level: number
  readonly hasher: TermHasher
  readonly statistics: CorpusStatistics
  readonly known: HashedQueries
  readonly plan: TermPlan
  readonly seeds: Seeds
  /** What was learned of use. */
  readonly factors: Factors | undefined
  /** The user's standing instructions; where they are few, also those that share no telling word with the query. */
  readonly standing: readonly ScoredMessage[]
}

/** Scores messages by their own words. With `looks` false only the statistics are read: nothing is searched by its words. */
export async function findByWords(
  dependencies: WordDependencies,
  request: WordRequest,
  looks: boolean,
): Promise<FoundByWords> {
  const { database, weights } = dependencies
  const { filter, spans } = request
  const { level, hashed, hasher, standing, statistics, factors } = await lookUp(dependencies, request)
  const known = recogniseNames(hashed, { statistics, weights })
  const plan = planTerms(known.terms, statistics)
  const found = { level, hasher, statistics, known, plan, factors }
  if (!looks) return { ...found, seeds: { messages: [], best: [], exhaustive: false }, standing: [] }
  const scorer = new UnitScorer(database, {
    viewer: request,
    filter,
    spans,
    ...found,
    weights,
    authors: dependencies.authors,
  })
  // At once: one is on its way while the engine works on the other.
  const [seeds, instructions] = await Promise.all([scorer.best(), scorer.standing(standing)])
  return { ...found, seeds, standing: instructions }
}

interface WordDependencies extends LookUpDependencies {
  readonly authors: Authors
}

interface WordRequest extends Viewer {
  readonly queries: readonly ParsedQuery[]
  readonly filter: UnitFilter
  /** The times that the queries name. */
  readonly spans: readonly TimeSpan[]
}

interface ScorerContext {
  readonly level: number
  readonly viewer: Viewer
  readonly filter: UnitFilter
  readonly spans: readonly TimeSpan[]
  readonly statistics: CorpusStatistics
  readonly known: HashedQueries
  readonly plan: TermPlan
  readonly weights: Weights
  readonly authors: Authors
}

/** Scores units by their own words, in the database. */
class UnitScorer {
  readonly #database: Database
  readonly #context: ScorerContext

  constructor(database: Database, context: ScorerContext) {
    this.#database = database
    this.#context = context
  }

  /** The best by their words, and of each time that the query names the best of it: of what says the same its newest. */
  async best(): Promise<Seeds> {
    const { statistics, plan, spans } = this.#context
    const [condition = anyOf(plan)] = this.#required()
    const areAllSeen = documentsOf(condition, statistics) <= limits.searchCandidatesMax
    const [seeds, ...newest] = await Promise.all([
      this.#chosen(),
      ...(areAllSeen
        ? []
        : spans.map((within) => this.#score({ candidates: [condition], ...newestAndOthers, within }))),
    ])
    const messages =
      newest.length === 0 ? seeds.messages : merged(seeds.messages, ...newest.map((found) => found.messages))
    return { ...seeds, messages, best: [...seeds.best, ...firstOfTimes(messages, spans, ofTimeMax)] }
  }

  /**
   * Candidates are the messages with the rarest words, as many as the budget allows; where they are few, also those with
   * any telling word, the newest before others. A required condition that is rarer chooses the candidates instead.
   */
  async #chosen(): Promise<Seeds> {
    const { statistics, plan } = this.#context
    const [rarest] = this.#required()
    const condition = rarest ?? { any: plan.essential }
    const isOverBudget = documentsOf(condition, statistics) > limits.searchCandidatesMax
    const choice = isOverBudget ? newestAndOthers : { newestUnits: 0, candidatesMax: limits.searchCandidatesMax }
    const first = await this.#score({ candidates: [condition], ...choice })
    const sawAll = first.candidates < choice.candidatesMax && first.messages.length < rankedMax
    const exhaustive = sawAll && (rarest !== undefined || plan.exhaustive)
    const choseAll = plan.essential.length === plan.terms.length
    if (rarest !== undefined || choseAll || first.messages.length >= enoughMessages)
      return { ...(await this.#withOthers(first.messages, { candidates: [condition], ...choice })), exhaustive }
    const second = await this.#score({ candidates: [anyOf(plan)], ...newestAndOthers })
    return {
      ...(await this.#withOthers(merged(first.messages, second.messages))),
      exhaustive: exhaustive || second.candidates < newestAndOthers.candidatesMax,
    }
  }

  /**
   * Bounds what one author has of the messages that are looked at: one who has written hundreds that fit would leave no place
   * to any other. Where all that fits is not there, `choice` finds what others have written of it.
   */
  async #withOthers(
    messages: readonly ScoredMessage[],
    choice?: Pick<UnitQuery, 'candidates' | 'candidatesMax' | 'newestUnits'>,
  ): Promise<Pick<Seeds, 'messages' | 'best'>> {
    const { filter, known, weights, authors } = this.#context
    const best = messages.slice(0, nearbyMax)
    if (messages.length <= nearbyMax || known.names.length > 0 || filter.participants !== undefined)
      return { messages, best }
    const authorOf = (message: ScoredMessage) => authors.of(message)
    await authors.read(best)
    // Mostly so among many authors; where one person has written nearly all there is, all are looked at.
    if (dominantAuthor(best, { authorOf, weights }) === undefined) return { messages, best }
    await authors.read(messages)
    const author = dominantAuthor(messages, { authorOf, weights })
    const all = [...messages]
    if (choice !== undefined && author !== undefined && messages.length >= rankedMax) {
      const participants = { any: [], none: [author] }
      const others = await this.#score({ ...choice, filter: { ...filter, participants }, limit: othersMax })
      all.splice(rankedMax - others.messages.length)
      all.splice(0, all.length, ...merged(all, others.messages))
      await authors.read(others.messages)
    }
    return { messages: all, best: boundShare(all, { limit: nearbyMax, authorOf, weights }) }
  }

  /** The user's standing instructions that match best. */
  async standing(term: bigint): Promise<readonly ScoredMessage[]> {
    const { known, plan, statistics, viewer, level } = this.#context
    if (known.required.length > 0) return []
    const standing: TermCondition = { any: [term] }
    // The statistics lag. In most stores there are none, and the statement that scores is long, and is read anew each time.
    const areKnown = documentsOf(standing, statistics) > 0
    if (!areKnown && !(await this.#unwalled.run((sql) => hasUnitsWith(sql, { ...viewer, level, term })))) return []
    const areMany = documentsOf(standing, statistics) > standingReadMax
    const { messages } = await this.#score({
      candidates: areMany ? [standing, anyOf(plan)] : [standing],
      newestFirst: areMany,
      newestUnits: 0,
      candidatesMax: standingReadMax,
      limit: standingMax,
    })
    return messages
  }

  get #unwalled(): Database {
    return this.#database.unwalled ?? this.#database
  }

  #required(): readonly TermCondition[] {
    const { statistics, known } = this.#context
    return known.required.toSorted((a, b) => documentsOf(a, statistics) - documentsOf(b, statistics))
  }

  async #score(
    choice: Pick<UnitQuery, 'candidates' | 'candidatesMax' | 'newestUnits'> &
      Partial<Pick<UnitQuery, 'filter' | 'limit' | 'newestFirst' | 'within'>>,
  ): Promise<ScoredMessages> {
    const { viewer, level, filter, statistics, plan, weights } = this.#context
    return await this.#unwalled.run((sql) =>
      scoreMessages(sql, {
        viewer,
        level,
        limit: rankedMax,
        filter,
        ...choice,
        terms: plan.terms,
        required: this.#required().slice(1),
        averageLength: Math.max(statistics.averageLength, 1),
        k1: weights.k1,
        b: weights.b,
      }),
    )
  }
}
