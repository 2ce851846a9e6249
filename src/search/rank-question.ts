import { createHash } from 'node:crypto'

import { storeVersion } from '../store/store-version.ts'
import { withExpansion, type Expansion, type QueryExpander } from './query/expand-query.ts'
import type { ParsedQuery } from './query/query-text.ts'
import type { FilterInput } from './query/search-filter.ts'
import { rankMessages, type RankDependencies, type RankRequest } from './ranking/rank.ts'
import type { KeptRanking, RecentRankings } from './ranking/recent-rankings.ts'
import { weights as usualWeights } from './ranking/weights.ts'
import { waitForIndex } from './wait-for-index.ts'

export interface QuestionDependencies extends RankDependencies {
  /** Absent where no model is to add words to queries. */
  readonly expander?: QueryExpander | undefined
  /** Absent where every page is to be ranked anew. */
  readonly rankings?: RecentRankings | undefined
}

/** The queries as they are searched for, and what a model added to them. `full_text` looks for the query's own words alone. */
async function expand(
  { expander, weights = usualWeights }: QuestionDependencies,
  queries: readonly ParsedQuery[],
  { mode, tenantId }: Pick<RankRequest, 'mode' | 'tenantId'>,
): Promise<{ readonly queries: readonly ParsedQuery[]; readonly expansion?: Expansion | undefined }> {
  const expansion = mode === 'hybrid' ? await expander?.expand(queries, tenantId) : undefined
  if (expansion === undefined) return { queries }
  return { queries: queries.map((query) => withExpansion(query, expansion.words, weights.expansion)), expansion }
}

/** What is asked, as it was given. */
interface Question extends FilterInput {
  readonly query: string | readonly string[]
  readonly mode: RankRequest['mode']
}

/** A short name of what is asked: the query, the mode and the filters. */
export function nameQuestion({ query, mode, ...filters }: Question): string {
  const question = JSON.stringify({ query, mode, ...filters })
  return createHash('sha256').update(question).digest('base64url').slice(0, 12)
}

export interface RankedQuestion extends KeptRanking {
  /** Messages that were saved and could not be found yet. */
  readonly behind: number
}

/**
 * The same question is ranked once as long as nothing was changed. A ranking that lacked the index or the vectors is not kept;
 * one that lacked some vectors is, for who turns its pages and sees one order: a first page is ranked anew then.
 */
export async function rankQuestion(
  dependencies: QuestionDependencies,
  request: Omit<RankRequest, 'now'>,
  page: { readonly question: string; readonly isFirst: boolean },
): Promise<RankedQuestion> {
  const { database, rankings } = dependencies
  const { tenantId, principalId } = request
  const key = { tenantId, principalId, question: page.question }
  const kept = rankings?.find(key)
  // Before anything else: what is saved from now on makes another version, and no later page is served without it.
  const version = await database.run((sql) => storeVersion(sql, tenantId, kept?.version))
  const isGood = kept?.version === version && (kept.isComplete || !page.isFirst)
  rankings?.count(isGood)
  if (kept !== undefined && isGood) return { ...kept, expansion: withoutWait(kept.expansion), behind: 0 }
  const { queries, expansion } = await expand(dependencies, request.queries, request)
  const behind = await waitForIndex(database, tenantId)
  const ranking = await rankMessages(dependencies, { ...request, queries, now: new Date() })
  const { state, lists } = ranking.semantic
  const isComplete = (state === 'off' || state === 'on') && expansion?.reason === undefined
  const made = { ranking, queries, expansion, version, isComplete }
  if (behind === 0 && (state === 'off' || lists.length > 0)) rankings?.keep(key, made)
  return { ...made, behind }
}

/** What a model added to the query before was not waited for now. */
function withoutWait(expansion: Expansion | undefined): Expansion | undefined {
  return expansion === undefined ? undefined : { ...expansion, ms: 0 }
}
