import { limits } from '../../limits.ts'
import type { Caller } from '../../model/access.ts'
import { textIfIntact } from '../../search/hits.ts'
import type { ParsedQuery } from '../../search/query/query-text.ts'
import { readFilter } from '../../search/query/search-filter.ts'
import { nameQuestion, rankQuestion, type RankedQuestion } from '../../search/rank-question.ts'
import { placeKey } from '../../search/ranking/conversation.ts'
import type { RankedMessage } from '../../search/ranking/rank.ts'
import type { SemanticState } from '../../search/ranking/semantic.ts'
import type { SearchDependencies } from '../../search/search.ts'
import { waitForIndex } from '../../search/wait-for-index.ts'
import { nearSeqMax, neighbouringPlaces } from '../../store/neighbours.ts'
import { pagedMessages } from '../../store/page-messages.ts'
import { fuseSignals, type Predicted, type RankedList } from './fuse-signals.ts'
import { Meaning, queryOf } from './meaning.ts'
import { namesIn, newestWords, readSignals, type Signal, type SignalKind, type Turn } from './read-signals.ts'

/** Why something is recalled: what of the conversation led to it, or that it followed what is like the newest turns. */
export type Reason = SignalKind | 'followed'

/** What a conversation will need, as places: texts are read when it is shown, as their reader may see them. */
export interface Prediction {
  /** Undefined where no session was asked about. */
  readonly sessionId: string | undefined
  /** The newest message of the session that counted; 0 where no session was asked about. */
  readonly lastSeq: number
  readonly queries: readonly ParsedQuery[]
  readonly messages: readonly Predicted<Reason>[]
  /** What the newest turns name themselves. */
  readonly named: readonly string[]
  readonly messagesSearched: number
  readonly semantic: SemanticState
  /** Why only words led here, where meaning was to count. */
  readonly trouble: string | undefined
  /** Messages that were saved and could not be found yet. */
  readonly behind: number
}

/** A session that is recalled for. */
export interface RecalledSession {
  readonly id: string
  readonly lastSeq: number
}

/** How far back the newest turns are looked for. What stands there is not recalled: it is still before the model's eyes. */
const lookBack = 40
const readBytesMax = 256 * 1024
const readCharacters = 4_000
/** Of each search so many count, and of all together so many are kept. */
const listMax = 60
const keptMax = 100
/** Of the best of other conversations the next turns are looked at: what came after it then may come now. */
const situationsMax = 4
const followingTurns = 3
const weights: { readonly [reason in Reason]: number } = { turns: 1, question: 0.8, names: 1, followed: 0.5 }

/** The newest turns of a session, and what tools said among them: errors are named there. */
async function newestTurns(
  { database, archive }: SearchDependencies,
  tenantId: number,
  session: RecalledSession,
): Promise<Turn[]> {
  const { lastSeq: toSeq } = session
  // A listing or an image of this size says nothing that is worth its reading after each save.
  const range = { fromSeq: Math.max(1, toSeq - lookBack + 1), toSeq, usable: true, payloadBytesMax: readBytesMax }
  const turns: Turn[] = []
  for await (const rows of pagedMessages(database, { tenantId, sessionId: session.id }, range))
    for (const row of rows) {
      if (row.kind !== 'message') continue
      const text = await textIfIntact(archive, row)
      if (text !== undefined && text.length > 0)
        turns.push({ seq: row.seq, role: row.role, text: text.slice(0, readCharacters) })
    }
  return turns
}

/**
 * Says which messages a conversation is likely to need next: those that are like its newest turns and its open question, those
 * that name the same files, errors and names, and what followed similar turns. `text` counts as its newest turn.
 */
export async function predict(
  dependencies: SearchDependencies,
  caller: Caller,
  about: {
    readonly session?: RecalledSession | undefined
    readonly text?: string | undefined
    /** How long what is near in meaning is waited for. */
    readonly meaningMs: number
  },
): Promise<Prediction> {
  const { session, text, meaningMs } = about
  const turns = session === undefined ? [] : await newestTurns(dependencies, caller.tenantId, session)
  if (text !== undefined) turns.push({ seq: (session?.lastSeq ?? 0) + 1, role: 'user', text })
  const lastSeq = session?.lastSeq ?? 0
  // What is made of turns alone is asked for once; a text has often just been searched for, or is about to be.
  const rankings = text === undefined ? undefined : dependencies.rankings
  const stores = { ...dependencies, rankings }
  const signals = readSignals(turns)
  const compared = newestWords(turns) ?? signals[0]?.text ?? ''
  const meaning = new Meaning(stores, caller, { text: compared, waitMs: meaningMs })
  const searched = await lookForAll(stores, caller, { signals, meaning })
  const isNew = ({ sessionId, seq }: RankedMessage) => sessionId !== session?.id || seq <= lastSeq - lookBack
  const lists: RankedList<Reason>[] = searched.map(({ signal: { kind }, found }) => ({
    kind,
    weight: weights[kind],
    messages: found.ranking.messages.filter(isNew).slice(0, listMax),
  }))
  const [first] = searched
  if (first === undefined)
    return {
      sessionId: session?.id,
      lastSeq,
      queries: [],
      messages: [],
      named: [],
      messagesSearched: 0,
      semantic: 'off',
      trouble: undefined,
      behind: 0,
    }
  const followed = await whatFollowed(dependencies, caller.tenantId, fuseSignals(lists).slice(0, situationsMax))
  return {
    sessionId: session?.id,
    lastSeq,
    queries: searched.flatMap(({ found }) => found.queries),
    messages: fuseSignals([
      ...lists,
      { kind: 'followed', weight: weights.followed, messages: followed.filter(isNew) },
    ]).slice(0, keptMax),
    named: [...new Set(turns.flatMap((turn) => namesIn(turn.text)))],
    messagesSearched: first.found.ranking.messagesSearched,
    ...troubleOf(first.found),
    behind: first.found.behind,
  }
}

interface FoundSignal {
  readonly signal: Signal
  readonly found: RankedQuestion
}

/** Why only words led to what was found. That vectors are still being made is the state of a young store and no trouble. */
function troubleOf({ ranking }: RankedQuestion): Pick<Prediction, 'semantic' | 'trouble'> {
  const { state, reason, isLate, lists } = ranking.semantic
  const isTrouble = lists.length === 0 && (state === 'unavailable' || isLate === true)
  return { semantic: state, trouble: isTrouble ? reason : undefined }
}

/** What signals lead to, all at once; those with the same text together. */
async function lookForAll(
  dependencies: SearchDependencies,
  caller: Caller,
  { signals, meaning }: { readonly signals: readonly Signal[]; readonly meaning: Meaning },
): Promise<FoundSignal[]> {
  // Where the index is behind they wait for it as long as one after the other does.
  if (signals.length > 1)
    await waitForIndex(dependencies.database, caller.tenantId, (signals.length - 1) * limits.searchWaitForIndexMs)
  const looks = new Map<string, Promise<RankedQuestion | undefined>>()
  for (const [at, { kind, text }] of signals.entries()) {
    // What is near in meaning does not name the same, which is what the reply would say of it.
    const near = kind === 'names' && at > 0 ? undefined : meaning
    looks.set(text, looks.get(text) ?? look(dependencies, caller, { text, near }))
  }
  const searched = await Promise.all(signals.map(async (signal) => ({ signal, found: await looks.get(signal.text) })))
  return searched.flatMap(({ signal, found }) => (found === undefined ? [] : [{ signal, found }]))
}

async function look(
  dependencies: SearchDependencies,
  caller: Caller,
  { text, near }: { readonly text: string; readonly near: Meaning | undefined },
): Promise<RankedQuestion | undefined> {
  const query = queryOf(text)
  if (query.terms.length === 0) return undefined
  const filter = await readFilter(dependencies.database, caller, {})
  const { tenantId, principalId } = caller
  const { expander, semantic } = dependencies
  // Nobody waits for a model where the text of a conversation is the query; where a search asks one, its ranking is another.
  const words = expander === undefined ? '' : ' unexpanded'
  const beside = semantic === undefined ? '' : (near?.nameBeside(query) ?? ' by words')
  return await rankQuestion(
    { ...dependencies, expander: undefined, semantic: near === undefined ? undefined : semantic },
    { tenantId, principalId, queries: [query], filter, mode: 'hybrid', meaning: near?.find },
    { question: `${nameQuestion({ query: query.text, mode: 'hybrid' })}${words}${beside}`, isFirst: true },
  )
}

/** The turns after some places, those of the first place first, each once. */
async function whatFollowed(
  { database }: SearchDependencies,
  tenantId: number,
  places: readonly RankedMessage[],
): Promise<RankedMessage[]> {
  const near = await neighbouringPlaces(database, tenantId, { places, each: followingTurns })
  const followed = places.flatMap((place) =>
    near
      .filter(({ sessionId, seq }) => sessionId === place.sessionId && seq > place.seq && seq <= place.seq + nearSeqMax)
      .toSorted((a, b) => a.seq - b.seq)
      .slice(0, followingTurns)
      .map(({ sessionId, seq }) => ({ sessionId, seq, part: 0, score: place.score })),
  )
  const byPlace = new Map(followed.toReversed().map((message) => [placeKey(message), message]))
  return [...byPlace.values()].toReversed()
}
