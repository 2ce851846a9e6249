import { limits } from '../../limits.ts'
import type { Viewer } from '../../model/access.ts'
import { parseQuery, withoutQuotes, type ParsedQuery } from '../../search/query/query-text.ts'
import { nameQuestion } from '../../search/rank-question.ts'
import { findByMeaning, type FoundByMeaning } from '../../search/ranking/find-by-meaning.ts'
import type { SearchDependencies } from '../../search/search.ts'

/** What somebody said, as a query. Quotes would be read as phrases that a result must hold. */
export function queryOf(text: string): ParsedQuery {
  return parseQuery(withoutQuotes(text).slice(0, limits.queryCharactersMax))
}

/**
 * What is near in meaning to what was said last, looked for once for all that a conversation points to: a vector costs more time
 * than all of the rest, and a model on this machine makes one after the other.
 */
export class Meaning {
  readonly #find: () => Promise<FoundByMeaning>
  readonly #text: string
  #found: Promise<FoundByMeaning> | undefined

  constructor(
    dependencies: SearchDependencies,
    { tenantId, principalId }: Viewer,
    { text, waitMs }: { readonly text: string; readonly waitMs: number },
  ) {
    // As a search for it compares, so that its vector is there where it was just searched for.
    this.#text = queryOf(text).topic
    const request = { tenantId, principalId, filter: {}, mode: 'hybrid' } as const
    this.#find = () => findByMeaning(dependencies, request, { text: this.#text, waitMs })
  }

  /** What was found, for the ranking of any query. */
  readonly find = (): Promise<FoundByMeaning> => (this.#found ??= this.#find())

  /** What the name of a ranking says of it: nothing where a search for the query compares the same. */
  nameBeside(query: ParsedQuery): string {
    return query.topic === this.#text ? '' : ` by ${nameQuestion({ query: this.#text, mode: 'semantic' })}`
  }
}
