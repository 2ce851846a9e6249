import type { TermHasher } from '../indexing/terms.ts'
import { limits } from '../limits.ts'
import type { Database } from '../store/database.ts'
import {
  scoreMessages,
  type ScoredMessage,
  type TermCondition,
  type UnitFilter,
  type UnitQuery,
} from '../store/score-units.ts'
import { corpusStatistics, messageLevel, type CorpusStatistics } from '../store/search-units.ts'
import { planTerms, type HashedTerm } from './bm25.ts'
import type { ParsedQuery } from './query-text.ts'

export interface RankedMessage {
  readonly sessionId: string
  readonly seq: number
  /** The part of a long message that matches best. */
  readonly part: number
  /** 1 for the best. */
  readonly lexicalRank: number
  readonly score: number
}

export interface LexicalRanking {
  readonly messages: readonly RankedMessage[]
  readonly messagesSearched: number
  /** True where no message that holds a telling word of the query was left out. */
  readonly exhaustive: boolean
}

export interface RankRequest {
  readonly tenantId: number
  readonly queries: readonly ParsedQuery[]
  readonly filter: UnitFilter
}

/** Messages that one search ranks. Every page of it ranks the same ones, so that pages neither repeat nor skip. */
export const rankedMax = 500
/** Below this many messages the rare words have not found enough, and messages with only the common words count too. */
const enoughMessages = 30
/** Of the newest units, this many are looked through for words that are in too many messages to look at each. */
const newestUnits = 1_000

interface HashedQuery {
  readonly terms: readonly HashedTerm[]
  /** What a message must hold besides: with several queries a word of each, and every quoted phrase. */
  readonly required: readonly TermCondition[]
}

/** All terms of all queries, hashed; forms of one word keep one group number across queries. */
function hashTerms(queries: readonly ParsedQuery[], hasher: TermHasher): HashedQuery {
  const terms: HashedTerm[] = []
  const required: TermCondition[] = []
  let groups = 0
  for (const query of queries) {
    const hashed = query.terms.map(({ term, weight, group, lowValue }) => ({
      term: hasher(term),
      weight,
      group: groups + group,
      lowValue,
    }))
    groups += 1 + Math.max(0, ...query.terms.map(({ group }) => group))
    terms.push(...hashed)
    const telling = hashed.filter(({ lowValue }) => !lowValue).map(({ term }) => term)
    if (queries.length > 1 && telling.length > 0) required.push({ any: telling })
    // A word that is not among the terms (a query has only so many) is checked in the text alone.
    const words = new Set(query.terms.map(({ term }) => term))
    for (const phrase of query.phrases) {
      const all = [...new Set(phrase.filter((word) => words.has(word)))].map(hasher)
      if (all.length > 0) required.push({ all })
    }
  }
  return { terms, required }
}

/** Units that meet a condition, at most. */
function documentsOf(condition: TermCondition, statistics: CorpusStatistics): number {
  const counts = ('any' in condition ? condition.any : condition.all).map((term) => statistics.documents.get(term) ?? 0)
  return 'any' in condition ? counts.reduce((sum, count) => sum + count, 0) : Math.min(...counts)
}

function merged(...lists: readonly (readonly ScoredMessage[])[]): ScoredMessage[] {
  const byPlace = new Map<string, ScoredMessage>()
  for (const message of lists.flat()) {
    const key = `${message.sessionId} ${message.seq}`
    if ((byPlace.get(key)?.score ?? -1) < message.score) byPlace.set(key, message)
  }
  return [...byPlace.values()].toSorted((a, b) => b.score - a.score)
}

/**
 * Ranks messages by BM25. Candidates are those with the rarest words, as many as the budget allows; where they are few,
 * also those with any telling word, the newest before others. A message must hold every quoted word, and with several
 * queries a word of each: then the rarest of these conditions chooses the candidates.
 */
export async function rankLexically(
  database: Database,
  hasher: TermHasher,
  request: RankRequest,
): Promise<LexicalRanking> {
  const { tenantId, queries, filter } = request
  const { terms, required } = hashTerms(queries, hasher)
  const scope = { tenantId, level: messageLevel }
  const hashes = terms.map(({ term }) => term)
  const statistics = await database.run((sql) => corpusStatistics(sql, scope, hashes))
  const plan = planTerms(terms, statistics)
  // The rarest of the conditions chooses the candidates, the others are checked on them.
  const [rarest, ...others] = required.toSorted((a, b) => documentsOf(a, statistics) - documentsOf(b, statistics))
  const run = (choice: Pick<UnitQuery, 'candidates' | 'newestUnits'>) =>
    database.run((sql) =>
      scoreMessages(sql, {
        ...scope,
        ...choice,
        terms: plan.terms,
        required: others,
        averageLength: Math.max(statistics.averageLength, 1),
        filter,
        candidatesMax: limits.searchCandidatesMax,
        limit: rankedMax,
      }),
    )
  const candidates = rarest ?? { any: plan.essential }
  const isOverBudget = documentsOf(candidates, statistics) > limits.searchCandidatesMax
  const first = await run({ candidates, newestUnits: isOverBudget ? newestUnits : 0 })
  const sawAll = first.candidates < limits.searchCandidatesMax
  const answers = (messages: readonly ScoredMessage[], exhaustive: boolean): LexicalRanking => ({
    messages: messages.slice(0, rankedMax).map((message, index) => ({ ...message, lexicalRank: index + 1 })),
    messagesSearched: statistics.wholes,
    exhaustive,
  })
  if (rarest !== undefined || plan.exhaustive || first.messages.length >= enoughMessages) {
    return answers(first.messages, sawAll && (rarest !== undefined || plan.exhaustive))
  }
  const all = plan.terms.map(({ term }) => term)
  const second = await run({ candidates: { any: all }, newestUnits })
  return answers(merged(first.messages, second.messages), second.candidates < limits.searchCandidatesMax)
}
