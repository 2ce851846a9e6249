import { standingTerm } from '../../indexing/terms/field-terms.ts'
import type { TermHashers } from '../../indexing/terms/term-hashers.ts'
import type { TermHasher } from '../../indexing/terms/terms.ts'
import type { Database } from '../../store/database.ts'
import { readFactors, type Factors } from '../../store/learning/ranking-weights.ts'
import { corpusStatistics, levelOfTerms, type CorpusStatistics } from '../../store/search/search-units.ts'
import type { ParsedQuery } from '../query/query-text.ts'
import { hashQueries, type HashedQueries } from './hash-queries.ts'
import type { Weights } from './weights.ts'

export interface LookUpDependencies {
  readonly database: Database
  readonly hashers: TermHashers
  readonly learnsRanking?: boolean | undefined
  readonly weights: Weights
}

/** What is known before anything is searched. */
interface LookedUp {
  /** Of the units that are to be looked at. */
  readonly level: number
  readonly hashed: HashedQueries
  /** How the words of these units are hashed. */
  readonly hasher: TermHasher
  /** By which standing instructions are found. */
  readonly standing: bigint
  readonly statistics: CorpusStatistics
  /** What was learned of use; undefined where the usual weights hold. */
  readonly factors: Factors | undefined
}

/** A conversion of the store changes the index once. */
const lookUpsMax = 3

/** The words of the queries as the index has them. Again where the index is another than this process knew. */
export async function lookUp(
  { database, hashers, weights, learnsRanking }: LookUpDependencies,
  { tenantId, queries }: { readonly tenantId: number; readonly queries: readonly ParsedQuery[] },
): Promise<LookedUp> {
  for (let attempt = 1; ; attempt++) {
    const { version, hasher } = await hashers.of(tenantId)
    const hashed = hashQueries(queries, { hasher, weights })
    const standing = hasher(standingTerm)
    const hashes = [...[...hashed.terms, ...hashed.names].map(({ term }) => term), standing]
    const level = levelOfTerms(version)
    // Together, as a search has no time for one more journey.
    const [statistics, factors] = await database.run((sql) =>
      Promise.all([
        corpusStatistics(sql, { tenantId, level }, hashes),
        learnsRanking === true ? readFactors(sql, tenantId) : undefined,
      ]),
    )
    if (statistics.units > 0) hashers.noteIndexed(tenantId)
    if (statistics.termsVersion === version || attempt === lookUpsMax)
      return { level, hashed, hasher, standing, statistics, factors }
    hashers.forget(tenantId)
  }
}
