import { senderTerm } from '../../indexing/terms/field-terms.ts'
import type { TermHasher } from '../../indexing/terms/terms.ts'
import type { TermCondition } from '../../store/search/score-units.ts'
import type { CorpusStatistics } from '../../store/search/search-units.ts'
import type { ParsedQuery, QueryTerm } from '../query/query-text.ts'
import type { HashedTerm } from './bm25.ts'
import type { Weights } from './weights.ts'

/** The terms of all queries of a search as the index knows them. Forms of one word keep one group number across queries. */
export interface HashedQueries {
  readonly terms: readonly HashedTerm[]
  /** Words that may be names, as the index marks senders: which of them are, the statistics tell. */
  readonly names: readonly { readonly term: bigint; readonly group: number }[]
  /** What a message must hold besides: with several queries a word of each, and every quoted phrase. */
  readonly required: readonly TermCondition[]
  /** The words of each title that is preferred. */
  readonly titles: readonly (readonly bigint[])[]
}

export function hashQueries(
  queries: readonly ParsedQuery[],
  { hasher, weights }: { readonly hasher: TermHasher; readonly weights: Weights },
): HashedQueries {
  const terms: HashedTerm[] = []
  const names: { term: bigint; group: number }[] = []
  const required: TermCondition[] = []
  const titles: bigint[][] = []
  let groups = 0
  for (const query of queries) {
    const hashed = query.terms.map((term) => ({
      term: hasher(term.term),
      weight: term.weight * wordFactor(term, weights),
      group: groups + term.group,
      lowValue: term.lowValue,
      source: term.source,
    }))
    const own = query.terms
      .filter(({ mayBeName }) => mayBeName)
      .map(({ term, group }) => ({ term: hasher(senderTerm(term)), group: groups + group }))
    names.push(...own)
    groups += 1 + Math.max(0, ...query.terms.map(({ group }) => group))
    terms.push(...hashed)
    const telling = hashed.filter(({ lowValue, source }) => !lowValue && source !== 'asking').map(({ term }) => term)
    // Who wrote it is a word of a message too.
    if (queries.length > 1 && telling.length > 0) required.push({ any: [...telling, ...own.map(({ term }) => term)] })
    // A word that is not among the terms (a query has only so many) is checked in the text alone.
    const words = new Set(query.terms.map(({ term }) => term))
    const hashesOf = (phrase: readonly string[]) => [...new Set(phrase.filter((word) => words.has(word)))].map(hasher)
    for (const all of query.phrases.flatMap(stretchesOf).map(hashesOf)) if (all.length > 0) required.push({ all })
    titles.push(...query.titles.map(hashesOf).filter((title) => title.length > 0))
  }
  return { terms, names, required, titles }
}

/** Half of what a part of a long message has of the next one, as more than a space may stand between two words there. */
const stretchCharactersMax = 60

/** A phrase in stretches that a part of a message has whole, also where a border cuts the phrase. */
function stretchesOf(phrase: readonly string[]): (readonly string[])[] {
  const stretches: string[][] = []
  let characters = Infinity
  for (const word of phrase) {
    characters += word.length + 1
    if (characters > stretchCharactersMax) {
      stretches.push([])
      characters = word.length + 1
    }
    stretches.at(-1)?.push(word)
  }
  return stretches
}

/** What kind of word it is, beside a word that tells something. */
function wordFactor({ lowValue, source, isProperName }: QueryTerm, weights: Weights): number {
  if (source === 'asking') return weights.asking
  return lowValue ? weights.functionWord : isProperName ? weights.properName : 1
}

/**
 * Names of people who write, told by the statistics: their words count less as words of the text, and a message of theirs
 * more. A query of nothing but names looks for them as senders too.
 */
export function recogniseNames(
  queries: HashedQueries,
  { statistics, weights }: { readonly statistics: CorpusStatistics; readonly weights: Weights },
): HashedQueries {
  const names = queries.names.filter(({ term }) => (statistics.documents.get(term) ?? 0) > 0)
  const named = new Set(names.map(({ group }) => group))
  const isTelling = queries.terms.some(
    ({ group, lowValue, source }) => !lowValue && source === 'asked' && !named.has(group),
  )
  if (isTelling) {
    const terms = queries.terms.map((term) =>
      named.has(term.group) ? { ...term, weight: term.weight * weights.name } : term,
    )
    // Who writes "I" says as much as their name: it weighs as the word does, and chooses no candidates.
    const asSaid = names.map(({ term, group }) => ({
      term,
      group,
      weight: weights.name,
      lowValue: true,
      source: 'asked' as const,
    }))
    return { ...queries, terms: [...terms, ...asSaid], names }
  }
  const asSenders = names.map(({ term, group }) => ({
    term,
    group,
    weight: 1,
    lowValue: false,
    source: 'asked' as const,
  }))
  return { ...queries, terms: [...queries.terms, ...asSenders], names }
}
