import type { TermHasher } from '../indexing/terms.ts'
import { limits } from '../limits.ts'
import type { Database } from '../store/database.ts'
import { scoreUnits, type ScoredUnit, type UnitFilter } from '../store/score-units.ts'
import { corpusStatistics, messageLevel } from '../store/search-units.ts'
import { planTerms, type HashedTerm } from './bm25.ts'
import type { ParsedQuery } from './query-text.ts'

export interface RankedMessage {
  readonly sessionId: string
  readonly seq: number
  /** 1 for the best. */
  readonly lexicalRank: number
  readonly score: number
}

export interface LexicalRanking {
  readonly messages: readonly RankedMessage[]
  readonly messagesSearched: number
  /** True where no message that holds a telling term of the query was left out. */
  readonly exhaustive: boolean
}

export interface RankRequest {
  readonly tenantId: number
  readonly queries: readonly ParsedQuery[]
  readonly filter: UnitFilter
  /** Messages wanted at most. */
  readonly limit: number
}

interface HashedQuery {
  readonly terms: readonly HashedTerm[]
  /** The telling terms of each query: with several queries a unit must hold one of each. */
  readonly perQuery: readonly (readonly bigint[])[]
  /** The words of quoted phrases, of which a unit must hold every one. */
  readonly quoted: readonly (readonly bigint[])[]
}

/** All terms of all queries, hashed; forms of one word keep one group number across queries. */
function hashTerms(queries: readonly ParsedQuery[], hasher: TermHasher): HashedQuery {
  const terms: HashedTerm[] = []
  const perQuery: bigint[][] = []
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
    perQuery.push(hashed.filter(({ lowValue }) => !lowValue).map(({ term }) => term))
  }
  const words = new Set(queries.flatMap((query) => query.terms.map(({ term }) => term)))
  // A word that is not among the terms (a query has only so many) is checked in the text alone.
  const quotedWords = new Set(queries.flatMap(({ phrases }) => phrases.flat()).filter((word) => words.has(word)))
  return { terms, perQuery, quoted: [...quotedWords].map((word) => [hasher(word)]) }
}

/** The best part of a message stands for it. */
function bestParts(units: readonly ScoredUnit[]): RankedMessage[] {
  const seen = new Set<string>()
  const messages: RankedMessage[] = []
  for (const { sessionId, firstSeq, score } of units) {
    const key = `${sessionId} ${firstSeq}`
    if (seen.has(key)) continue
    seen.add(key)
    messages.push({ sessionId, seq: firstSeq, score, lexicalRank: messages.length + 1 })
  }
  return messages
}

/**
 * Ranks messages by BM25 over their parts. With several queries a message must match every one of them. Where even the
 * rarest word is too common to look at every message that holds it, messages with two of the words are looked at first.
 */
export async function rankLexically(
  database: Database,
  hasher: TermHasher,
  request: RankRequest,
): Promise<LexicalRanking> {
  const { tenantId, queries, filter, limit } = request
  const { terms, perQuery, quoted } = hashTerms(queries, hasher)
  const scope = { tenantId, level: messageLevel }
  const statistics = await database.run((sql) =>
    corpusStatistics(
      sql,
      scope,
      terms.map(({ term }) => term),
    ),
  )
  // Within one session there is little to look at, so every term may choose.
  const candidatesMax = filter.sessionId === undefined ? limits.searchCandidatesMax : Number.MAX_SAFE_INTEGER
  const plan = planTerms(terms, statistics, candidatesMax)
  const messagesSearched = statistics.wholes
  if (plan.essential.length === 0) return { messages: [], messagesSearched, exhaustive: true }

  const all = queries.length > 1 ? perQuery.filter((group) => group.length > 0) : []
  const run = (required: readonly (readonly bigint[])[]) =>
    database.run((sql) =>
      scoreUnits(sql, {
        ...scope,
        essential: plan.essential,
        terms: plan.terms,
        required: [...all, ...quoted, ...required],
        averageLength: Math.max(statistics.averageLength, 1),
        filter,
        candidatesMax: limits.searchCandidatesMax,
        limit: limit * 3 + 20,
      }),
    )
  const rarest = plan.essential[0]
  const others = plan.terms.map(({ term }) => term).filter((term) => term !== rarest)
  const isCommon = rarest !== undefined && (statistics.documents.get(rarest) ?? 0) > candidatesMax
  const narrowed = isCommon && others.length > 0 ? await run([others]) : undefined
  const isEnough = narrowed !== undefined && narrowed.units.length >= limit
  const looked = isEnough ? narrowed : await run([])
  const units = [...(isEnough ? [] : (narrowed?.units ?? [])), ...looked.units].toSorted((a, b) => b.score - a.score)
  const sawAll = !isEnough && looked.candidates < limits.searchCandidatesMax
  return { messages: bestParts(units).slice(0, limit), messagesSearched, exhaustive: plan.exhaustive && sawAll }
}
