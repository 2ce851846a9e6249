import { limits } from '../../limits.ts'
import type { Caller } from '../../model/access.ts'
import { estimateTokens } from '../../model/text/tokens.ts'
import { damaged, notIndexedYet } from '../../search/degraded.ts'
import { fitReply } from '../../search/fit-reply.ts'
import { readHits } from '../../search/hits.ts'
import { neighboursOf } from '../../search/neighbours-of.ts'
import type { SearchDependencies } from '../../search/search.ts'
import { asSeenBy } from '../../search/seen-by.ts'
import { sessionsById } from '../../store/sessions.ts'
import type { FactDocument } from '../learning/list-facts.ts'
import { recallFacts } from '../learning/recall-facts.ts'
import { renderFacts } from '../learning/render-facts.ts'
import type { Prediction, Reason } from '../prediction/predict.ts'
import { fitNames, relatedNames } from '../prediction/related-names.ts'
import { placesOf, type Place, type RecallOptions, type RecallReply } from './recall-reply.ts'

/** Of the reply, what was learned takes so much at most: the words themselves say more. */
const factsShare = 0.25
const namesShare = 0.3
/** Of names and paths. */
const charactersAToken = 3

const reasons: { readonly [reason in Reason]: string } = {
  turns: 'is about what the newest turns say',
  question: 'is about what was asked last',
  names: 'names the same files, errors or names',
  followed: 'followed on something similar',
}

interface RecallOf extends RecallOptions {
  readonly prediction: Prediction
  /** Of its messages those that the caller may use now. */
  readonly ranked: Prediction['messages']
}

interface MadeRecall {
  readonly reply: RecallReply
  /** What it shows, and what stands behind that. */
  readonly restsOn: { readonly places: readonly Place[]; readonly factIds: readonly string[] }
}

/** The reply that a prediction makes: its messages with what stands beside them, what was learned, and what else is named. */
export async function makeRecall(
  dependencies: SearchDependencies,
  caller: Caller,
  { prediction, ranked, maxTokens, format }: RecallOf,
): Promise<MadeRecall> {
  const { tenantId } = caller
  const found = await readHits(dependencies, {
    tenantId,
    queries: prediction.queries,
    ranked,
    offset: 0,
    limit: limits.recalledMessages,
  })
  const sessionIds = [...new Set(found.hits.map(({ message }) => message.sessionId))]
  const [neighbours, sessions, learned, related] = await Promise.all([
    neighboursOf(dependencies, found.hits, { tenantId, each: 1 }),
    sessionsById(dependencies.database, tenantId, sessionIds),
    recallFacts(dependencies, caller, {
      text: prediction.queries.map((query) => query.text).join('\n'),
      notSessionId: prediction.sessionId,
      maxTokens: Math.floor(maxTokens * factsShare),
      charactersMax: Math.floor(limits.searchReplyCharactersMax * factsShare),
    }),
    relatedNames(dependencies, caller, { places: ranked, named: prediction.named, read: found.hits }),
  ])
  const namesMax = Math.min(limits.searchReplyCharactersMax, maxTokens * charactersAToken) * namesShare
  const namesTaken = JSON.stringify(fitNames(related, namesMax), null, 2)
  const shown = await asSeenBy(
    { ...dependencies, caller },
    { hits: found.hits, neighbours, sessions },
    prediction.queries,
  )
  const kinds = new Map(ranked.map((message) => [`${message.sessionId} ${message.seq}`, message.kinds]))
  const reply = fitReply(
    {
      hits: shown.hits,
      neighbours: shown.neighbours,
      sessions: new Map(shown.sessions.map((session) => [session.id, session])),
      filters: [],
      firstRank: 1,
      reasonsOf: ({ sessionId, seq }) => (kinds.get(`${sessionId} ${seq}`) ?? []).map((kind) => reasons[kind]),
      coverage: { mode: 'top_k', messages_searched: prediction.messagesSearched, semantic: prediction.semantic },
      degraded: [
        ...(prediction.trouble === undefined ? [] : [`semantic search: ${prediction.trouble}`]),
        ...(prediction.behind === 0 ? [] : [notIndexedYet(prediction.behind)]),
        ...(found.unreadable.length === 0 ? [] : [damaged(found.unreadable.length, 'recalled message')]),
      ],
      cursorAfter: () => undefined,
    },
    {
      maxTokens: maxTokens - learned.tokens - estimateTokens(namesTaken),
      format,
      textCharactersMax: Infinity,
      charactersTaken: charactersOf(learned.facts, format) + namesTaken.length,
    },
  )
  const texts = reply.results.flatMap(({ messages }) => messages.map(({ text }) => text)).join('\n')
  const names = fitNames(
    related.filter(({ name }) => !texts.includes(name)),
    namesMax,
  )
  const made = { ...reply, facts: learned.facts, names }
  const places = [...placesOf(made), ...learned.toldAt.map(({ sessionId, seq }) => ({ sessionId, seq }))]
  return { reply: made, restsOn: { places, factIds: learned.facts.map(({ id }) => id) } }
}

function charactersOf(facts: readonly FactDocument[], format: 'text' | 'json'): number {
  return format === 'text' ? renderFacts(facts).length : JSON.stringify(facts, null, 2).length
}
