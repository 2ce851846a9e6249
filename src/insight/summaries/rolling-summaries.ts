import { describeForLog, UnavailableError, VerbatimError } from '../../errors.ts'
import { Drain } from '../../indexing/drain.ts'
import { limits } from '../../limits.ts'
import type { Log } from '../../log.ts'
import type { Caller } from '../../model/access.ts'
import { tenantIds } from '../../store/access/tenants.ts'
import {
  dropOutdatedExtracts,
  holdSummaries,
  outdatedExtracts,
  quietSessions,
  type OutdatedExtract,
  type UnsummarizedSession,
} from '../../store/summaries/quiet-sessions.ts'
import { summariesOf } from '../../store/summaries/summaries.ts'
import { inTransaction } from '../../store/transaction.ts'
import { explainDegraded } from './render-summary.ts'
import { summarize, type SummarizeDependencies } from './summarize.ts'
import type { SummaryReply } from './summary-reply.ts'

export interface RollingDependencies extends Omit<SummarizeDependencies, 'signal'> {
  readonly log: Log
  /** After how long without a message a session is summarised. */
  readonly quietMs: number
}

const dayMs = 86_400_000
/** Sessions are looked for this often, or as often as one may become quiet. */
const lookMsMax = 60_000
/** One or two messages are read as soon as a summary of them. */
const messagesMin = 3
const sessionsPerRound = 10
/** Among them may be many of which there is nothing to say. */
const sessionsPerLook = 500
/** A session that a model could not summarise is tried again after this, or when it goes on. */
const againMs = 3_600_000
const triedMax = 10_000

/** A session to be summarised, or a summary of one to be extracted anew. */
type Turn = UnsummarizedSession | OutdatedExtract

/**
 * Summarises sessions in the background once they are quiet: by a model where there is one, else with their own sentences. It
 * keeps no list of work: what has no summary of its newest message is found by looking, so that nothing is lost with a process,
 * and nothing done twice. Summaries that an earlier version extracted are chosen anew in the same way, of history too. On a server one process at a time works for a tenant.
 */
export class RollingSummaries {
  readonly #dependencies: RollingDependencies
  readonly #drain: Drain
  readonly #lookMs: number
  /** What was tried, by session, number of messages and style, and when it is tried again. */
  readonly #tried = new Map<string, number>()
  /** When those of a tenant that an earlier version extracted are looked for again, as none was left to be tried. */
  readonly #outdatedAt = new Map<number, number>()
  readonly #stopping = new AbortController()

  constructor(dependencies: RollingDependencies) {
    this.#dependencies = dependencies
    this.#lookMs = Math.min(dependencies.quietMs, lookMsMax)
    this.#drain = new Drain({ name: 'summaries', round: () => this.#round(), log: dependencies.log })
  }

  start(): void {
    this.#drain.wakeLater(this.#lookMs)
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#drain.stop()
  }

  async #round(): Promise<boolean> {
    this.#drain.wakeLater(this.#lookMs)
    const { database } = this.#dependencies
    for (const tenantId of await database.run(tenantIds)) await this.#tenant(tenantId)
    return false
  }

  async #tenant(tenantId: number): Promise<void> {
    const { database } = this.#dependencies
    const { signal } = this.#stopping
    for (let done = 0; done < sessionsPerRound && !signal.aborted; done++) {
      const next = await this.#next(tenantId)
      if (next === undefined) return
      // The embedded store has one process at work, and serves nobody else while a transaction is open.
      if (database.kind === 'embedded') await this.#summarize(tenantId, next)
      else if (!(await this.#summarizeAlone(tenantId))) return
    }
  }

  /** Summarises what is next once nobody else does. A model takes its time: no longer is a transaction open. */
  async #summarizeAlone(tenantId: number): Promise<boolean> {
    return await this.#dependencies.database.run((sql) =>
      inTransaction(sql, async (transaction) => {
        if (!(await holdSummaries(transaction, tenantId))) return false
        const next = await this.#next(tenantId)
        if (next !== undefined) await this.#summarize(tenantId, next)
        return true
      }),
    )
  }

  /** Whose turn it is: of what was extracted by an earlier version when all else is done. */
  async #next(tenantId: number): Promise<Turn | undefined> {
    const { database, quietMs, writer } = this.#dependencies
    const isExtractedEnough = writer === undefined
    const wanted = { tenantId, quietMs, activeMs: dayMs, messagesMin, isExtractedEnough, limit: sessionsPerLook }
    const found = await database.run((sql) => quietSessions(sql, wanted))
    const next = found.find((session) => this.#isDue(session))
    if (next !== undefined) return next
    if ((this.#outdatedAt.get(tenantId) ?? 0) > Date.now()) return undefined
    const outdated = (await database.run((sql) => outdatedExtracts(sql, wanted))).find((turn) => this.#isDue(turn))
    // They are looked for among all summaries, and once they are made there are none.
    if (outdated === undefined) this.#outdatedAt.set(tenantId, Date.now() + againMs)
    return outdated
  }

  #isDue(turn: Turn): boolean {
    return (this.#tried.get(nameOf(turn)) ?? 0) <= Date.now()
  }

  async #summarize(tenantId: number, turn: Turn): Promise<void> {
    const { log } = this.#dependencies
    const { signal } = this.#stopping
    const caller = { tenantId, principal: 'summaries', client: 'background' }
    // Also where there is nothing to say: it is not looked at again and again.
    this.#note(turn)
    try {
      const reply = await ('style' in turn
        ? this.#extractAnew(caller, turn)
        : summarize({ ...this.#dependencies, signal }, caller, {
            sessionId: turn.id,
            style: 'brief',
            maxTokens: limits.summaryTokensDefault,
            refresh: false,
            keep: true,
          }))
      if (reply.degraded !== undefined)
        log.warn(`a session was summarised with less: ${explainDegraded(reply).join('; ')}`)
    } catch (error) {
      // Whoever works next finds it as it was.
      if (signal.aborted && error === signal.reason) return
      this.#forget(turn, error)
      // It may have been erased or restricted meanwhile.
      if (!(error instanceof VerbatimError) || error instanceof UnavailableError) throw error
      log.warn(`a session was not summarised: ${describeForLog(error)}`)
    }
  }

  /**
   * Chooses the sentences of a summary anew, as many as it was to have. A model is not asked for what it was not asked for before. What
   * lacks more than the earlier one, as the archive is away, does not take its place; where there is nothing to choose any more, it goes.
   */
  async #extractAnew(caller: Caller, { id: sessionId, style }: OutdatedExtract): Promise<SummaryReply> {
    const { database, archive } = this.#dependencies
    const key = { tenantId: caller.tenantId, sessionId }
    const stored = await summariesOf(database, key, { madeBy: 'extractive', level: 'session' })
    const making = stored.findLast((summary) => summary.style === style)?.making
    const reply = await summarize({ database, archive }, caller, {
      sessionId,
      style,
      maxTokens: making?.max_tokens ?? limits.summaryTokensDefault,
      refresh: true,
      keep: true,
      lackingMax: making?.messages_unreadable ?? 0,
    })
    if (reply.summary === '' && reply.degraded === undefined)
      await database.run((sql) => dropOutdatedExtracts(sql, key, style))
    return reply
  }

  /** That the database was away says nothing of the session. */
  #forget(turn: Turn, error: unknown): void {
    if (error instanceof UnavailableError) this.#tried.delete(nameOf(turn))
  }

  #note(turn: Turn): void {
    if (this.#tried.size >= triedMax) this.#tried.clear()
    this.#tried.set(nameOf(turn), Date.now() + againMs)
  }
}

const nameOf = (turn: Turn) => `${turn.id} ${turn.lastSeq}${'style' in turn ? ` ${turn.style}` : ''}`
