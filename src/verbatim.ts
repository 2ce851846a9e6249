import { CallLog, type CallLogOptions } from './audit/call-log.ts'
import { InOrder } from './capture/in-order.ts'
import { saveReplyOf, type SaveReply } from './capture/save-reply.ts'
import { saveMessages, type SaveDependencies, type SaveInput } from './capture/save.ts'
import { requireSession } from './capture/session-reference.ts'
import { Erasures } from './erasure/erasures.ts'
import { planReindex, reindex, type IndexKind, type ReindexPlan } from './indexing/vectors/reindex.ts'
import { Learned } from './insight/learning/learned.ts'
import { MadeAhead } from './insight/prediction/made-ahead.ts'
import { RecentPredictions } from './insight/prediction/recent-predictions.ts'
import type { RecallDependencies, RecallInput } from './insight/recall/recall-context.ts'
import { noteRecalled, type RecallOptions, type RecallReply } from './insight/recall/recall-reply.ts'
import { withCitations } from './insight/summaries/by-host/with-citations.ts'
import type { SummarizeRequest } from './insight/summaries/summarize-request.ts'
import type { SummaryReply } from './insight/summaries/summary-reply.ts'
import type { Caller } from './model/access.ts'
import { Caches } from './model/caches.ts'
import type { CallDescription } from './model/call.ts'
import type { LocalUser } from './model/local-user.ts'
import { within } from './model/within.ts'
import { unobserved, type Observer } from './ports/observer.ts'
import type { TextGenerator } from './ports/text-generator.ts'
import type { VectorIndex } from './ports/vector-index.ts'
import { noteHits } from './search/note-hits.ts'
import { RecentRankings } from './search/ranking/recent-rankings.ts'
import type { SearchReply } from './search/reply.ts'
import type { SearchDependencies, SearchInput } from './search/search.ts'
import { SearchUse } from './search/use/search-use.ts'
import type { SessionDocument } from './sessions/document.ts'
import { getSession, inViewOf, noteShown, type GetSessionInput } from './sessions/get-session.ts'
import { listSessions, type ListSessionsInput, type SessionList } from './sessions/list-sessions.ts'
import { readMessage, type MessageReference, type MessageReply } from './sessions/read-message.ts'
import type { RevealedPseudonym } from './sessions/reveal-pseudonym.ts'
import type { ReadDependencies } from './sessions/session-page.ts'
import { storeStatus, type StoreStatus } from './sessions/status.ts'
import { updateSession, type UpdateSessionInput, type UpdateSessionReply } from './sessions/update-session.ts'
import { sessionIdsByPrefix, sessionVersions } from './store/sessions.ts'
import { storeVersion } from './store/store-version.ts'

/** Of who gives no other room to what is kept. */
const cacheBytesUsual = 32 * 1024 * 1024
const sessionIdBytes = 72
const closeMs = 5_000

/** What the product is put together of. */
export type Stores = SearchDependencies &
  Pick<ReadDependencies, 'namesBy'> & {
    /** Where vectors are; absent where the settings name no place, also where nothing makes any now. */
    readonly vectors?: VectorIndex | undefined
    /** The model that writes summaries; undefined where they are extracted. */
    readonly writer?: TextGenerator | undefined
    /** What all heads of the audit log are signed with; undefined where that is not known. */
    readonly auditSecret?: (() => Promise<Uint8Array | undefined>) | undefined
    /** Who uses this machine, where those who call do. */
    readonly localUser?: LocalUser | undefined
  }

/**
 * The one door to the store for every transport: each method is one action of one caller. Errors that a caller may see
 * are VerbatimErrors; anything else is a defect.
 */
export class Verbatim implements AsyncDisposable {
  readonly #stores: SaveDependencies & Stores & RecallDependencies & { readonly predictions: RecentPredictions }
  readonly #observer: Observer
  readonly #saves = new InOrder()
  readonly #calls: CallLog
  readonly #ahead: MadeAhead

  constructor(
    stores: Stores,
    observer: Observer = unobserved,
    calls: Omit<CallLogOptions, 'database'> = { failure: 'refuse' },
  ) {
    this.#observer = observer
    const { database, learnsRanking, caches = new Caches(cacheBytesUsual) } = stores
    const sessionIds = caches.open<string>('session_ids', { sizeOf: () => sessionIdBytes })
    const predictions = new RecentPredictions(caches)
    const use = learnsRanking ? new SearchUse(database, caches, (text) => calls.log?.warn(text)) : undefined
    this.#stores = { ...stores, sessionIds, rankings: new RecentRankings(caches), predictions, use }
    this.#ahead = new MadeAhead({
      storesFor: (caller) => this.#for(caller),
      predictions,
      onChange: (listener) => database.onChange?.(listener),
      log: calls.log,
    })
    this.#calls = new CallLog({ ...calls, database })
  }

  /** The stores as the caller may see them. */
  #for(caller: Caller): SaveDependencies & RecallDependencies & Pick<Stores, 'namesBy' | 'writer'> {
    return { ...this.#stores, database: this.#stores.database.of(caller) }
  }

  /** As their owner sees them. */
  get stores(): Pick<Stores, 'archive' | 'auditSecret' | 'database' | 'namesBy' | 'vectors'> {
    return this.#stores
  }

  get erasures(): Erasures {
    return new Erasures({ ...this.#stores, index: this.#stores.vectors })
  }

  /** Does the work of one call, and sees to it that the audit log has one row of it. */
  recorded<T>(
    caller: Caller,
    call: CallDescription & { readonly writes: boolean },
    work: (caller: Caller) => Promise<T>,
  ): Promise<T> {
    return this.#calls.during(caller, call, work)
  }

  /** Writes the rows of calls that wait, for who ends after it. Gives why they could not be written; they are lost then. */
  readonly settleRecords = () => this.#calls.settle()

  /** Notes in the audit log what was refused before any work began. */
  noteDenied(caller: Caller, call: CallDescription, reason: string): void {
    this.#calls.deny(caller, call, reason)
  }

  async saveMessages(caller: Caller, input: SaveInput): Promise<SaveReply> {
    const save = () => saveMessages(this.#for(caller), caller, input)
    // Hosts send parallel calls: their messages keep the order in which they came.
    const saved = await (input.sessionId === undefined
      ? save()
      : this.#saves.run(`${caller.tenantId} ${input.sessionId}`, save))
    const duplicates = saved.messages.filter(({ duplicate }) => duplicate).length
    this.#observer.note({ kind: 'saved', messages: saved.messages.length, duplicates })
    this.#ahead.saved(caller, saved.sessionId)
    return saveReplyOf(saved)
  }

  async search(caller: Caller, input: SearchInput): Promise<SearchReply> {
    const { search } = await import('./search/search.ts')
    const reply = await search(this.#for(caller), caller, input)
    this.#observer.note({ kind: 'searched', mode: input.mode, semantic: reply.coverage.semantic })
    noteHits(caller, reply)
    return reply
  }

  async getSession(caller: Caller, input: GetSessionInput): Promise<SessionDocument> {
    const document = await getSession(this.#for(caller), caller, inViewOf(caller, input))
    noteShown(caller, document)
    this.#stores.use?.sessionRead(caller, input, document)
    return document
  }

  async readMessage(caller: Caller, reference: MessageReference): Promise<MessageReply> {
    const message = await readMessage(this.#for(caller), caller, reference)
    caller.call?.show(message.session_id, [message.message.seq])
    this.#stores.use?.messageRead(caller, message)
    return message
  }

  async listSessions(caller: Caller, input: ListSessionsInput): Promise<SessionList> {
    return await listSessions(this.#for(caller).database, caller, input)
  }

  async updateSession(caller: Caller, input: UpdateSessionInput): Promise<UpdateSessionReply> {
    const head = await updateSession(withCitations(this.#for(caller), caller), caller, input)
    this.#stores.use?.summaryWritten(caller, input)
    return head
  }

  async summarize(caller: Caller, input: SummarizeRequest): Promise<SummaryReply> {
    const { summarizeRequest } = await import('./insight/summaries/summarize-request.ts')
    return await summarizeRequest(this.#for(caller), caller, input)
  }

  /** Resolves when what a session will need, as it is now, was looked for. Never rejects. */
  contextMade(caller: Caller, sessionId: string, options: RecallOptions): Promise<void> {
    return this.#ahead.made(caller, sessionId, options)
  }

  /** What a conversation is likely to need of what was said before. */
  async recallContext(caller: Caller, input: RecallInput): Promise<RecallReply> {
    const { recallContext } = await import('./insight/recall/recall-context.ts')
    const recalled = this.#ahead.recalled.bind(this.#ahead)
    const reply = await recallContext({ ...this.#for(caller), recalled }, caller, input)
    noteRecalled(caller, reply)
    return reply
  }

  /** What a token of a pseudonymised view stands for. */
  async revealPseudonym(caller: Caller, token: string): Promise<RevealedPseudonym> {
    const { revealPseudonym } = await import('./sessions/reveal-pseudonym.ts')
    return await revealPseudonym(this.#for(caller), caller, token)
  }

  /** Who and what the store knows, and what was learned. */
  profile(caller: Caller, cursor?: string): ReturnType<Learned['profile']> {
    return this.learned(caller).profile(cursor)
  }

  /** What was learned, as the caller may see and change it. */
  learned(caller: Caller): Learned {
    return new Learned(this.#for(caller), caller)
  }

  status(caller: Caller): Promise<StoreStatus> {
    const options = { ...this.#stores, hasEmbedder: this.#stores.semantic !== undefined, now: new Date() }
    return storeStatus(this.#for(caller).database, caller, options)
  }

  planReindex(caller: Caller, kinds: readonly IndexKind[]): Promise<ReindexPlan> {
    return planReindex(this.#for(caller).database, caller, kinds)
  }

  /** Begins to make indexes anew, in the background. */
  reindex(caller: Caller, kinds: readonly IndexKind[]): Promise<void> {
    return reindex(this.#for(caller).database, caller, kinds)
  }

  /** The canonical ids of sessions, and their versions, which grow with every change. */
  async sessionVersions(caller: Caller, references: readonly string[]): Promise<Map<string, number>> {
    return this.#for(caller).database.run((sql) => sessionVersions(sql, caller, references))
  }

  /** Changes whenever any session does: given an earlier one, gives it again where nothing has changed since. */
  storeVersion(caller: Caller, since?: string): Promise<string> {
    return this.#for(caller).database.run((sql) => storeVersion(sql, caller.tenantId, since))
  }

  /**
   * Calls back when a session of the caller's has changed, in whichever process; undefined where the store gives no notices.
   * They may be lost: look now and then as well. Returns what ends it.
   */
  onChange(caller: Caller, listener: () => void): (() => void) | undefined {
    return this.#stores.database.onChange?.(({ tenantId }) => (tenantId === caller.tenantId ? listener() : undefined))
  }

  /** The canonical id of the session that a reference names. */
  async sessionId(caller: Caller, reference: string): Promise<string> {
    return (await requireSession(this.#for(caller).database, caller, reference)).id
  }

  completeSessionId(caller: Caller, typed: { readonly prefix: string; readonly limit: number }): Promise<string[]> {
    // An id of a source's own may hold a name or an address.
    const ids = caller.view === undefined ? 'all' : 'ours'
    return this.#for(caller).database.run((sql) => sessionIdsByPrefix(sql, caller, { ...typed, ids }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A store that does not answer must not keep the process.
    await within(closeMs, Promise.allSettled([this.#ahead.close(), this.#stores.use?.close()]))
    await this.#calls.close()
    await this.#stores.database.close()
  }
}
