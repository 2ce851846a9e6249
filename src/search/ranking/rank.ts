import type { TermHashers } from '../../indexing/terms/term-hashers.ts'
import { limits } from '../../limits.ts'
import type { Viewer } from '../../model/access.ts'
import type { SearchMode } from '../../model/search-mode.ts'
import type { Database } from '../../store/database.ts'
import type { Factors } from '../../store/learning/ranking-weights.ts'
import { readEvidence } from '../../store/search/read-evidence.ts'
import type { UnitFilter } from '../../store/search/unit-filter.ts'
import { readIntent } from '../query/query-intent.ts'
import type { ParsedQuery } from '../query/query-text.ts'
import { asksOnlyTime } from '../query/times/asks-time.ts'
import { readQueryTimes } from '../query/times/query-dates.ts'
import { Authors } from './authors.ts'
import { linkTurns, placeKey, stretchesAround } from './conversation.ts'
import { findByMeaning, type FoundByMeaning } from './find-by-meaning.ts'
import { findByTime } from './find-by-time.ts'
import { findByWords, rankedMax } from './find-seeds.ts'
import { Nearness } from './fuse.ts'
import type { HashedQueries } from './hash-queries.ts'
import { learnedWeights, type RankingWeights } from './learned-parts.ts'
import { rankTurns } from './rank-turns.ts'
import type { Question } from './score-turns.ts'
import type { SemanticDependencies, SemanticList, SemanticResult } from './semantic.ts'
import { shareOut } from './share-out.ts'
import { toRanked, type MustMatch } from './to-ranked.ts'
import type { WeighedTurn } from './weigh-turn.ts'
import { weights as usualWeights, type Weights } from './weights.ts'

export interface RankedMessage {
  readonly sessionId: string
  readonly seq: number
  /** The part of a long message that matches best. */
  readonly part: number
  /** 1 for the best by words alone; absent where only meaning or a neighbour led to it. */
  readonly lexicalRank?: number
  /** 1 for the nearest by meaning alone. */
  readonly semanticRank?: number
  /** It is of the time that the query asks about, where it asks about nothing else. */
  readonly isOfTime?: boolean
  readonly score: number
  /** How it came to its score; of the first results, where use is learned from. */
  readonly weighed?: WeighedTurn | undefined
}

export interface RankDependencies {
  readonly database: Database
  readonly hashers: TermHashers
  /** Absent where no embedder is configured. */
  readonly semantic?: Omit<SemanticDependencies, 'database'> | undefined
  /** Others than those of `weights.ts`: for who measures what each is worth. */
  readonly weights?: Weights | undefined
  /** Whether what was learned of use counts. */
  readonly learnsRanking?: boolean | undefined
}

export interface Ranking {
  readonly messages: readonly RankedMessage[]
  readonly messagesSearched: number
  /** True where no message that holds a telling word of the query was left out. */
  readonly exhaustive: boolean
  readonly semantic: SemanticResult
  /** By how much the usual weights were changed, as use has taught; absent where they were not. */
  readonly factors?: Factors | undefined
}

export interface RankRequest extends Viewer {
  readonly queries: readonly ParsedQuery[]
  readonly filter: UnitFilter
  readonly mode: SearchMode
  readonly now: Date
  /** Gives what was found by meaning where another text than the queries is compared. */
  readonly meaning?: (() => Promise<FoundByMeaning>) | undefined
}

/** Of the nearest so many count, and no more than a share of all messages: a list that names nearly everything says nothing. */
const countedMax = 60
const countedShare = 1 / 8

/**
 * Ranks messages. By their own words, scored in the database, the best are found; around them their neighbours are read,
 * and what the messages are and where they stand decides the order. A message must hold every quoted word, and with several
 * queries a word of each; then neighbours are no results themselves.
 */
export async function rankMessages(dependencies: RankDependencies, request: RankRequest): Promise<Ranking> {
  const { database, learnsRanking } = dependencies
  const { filter } = request
  const text = request.queries.map((query) => query.text).join(' ')
  const asked = await readQueryTimes(text, request.now)
  const onlyMeaning = request.mode === 'semantic'
  const authors = new Authors(database, request.tenantId)
  // At once: the query is embedded while its words are looked up.
  const [semantic, { level, hasher, statistics, known, plan, seeds, standing, factors: learned }] = await Promise.all([
    request.meaning?.() ?? findByMeaning(dependencies, request, meaningOf(request)),
    findByWords(
      { ...dependencies, weights: dependencies.weights ?? usualWeights, authors },
      { ...request, spans: asked.spans },
      !onlyMeaning,
    ),
  ])
  const { weights, factors } = weightsOf(dependencies, onlyMeaning ? undefined : learned)
  const lists = onlyMeaning
    ? semantic.lists
    : semantic.lists.map((list) => tellingOf(list, semantic.messages ?? statistics.wholes, factors?.['meaning']))
  const onlyTime = request.mode === 'hybrid' && known.required.length === 0 && asksOnlyTime(asked)
  const ofTime = onlyTime ? await findByTime(database, request, { ...asked, level }) : []
  const isByTime = ofTime.length > 0
  const seen = [
    ...seeds.best,
    // It stands on its own, and the next turns tell who it was said to.
    ...standing.map(({ sessionId, seq }) => ({ sessionId, seq, reach: 1 })),
    ...placesOf([...lists, ...ofTime]),
  ]
  const evidence = await database.run((sql) =>
    readEvidence(sql, {
      viewer: request,
      level,
      filter,
      stretches: stretchesAround(seen),
      terms: [...plan.all, ...known.names].map(({ term }) => term),
    }),
  )
  const nearness = new Nearness(lists, weights)
  const places = new Map(plan.all.map(({ term }, place) => [term, place]))
  const question: Question = {
    terms: onlyMeaning ? [] : plan.all,
    titles: known.titles.map((title) => title.flatMap((term) => places.get(term) ?? [])),
    senders: known.names.map((_, index) => plan.all.length + index),
    intent: readIntent(text),
    times: asked.times,
    spans: asked.spans,
    averageLength: Math.max(statistics.averageLength, 1),
  }
  // What time has led to says nothing of what meaning is worth.
  const weighedMax = learnsRanking === true && !isByTime ? limits.shownHitsMax : undefined
  const near = isByTime ? new Nearness([...lists, ...ofTime], weights) : nearness
  const turns = rankTurns(linkTurns(evidence), question, { nearness: near, weights, onlyMeaning, weighedMax })
  const ranked = toRanked(turns, {
    seeds: seeds.messages,
    nearness,
    ofTime: new Nearness(ofTime, weights),
    mustMatch: isByTime ? 'near' : mustMatchOf(request.mode, known),
    left: new Set(evidence.flatMap((unit) => (unit.eligible ? [] : [placeKey(unit)]))),
  })
  const asksSomebody =
    known.names.length > 0 || question.intent.speaker !== undefined || filter.participants !== undefined
  return {
    messages: asksSomebody
      ? ranked
      : await shareOut({ database, authors, hasher, weights }, ranked, { ...request, level }),
    messagesSearched: statistics.wholes,
    exhaustive: seeds.exhaustive && ranked.length < rankedMax,
    semantic,
    factors,
  }
}

/** The text that stands for the queries where they are compared by meaning, and how long that is waited for. */
function meaningOf({ queries, mode }: RankRequest): { readonly text: string; readonly waitMs: number } {
  return {
    text: queries.map(({ topic }) => topic).join(' '),
    waitMs: mode === 'semantic' ? limits.searchMeaningOnlyMs : limits.searchMeaningMs,
  }
}

/** Others than the usual weights are those of who measures what each is worth. */
function weightsOf({ weights }: RankDependencies, learned: Factors | undefined): RankingWeights {
  return weights === undefined ? learnedWeights(learned) : { weights, factors: undefined }
}

function mustMatchOf(mode: RankRequest['mode'], known: HashedQueries): MustMatch {
  if (mode === 'semantic') return 'itself'
  if (known.required.length > 0) return 'words'
  return mode === 'full_text' || !asksMore(known) ? 'itself' : 'near'
}

/** The places that meaning led to. */
function placesOf(lists: readonly SemanticList[]): { readonly sessionId: string; readonly seq: number }[] {
  return lists.flatMap(({ matches }) => matches.map(({ sessionId, firstSeq }) => ({ sessionId, seq: firstSeq })))
}

/** The nearest of a list, as far as they are few among the messages that could be found, counting as much as was learned. */
function tellingOf(list: SemanticList, messages: number, factor = 1): SemanticList {
  return {
    weight: list.weight * factor,
    matches: list.matches.slice(
      0,
      Number.isFinite(messages) ? Math.min(countedMax, Math.ceil(messages * countedShare)) : undefined,
    ),
  }
}

/** A query in words of language, or of several words, may be a question whose answer need not repeat them; else a word is looked up. */
function asksMore({ terms, names }: HashedQueries): boolean {
  const named = new Set(names.map(({ group }) => group))
  const own = terms.filter(({ group, source }) => source !== 'added' && !named.has(group))
  const telling = own.filter(({ lowValue }) => !lowValue)
  return new Set(telling.map(({ group }) => group)).size > 1 || own.some(({ lowValue }) => lowValue)
}
