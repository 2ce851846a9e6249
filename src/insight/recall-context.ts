import { requireUsableSession } from '../capture/session-reference.ts'
import { limits } from '../limits.ts'
import type { Caller } from '../model/access.ts'
import { recordedDataNotice } from '../model/fence.ts'
import { textIfIntact } from '../search/hits.ts'
import { withoutQuotes } from '../search/query/query-text.ts'
import type { SearchReply } from '../search/reply.ts'
import type { SearchDependencies } from '../search/search.ts'
import { search } from '../search/search.ts'
import { readMessages } from '../store/messages.ts'

export interface RecallInput {
  readonly sessionId: string
  readonly maxTokens: number
  readonly format: 'text' | 'json'
}

/** How far back the newest turns are looked for, and how many of them say what the conversation is about now. */
const lookBack = 40
const turnsRead = 4
const turnCharacters = 1_000

/**
 * What other sessions hold about what this one is talking about: a search with the words of its newest turns. Empty
 * where nothing was said yet.
 */
export async function recallContext(
  dependencies: SearchDependencies,
  caller: Caller,
  input: RecallInput,
): Promise<SearchReply> {
  const session = await requireUsableSession(dependencies.database, caller, input.sessionId)
  const key = { tenantId: caller.tenantId, sessionId: session.id }
  const range = { fromSeq: Math.max(1, session.lastSeq - lookBack + 1), limit: lookBack, usable: true }
  const rows = await readMessages(dependencies.database, key, range)
  const turns = rows
    .filter((row) => row.kind === 'message' && (row.role === 'user' || row.role === 'assistant'))
    .slice(-turnsRead)
  const texts: string[] = []
  for (const row of turns) {
    const text = await textIfIntact(dependencies.archive, row)
    if (text !== undefined) texts.push(text.slice(0, turnCharacters))
  }
  // Quotes would be read as phrases that a result must hold.
  const query = withoutQuotes(texts.join('\n')).slice(0, limits.queryCharactersMax)
  if (!/[\p{L}\p{N}]/u.test(query)) {
    return {
      notice: recordedDataNotice,
      results: [],
      coverage: { mode: 'exhaustive', messages_searched: 0, semantic: 'off' },
      degraded: [],
    }
  }
  // Nobody waits for a model where the text of a conversation is the query.
  return search({ ...dependencies, expander: undefined, rankings: undefined }, caller, {
    query,
    limit: limits.searchHitsDefault,
    maxTokens: input.maxTokens,
    mode: 'hybrid',
    notSessionId: session.id,
    context: 1,
    format: input.format,
  })
}
