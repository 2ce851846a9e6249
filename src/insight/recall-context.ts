import { requireUsableSession } from '../capture/session-reference.ts'
import { InputError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Caller } from '../model/access.ts'
import { estimateTokens } from '../model/tokens.ts'
import { readHits } from '../search/hits.ts'
import { neighboursOf } from '../search/neighbours-of.ts'
import { fitReply, type SearchReply } from '../search/reply.ts'
import type { SearchDependencies } from '../search/search.ts'
import { asSeenBy } from '../search/seen-by.ts'
import { usablePlaces } from '../store/access/usable-places.ts'
import { sessionsById } from '../store/sessions.ts'
import type { FactDocument } from './learning/list-facts.ts'
import { recallFacts } from './learning/recall-facts.ts'
import { predict, type Prediction, type Reason } from './prediction/predict.ts'
import type { RecentPredictions } from './prediction/recent-predictions.ts'
import { fitNames, relatedNames, type NamingMessage } from './prediction/related-names.ts'
import { renderFacts } from './render-facts.ts'

export interface RecallInput {
  /** The conversation that is recalled for; by its newest turns alone where no text is given. */
  readonly sessionId?: string | undefined
  /** What is being said now. */
  readonly text?: string | undefined
  readonly maxTokens: number
  readonly format: 'text' | 'json'
}

export interface RecallDependencies extends SearchDependencies {
  /** Absent where nothing is made ahead. */
  readonly predictions?: RecentPredictions | undefined
}

/** What was said before, and what was learned of it. */
export interface RecallReply extends SearchReply {
  readonly facts: readonly FactDocument[]
  /** What else is named in what was found, beyond the messages that are shown. */
  readonly names: readonly NamingMessage[]
}

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

/**
 * What older messages hold that a conversation is likely to need: those of other sessions, and of its own what was said long
 * ago. Each says why it was chosen. Empty where nothing was said yet. Errors: InputError, NotFoundError, UnavailableError.
 */
export async function recallContext(
  dependencies: RecallDependencies,
  caller: Caller,
  input: RecallInput,
): Promise<RecallReply> {
  const prediction = await predictionFor(dependencies, caller, input)
  const { tenantId } = caller
  // It may have been made before something was restricted, corrected or closed to the caller.
  const ranked = await usablePlaces(dependencies.database, caller, prediction.messages)
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
      maxTokens: Math.floor(input.maxTokens * factsShare),
      charactersMax: Math.floor(limits.searchReplyCharactersMax * factsShare),
    }),
    relatedNames(dependencies, caller, { places: ranked, named: prediction.named }),
  ])
  const namesMax = Math.min(limits.searchReplyCharactersMax, input.maxTokens * charactersAToken) * namesShare
  const namesTaken = JSON.stringify(fitNames(related, namesMax), null, 2)
  const shown = await asSeenBy(caller, { hits: found.hits, neighbours, sessions }, prediction.queries)
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
        ...(prediction.behind === 0 ? [] : [`${prediction.behind} recently saved messages are not indexed yet`]),
        ...(found.unreadable.length === 0
          ? []
          : [`${found.unreadable.length} recalled messages are damaged: run "verbatim verify"`]),
      ],
      cursorAfter: () => undefined,
    },
    {
      maxTokens: input.maxTokens - learned.tokens - estimateTokens(namesTaken),
      format: input.format,
      textCharactersMax: Infinity,
      charactersTaken: charactersOf(learned.facts, input.format) + namesTaken.length,
    },
  )
  const texts = reply.results.flatMap(({ messages }) => messages.map(({ text }) => text)).join('\n')
  const names = fitNames(
    related.filter(({ name }) => !texts.includes(name)),
    namesMax,
  )
  for (const { session_id: id, seq } of names) caller.call?.show(id, [seq])
  return { ...reply, facts: learned.facts, names }
}

function charactersOf(facts: readonly FactDocument[], format: 'text' | 'json'): number {
  return format === 'text' ? renderFacts(facts).length : JSON.stringify(facts, null, 2).length
}

/** From what was made ahead, where it knows all of the session. */
async function predictionFor(
  dependencies: RecallDependencies,
  caller: Caller,
  { sessionId, text }: RecallInput,
): Promise<Prediction> {
  if (sessionId === undefined && text === undefined)
    throw new InputError('Cannot recall anything as neither a session nor a text was given', {
      remedy: 'Give session_id, or text, or both',
    })
  if (sessionId === undefined) return await predict(dependencies, caller, { text })
  const session = await requireUsableSession(dependencies.database, caller, sessionId)
  if (text !== undefined) return await predict(dependencies, caller, { session, text })
  dependencies.predictions?.ask({ ...caller, sessionId: session.id })
  return await predictAhead(dependencies, caller, session)
}

/** What a session will need, kept for who asks next. */
export async function predictAhead(
  dependencies: RecallDependencies,
  caller: Caller,
  session: { readonly id: string; readonly lastSeq: number; readonly version: number },
): Promise<Prediction> {
  const { predictions } = dependencies
  const key = { tenantId: caller.tenantId, principalId: caller.principalId, sessionId: session.id }
  const kept = predictions?.find(key, session.version)
  if (kept !== undefined) return kept
  const made = await predict(dependencies, caller, { session })
  // What lacked messages that are not indexed yet is not worth keeping.
  if (made.behind === 0) predictions?.keep(key, session.version, made)
  return made
}
