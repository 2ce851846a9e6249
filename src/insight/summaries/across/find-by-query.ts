import { limits } from '../../../limits.ts'
import type { Caller } from '../../../model/access.ts'
import { isFlagged } from '../../../model/messages/message-flags.ts'
import type { SearchMessage } from '../../../search/reply.ts'
import { search, type SearchDependencies } from '../../../search/search.ts'
import { messageBody } from '../../../sessions/message-body.ts'
import { flagsOfMessage } from '../../../sessions/message-flags.ts'
import { readPlaces } from '../../../store/messages.ts'
import type { MessageToSummarize } from '../../extracts/candidates.ts'
import { cutTurn } from '../by-model/read-piece.ts'
import { turnOf } from '../by-model/turns.ts'
import { lackOf } from '../render-summary.ts'
import { Answering } from './answering.ts'
import type { AcrossQuestion, FoundAcross } from './find-across.ts'

/** Messages that are read at once, of up to 8 MiB each. */
const placesPerRead = 8

type QueryQuestion = AcrossQuestion & { readonly query: string }

/** What was said about a query; where nothing was, what tools have answered. Of these many are found, and few say anything in sentences. */
export async function findSaid(
  dependencies: SearchDependencies,
  caller: Caller,
  question: QueryQuestion,
): Promise<FoundAcross> {
  const said = await findByQuery(dependencies, caller, { ...question, roles: ['!tool'] })
  return said.quotable.length > 0 ? said : await findByQuery(dependencies, caller, question)
}

/** The messages that a search finds, with their neighbours, and which of their sentences say something about the query. */
export async function findByQuery(
  dependencies: SearchDependencies,
  caller: Caller,
  question: QueryQuestion & { readonly roles?: readonly string[] },
): Promise<FoundAcross> {
  const {
    results,
    degraded,
    next_cursor: next,
  } = await search(
    dependencies,
    // What is found is shown to nobody before it is summarised, and that is shown as the caller may see it.
    { ...caller, view: undefined },
    {
      ...question,
      limit: limits.summaryHitsMax,
      maxTokens: limits.resultTokensMax,
      mode: 'hybrid',
      context: 1,
      format: 'json',
    },
  )
  const places = results.flatMap(({ session_id: sessionId, messages }) =>
    messages.map(({ seq }) => ({ sessionId, seq })),
  )
  const hits = new Set(results.flatMap(({ messages }) => messages.filter(isTelling).map(({ id }) => id)))
  const answering = await Answering.about(question.query, dependencies, caller.tenantId)
  const found = new Map<string, MessageToSummarize[]>()
  let leftOut = 0
  let unreadable = 0
  let room: number = limits.summaryPieceCharacters
  for (let at = 0; at < places.length && room > 0; at += placesPerRead) {
    const some = places.slice(at, at + placesPerRead)
    for (const row of await readPlaces(dependencies.database, caller.tenantId, { places: some })) {
      if (row.kind !== 'message' || row.isRestricted === true || row.correctedById !== undefined) continue
      const body = await messageBody(dependencies.archive, row)
      if ('error' in body) unreadable++
      else if (isFlagged(row.flags ?? flagsOfMessage(row, body.payload))) leftOut++
      else {
        const turn = turnOf(row, body.payload)
        const shown = { ...turn, text: cutTurn(turn) }
        // All of it is read for what answers, as that may stand far behind.
        if (hits.has(turn.id)) answering.read(turn)
        room -= shown.text.length
        found.set(row.sessionId, [...(found.get(row.sessionId) ?? []), shown])
      }
    }
  }
  const sessions = [...found]
    .map(([sessionId, turns]) => ({ sessionId, turns: turns.toSorted((a, b) => a.seq - b.seq) }))
    // Our ids are in the order in which sessions were opened.
    .toSorted((a, b) => (a.sessionId < b.sessionId ? -1 : 1))
  const messagesRead = sessions.reduce((sum, { turns }) => sum + turns.length, 0)
  return {
    sessions,
    quotable: answering.sentencesOf(sessions.flatMap(({ turns }) => turns.map(({ id }) => id))),
    messagesRead,
    leftOut,
    hasMore: next !== undefined,
    degraded: [...degraded, ...lackOf(unreadable)],
  }
}

/** A message that is found by what it says itself, and not by what stands around it. */
function isTelling({ hit }: SearchMessage): boolean {
  return hit !== undefined && (hit.why.terms.length > 0 || hit.why.semantic_rank !== undefined)
}
