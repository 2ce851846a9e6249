import { limits } from '../../src/limits.ts'
import type { Verbatim } from '../../src/verbatim.ts'
import type { BenchHome } from '../bench-home.ts'
import type { Question } from './dataset.ts'

export const firstHitsCount = 10

/** The first ten messages that a search within the question's conversation finds, best first. */
export async function firstHits(
  verbatim: Verbatim,
  home: BenchHome,
  question: Question,
): Promise<readonly { readonly id: string; readonly sessionId: string }[]> {
  const reply = await verbatim.search(home.caller, {
    query: question.question,
    tags: [question.conversation],
    mode: 'hybrid',
    limit: firstHitsCount,
    context: 0,
    maxTokens: limits.resultTokensMax,
    format: 'json',
    // So that ten of them fit into one reply.
    textCharactersMax: 100,
  })
  // A vector that came too late would count as a move that brings nothing.
  if (!['on', 'off'].includes(reply.coverage.semantic))
    throw new Error('A search did without the vectors that are there')
  return reply.results
    .flatMap(({ session_id: sessionId, messages }) =>
      messages.flatMap(({ id, hit }) => (hit === undefined ? [] : [{ id, sessionId, rank: hit.rank }])),
    )
    .toSorted((a, b) => a.rank - b.rank)
}
