import { describeForLog } from '../../errors.ts'
import type { Caller } from '../../model/access.ts'
import type { Caches } from '../../model/caches.ts'
import { newId } from '../../model/ids.ts'
import type { SessionDocument } from '../../sessions/document.ts'
import type { MessageReply } from '../../sessions/read-message.ts'
import type { Database } from '../../store/database.ts'
import type { Factors } from '../../store/learning/ranking-weights.ts'
import { noteUse, type ShownHit, type UsedSearch } from '../../store/learning/recall-feedback.ts'
import type { Hit } from '../hits.ts'
import { partNames } from '../ranking/learned-parts.ts'
import type { Ranking } from '../ranking/rank.ts'
import type { SearchReply } from '../reply.ts'
import { ShownHits } from './shown-hits.ts'
import { usedHits, type Reading, type UsedHits } from './used-hits.ts'

/** A page of results as it was given. */
interface GivenPage {
  readonly hits: readonly Hit[]
  readonly ranking: Ranking
  readonly reply: SearchReply
}

/** What is written down at once and was not yet, at most: a store that does not answer must not fill the memory. */
const waitingMax = 100

/**
 * Notes which results of searches are then opened or cited. Nobody waits for it, and where it fails a warning is all there is. A row
 * is written when a result is used; of a search whose results nobody uses nothing is.
 */
export class SearchUse {
  readonly #database: Database
  readonly #shown: ShownHits
  readonly #warn: (text: string) => void
  #writing: Promise<void> = Promise.resolve()
  #waiting = 0

  constructor(database: Database, caches: Caches, warn: (text: string) => void) {
    this.#database = database
    this.#shown = new ShownHits(caches)
    this.#warn = warn
  }

  /** Keeps in mind what a page of results shows, ids and numbers alone. */
  shown(caller: Caller, page: GivenPage): void {
    const hits = shownHits(page)
    if (hits.length > 1) this.#shown.keep(caller, { id: newId(), atMs: Date.now(), hits })
  }

  /** A page of a session was given to somebody. Who turns pages reads on, and opens nothing. */
  sessionRead(
    caller: Caller,
    { fromSeq, cursor }: { readonly fromSeq?: number | undefined; readonly cursor?: string | undefined },
    { session_id: sessionId, messages }: SessionDocument,
  ): void {
    const toSeq = messages.at(-1)?.seq
    if (cursor === undefined && toSeq !== undefined) this.#used(caller, { kind: 'session', sessionId, fromSeq, toSeq })
  }

  messageRead(caller: Caller, { session_id: sessionId, message: { seq } }: MessageReply): void {
    this.#used(caller, { kind: 'message', sessionId, seq })
  }

  /** A summary cites the messages whose ids are in it. */
  summaryWritten(caller: Caller, { summary }: { readonly summary?: string | undefined }): void {
    if (summary !== undefined) this.#used(caller, { kind: 'text', text: summary })
  }

  #used(caller: Caller, reading: Reading): void {
    for (const { search, used } of usedHits(this.#shown.recent(caller, Date.now()), reading)) {
      if (this.#waiting >= waitingMax) return this.#warn('that results of searches were used is not noted for now')
      this.#waiting++
      const use = reading.kind === 'text' ? 'cited' : 'opened'
      this.#writing = this.#writeAfter(this.#writing, caller, { search, used, use })
    }
  }

  /** Never rejects. */
  async #writeAfter(
    before: Promise<void>,
    caller: Caller,
    { search, used, use }: UsedHits & Pick<UsedSearch, 'use'>,
  ): Promise<void> {
    await before
    const { id: searchId, atMs: shownAtMs, hits } = search
    const { tenantId, principal } = caller
    const noted = { tenantId, principal, searchId, shownAtMs, hits, use, used: used.map(({ messageId }) => messageId) }
    try {
      await this.#database.of(caller).run((sql) => noteUse(sql, noted))
    } catch (error) {
      this.#warn(`that results of a search were used was not noted: ${describeForLog(error)}`)
    }
    this.#waiting--
  }

  /** Waits for what is being written. */
  async close(): Promise<void> {
    await this.#writing
  }
}

/** The results that the reply has room for, as far as it is known how they came to their places. */
function shownHits({ hits, ranking: { factors }, reply }: GivenPage): ShownHit[] {
  const ranks = new Map(
    reply.results.flatMap(({ messages }) =>
      messages.flatMap(({ id, hit }) => (hit === undefined ? [] : [[id, hit.rank]])),
    ),
  )
  return hits.flatMap(({ message, ranked: { weighed } }) => {
    const rank = ranks.get(message.id)
    if (rank === undefined || weighed === undefined) return []
    const { sessionId, id: messageId, seq } = message
    const logScore = usualLogScore(weighed, factors)
    return [{ sessionId, messageId, seq, rank, logScore, effects: weighed.effects }]
  })
}

/** As far as can be told from how much each part counts, the score without what was learned. */
function usualLogScore(
  { logScore, effects }: NonNullable<Hit['ranked']['weighed']>,
  factors: Factors | undefined,
): number {
  if (factors === undefined) return logScore
  return partNames.reduce((sum, part) => sum - (effects[part] ?? 0) * Math.log(factors[part] ?? 1), logScore)
}
