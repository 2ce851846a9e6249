import { z } from 'zod'

import { InputError, LimitError, UnavailableError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Caller } from '../model/access.ts'
import type { Caches } from '../model/caches.ts'
import { decodeCursor, encodeCursor } from '../model/cursor.ts'
import type { SearchMode } from '../model/search-mode.ts'
import type { NameKind, UnknownName } from '../model/unknown-name.ts'
import type { ArchiveStore } from '../ports/archive-store.ts'
import { unknownNames } from '../store/known-names.ts'
import type { NameFilter, UnitFilter } from '../store/search/unit-filter.ts'
import { sessionsById } from '../store/sessions.ts'
import { damaged, notIndexedYet } from './degraded.ts'
import { fitReply } from './fit-reply.ts'
import { readHits } from './hits.ts'
import { neighboursOf } from './neighbours-of.ts'
import { parseQuery, type ParsedQuery } from './query/query-text.ts'
import { filterNames, readFilter, type FilterInput } from './query/search-filter.ts'
import { nameQuestion, rankQuestion, type QuestionDependencies } from './rank-question.ts'
import { rankedMax } from './ranking/find-seeds.ts'
import type { Ranking } from './ranking/rank.ts'
import type { SearchReply } from './reply.ts'
import { asSeenBy } from './seen-by.ts'
import type { SearchUse } from './use/search-use.ts'

export interface SearchDependencies extends QuestionDependencies {
  readonly archive: ArchiveStore
  /** Where what is kept has its room; absent for the usual amount. */
  readonly caches?: Caches | undefined
  /** Gives the key of pseudonyms; absent where none is kept. */
  readonly pseudonymKey?: (() => Promise<Uint8Array>) | undefined
  /** Keeps in mind what was shown; absent where nothing is to be learned of it. */
  readonly use?: SearchUse | undefined
}

export interface SearchInput extends FilterInput {
  /** One query, or 2 to 5 that a message must all match. */
  readonly query: string | readonly string[]
  readonly limit: number
  readonly maxTokens: number
  readonly mode: SearchMode
  /** Neighbouring messages on each side of a hit. */
  readonly context: number
  readonly format: 'text' | 'json'
  /** Longest text of one message, where the budget would allow more. */
  readonly textCharactersMax?: number | undefined
  readonly cursor?: string | undefined
}

function readQueries(query: string | readonly string[]): ParsedQuery[] {
  const queries = typeof query === 'string' ? [query] : query
  const characters = queries.reduce((sum, text) => sum + text.length, 0)
  if (characters > limits.queryCharactersMax) {
    throw new LimitError('search', {
      what: 'the length of the query in characters',
      limit: limits.queryCharactersMax,
      actual: characters,
    })
  }
  if (queries.length === 0 || queries.length > limits.querySet) {
    throw new InputError(
      `Cannot search for ${queries.length} queries at once as 1 to ${limits.querySet} can be combined`,
    )
  }
  const parsed = queries.map(parseQuery)
  if (parsed.some(({ terms }) => terms.length === 0)) {
    throw new InputError('Cannot search as the query holds no word, number or emoji: other marks are not looked for', {
      remedy: 'Search for words of the message, or call list_sessions to browse',
    })
  }
  return parsed
}

/** A page of a search belongs to its query and filters: the cursor of another search would skip results. */
function fingerprint(input: SearchInput): string {
  const {
    cursor: _cursor,
    format: _format,
    maxTokens: _maxTokens,
    limit: _limit,
    context: _context,
    textCharactersMax: _textCharactersMax,
    ...question
  } = input
  return nameQuestion(question)
}

function requireSemantic({ semantic }: SearchDependencies, input: SearchInput): void {
  if (input.mode !== 'semantic' || semantic !== undefined) return
  throw new InputError('Cannot search by meaning alone as this store has no embedder', {
    remedy: 'Use mode "hybrid" or "full_text"',
  })
}

/** Why meaning did not count, or not all of it. A search by meaning alone that could look at nothing is no answer. */
function semanticTrouble({ semantic }: Ranking, mode: SearchInput['mode']): string[] {
  if (mode === 'semantic' && semantic.reason !== undefined && semantic.lists.length === 0) {
    throw new UnavailableError(`Cannot search by meaning: ${semantic.reason}`, {
      remedy: 'Use mode "hybrid" or "full_text", or try again later',
    })
  }
  // That vectors are still being made is the state of a young store and no fault: `coverage.semantic` says it.
  const isWorthSaying = mode === 'semantic' || semantic.state === 'unavailable'
  return semantic.reason === undefined || !isWorthSaying ? [] : [`semantic search: ${semantic.reason}`]
}

/** Of the names that a search is narrowed to those that no session has. Whoever may see no personal data is told no names. */
async function namesNobodyHas(
  { database }: SearchDependencies,
  caller: Caller,
  { participants, models, tags }: UnitFilter,
): Promise<readonly UnknownName[]> {
  if (caller.view !== undefined) return []
  const of = (kind: NameKind, names: NameFilter | undefined) => (names?.any ?? []).map((name) => ({ kind, name }))
  const wanted = [...of('participant', participants), ...of('model', models), ...of('tag', tags)]
  return await database.run((sql) => unknownNames(sql, caller, wanted))
}

const placeSchema = z.object({ query: z.string(), offset: z.number().int().min(0).max(rankedMax) })

/**
 * Finds messages by their words, best first, each inside the messages around it. What was saved before the call is found;
 * where the index is still behind (a large import), `degraded` says by how much. Errors: InputError, LimitError,
 * NotFoundError, UnavailableError.
 */
export async function search(
  dependencies: SearchDependencies,
  caller: Caller,
  input: SearchInput,
): Promise<SearchReply> {
  requireSemantic(dependencies, input)
  const asked = readQueries(input.query)
  const filter = await readFilter(dependencies.database, caller, input)
  const question = fingerprint(input)
  const offset =
    input.cursor === undefined
      ? 0
      : decodeCursor(
          'search',
          input.cursor,
          placeSchema.refine(({ query }) => query === question),
        ).offset

  const { ranking, queries, expansion, behind } = await rankQuestion(
    dependencies,
    { tenantId: caller.tenantId, principalId: caller.principalId, queries: asked, filter, mode: input.mode },
    { question, isFirst: offset === 0 },
  )
  const trouble = semanticTrouble(ranking, input.mode)
  const found = await readHits(dependencies, {
    tenantId: caller.tenantId,
    queries,
    ranked: ranking.messages,
    offset,
    limit: input.limit,
  })
  const sessionIds = [...new Set(found.hits.map(({ message }) => message.sessionId))]
  const [neighbours, sessions] = await Promise.all([
    neighboursOf(dependencies, found.hits, { tenantId: caller.tenantId, each: input.context }),
    sessionsById(dependencies.database, caller.tenantId, sessionIds),
  ])
  const shown = await asSeenBy({ ...dependencies, caller }, { hits: found.hits, neighbours, sessions }, queries)
  const reply = fitReply(
    {
      hits: shown.hits,
      neighbours: shown.neighbours,
      sessions: new Map(shown.sessions.map((session) => [session.id, session])),
      filters: filterNames(filter),
      firstRank: offset + 1,
      coverage: {
        mode: ranking.exhaustive && behind === 0 ? 'exhaustive' : 'top_k',
        messages_searched: ranking.messagesSearched,
        semantic: ranking.semantic.state,
        ...(ranking.factors === undefined ? {} : { ranking: 'learned' as const }),
        ...(expansion === undefined ? {} : { expansion: { added: expansion.words, ms: expansion.ms } }),
      },
      degraded: [
        ...trouble,
        ...(expansion?.reason === undefined ? [] : [`query expansion: ${expansion.reason}`]),
        ...(behind === 0 ? [] : [notIndexedYet(behind)]),
        ...(found.unreadable.length === 0 ? [] : [damaged(found.unreadable.length, 'matching message')]),
      ],
      unknownNames: found.hits.length > 0 ? [] : await namesNobodyHas(dependencies, caller, filter),
      cursorAfter: (count) =>
        found.more || count < found.hits.length
          ? encodeCursor('search', { query: question, offset: offset + count })
          : undefined,
    },
    { maxTokens: input.maxTokens, format: input.format, textCharactersMax: input.textCharactersMax ?? Infinity },
  )
  dependencies.use?.shown(caller, { hits: found.hits, ranking, reply })
  return reply
}
