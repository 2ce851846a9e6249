import { describeForLog, ForbiddenError, UnavailableError, VerbatimError } from '../errors.ts'
import type { Log } from '../log.ts'
import { firstTenantId, type Caller } from '../model/access.ts'
import { Call, type CallDescription, type Door } from '../model/call.ts'
import { newId } from '../model/ids.ts'
import { within } from '../model/within.ts'
import { insertCalls, writeAudit, type CallRow } from '../store/audit/audit-log.ts'
import type { Database } from '../store/database.ts'
import { RepeatedRefusals } from './repeated-refusals.ts'
import { sealAll } from './seal-log.ts'

/** What happens to calls while rows cannot be written: those that write are refused, or all go on. */
export type AuditFailure = 'refuse' | 'continue'

export interface CallLogOptions {
  readonly database: Database
  readonly failure: AuditFailure
  readonly log?: Log | undefined
  /** How long the end waits for rows to be written. */
  readonly closeMs?: number | undefined
}

/** Rows are written together that come within this. */
const gatherMs = 100
const retryMs = 1_000
/** How often it is looked whether an hour of refusals is over. */
const lookMs = 60_000
const closeMsUsual = 10_000
/** Rows that wait for a log that cannot be written, at most; 500 bytes each. */
const waitingMax = 10_000

/** Nobody said how they came in: it is somebody with the program in hand. */
const atHand: Door = { origin: 'cli', auth: 'local' }

/**
 * Writes a row of each call that has none by its deed: of what was read, refused or failed. In batches, at most so long after
 * the call; a process that is killed in between loses the rows of that moment.
 */
export class CallLog {
  readonly #options: CallLogOptions
  #waiting: CallRow[] = []
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()
  #isFailing = false
  /** Rows of whose writing the answer has not come. */
  #beingWritten = 0
  #lost = 0
  #isClosed = false
  #hasWritten = false
  readonly #refusals = new RepeatedRefusals()
  #looking: NodeJS.Timeout | undefined

  constructor(options: CallLogOptions) {
    this.#options = options
  }

  /** Does a call's work and sees to it that there is one row of it. `writes` is whether it may change something. */
  async during<T>(
    caller: Caller,
    { writes, ...description }: CallDescription & { readonly writes: boolean },
    work: (caller: Caller) => Promise<T>,
  ): Promise<T> {
    const call = new Call(caller.door ?? atHand, description, newId())
    try {
      this.#refuseUnwritten(writes)
      const result = await work({ ...caller, call })
      if (!call.isWritten) this.#add({ caller, call, atMs: Date.now(), outcome: 'ok', reason: undefined })
      return result
    } catch (error) {
      const outcome = error instanceof ForbiddenError ? 'denied' : 'failed'
      this.#add({ caller, call, atMs: Date.now(), outcome, reason: reasonOf(error) })
      throw error
    }
  }

  /** Notes what was refused before any work began; of requests that are refused again and again not each by itself. */
  deny(caller: Caller, description: CallDescription, reason: string): void {
    const call = new Call(caller.door ?? atHand, description, newId())
    const row = { caller, call, atMs: Date.now(), outcome: 'denied', reason } as const
    if (description.action !== 'call.request') return this.#add(row)
    for (const due of this.#refusals.add(row)) this.#add(due)
    this.#looking ??= setInterval(() => {
      for (const due of this.#refusals.due(Date.now())) this.#add(due)
    }, lookMs).unref()
  }

  /** Writes what waits, as far as there is time, and tells the log of what is lost. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    clearInterval(this.#looking)
    for (const row of this.#refusals.end()) this.#add(row)
    const { closeMs = closeMsUsual } = this.#options
    await within(closeMs, this.#writeLast())
    const lost = this.#waiting.length + this.#beingWritten + this.#lost
    if (lost > 0) this.#options.log?.error(`${lost} rows of the audit log are lost, as they were not written in time`)
  }

  async #writeLast(): Promise<void> {
    await this.#writing
    if (this.#waiting.length > 0) await this.#write()
    // The embedded store has somebody who does; a command on a server may be over before it has.
    if (this.#options.database.kind === 'server' && this.#hasWritten) await this.#seal()
  }

  #refuseUnwritten(writes: boolean): void {
    if (!this.#isFailing || this.#options.failure === 'continue') return
    if (!writes && this.#waiting.length < waitingMax) return
    throw new UnavailableError(`Cannot do this as what is done cannot be written down: the audit log is out of order`, {
      remedy:
        'See the log of the server for the reason; it goes on by itself. VERBATIM_AUDIT_FAILURE=continue goes on without',
    })
  }

  #add(row: CallRow): void {
    if (this.#waiting.length >= waitingMax) {
      this.#lost++
      return
    }
    this.#waiting.push(row)
    this.#writeAfter(this.#isFailing ? retryMs : gatherMs)
  }

  #writeAfter(delayMs: number): void {
    if (this.#isClosed) return
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#writing = this.#writing.then(() => this.#write())
    }, delayMs)
  }

  /** Never rejects: what could not be written waits for the next time. */
  async #write(): Promise<void> {
    const rows = this.#waiting
    if (rows.length === 0) return
    this.#waiting = []
    this.#beingWritten = rows.length
    // Of what failed before some may be there, whose answer was lost.
    let attempt = this.#isFailing ? 1 : 0
    try {
      await this.#options.database.run((sql) => insertCalls(sql, rows, ++attempt))
    } catch (error) {
      this.#isFailing = true
      this.#beingWritten = 0
      const waiting = [...rows, ...this.#waiting]
      this.#waiting = waiting.slice(0, waitingMax)
      this.#lost += waiting.length - this.#waiting.length
      this.#options.log?.error(`${rows.length} rows of the audit log were not written: ${describeForLog(error)}`)
      this.#writeAfter(retryMs)
      return
    }
    this.#isFailing = false
    this.#beingWritten = 0
    this.#hasWritten = true
    await this.#tellLost()
  }

  async #seal(): Promise<void> {
    try {
      await sealAll(this.#options.database)
    } catch (error) {
      this.#options.log?.warn(`the newest rows of the audit log are to be sealed by another: ${describeForLog(error)}`)
    }
  }

  /** Rows are never left out without a row that says so; where that cannot be written either, the next ones are tried with it. */
  async #tellLost(): Promise<void> {
    if (this.#lost === 0) return
    const lost = this.#lost
    const nobody = { tenantId: firstTenantId, principal: 'verbatim', client: 'verbatim' }
    try {
      await this.#options.database.run((sql) =>
        writeAudit(sql, nobody, { action: 'audit.lost', outcome: 'failed', count: lost }),
      )
      this.#lost -= lost
    } catch (error) {
      this.#options.log?.error(`that ${lost} rows of the audit log were lost was not written: ${describeForLog(error)}`)
    }
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof VerbatimError) return error.code
  return error instanceof Error && error.name === 'ZodError' ? 'input' : 'internal'
}
