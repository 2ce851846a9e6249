import { randomUUID } from 'node:crypto'

import { AuditUnwritten, describeForLog, ForbiddenError, VerbatimError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Caller } from '../model/access.ts'
import { Call, type CallDescription, type Door } from '../model/call.ts'
import { within } from '../model/within.ts'
import type { CallRow } from '../store/audit/audit-log.ts'
import type { Database } from '../store/database.ts'
import { LostRows } from './lost-rows.ts'
import { RepeatedRefusals } from './repeated-refusals.ts'
import { sealAll } from './seal-log.ts'
import { writeCalls, type RefusedCall, type WrittenCalls } from './write-calls.ts'

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
/** What is lost is noted in the store where that takes no longer. */
const keepMsMax = 2_000
/** Of rows that are not taken by themselves so many are named at once; the others are counted. */
const namedMax = 20

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
  /** Why rows cannot be written now. */
  #failing: AuditUnwritten | undefined
  /** Rows of whose writing the answer has not come. */
  #beingWritten: readonly CallRow[] = []
  readonly #lost: LostRows
  #isClosed = false
  #hasWritten = false
  readonly #refusals = new RepeatedRefusals()
  #looking: NodeJS.Timeout | undefined

  constructor(options: CallLogOptions) {
    this.#options = options
    this.#lost = new LostRows(options.database, options.log)
  }

  /** Does a call's work and sees to it that there is one row of it. `writes` is whether it may change something. */
  async during<T>(
    caller: Caller,
    { writes, ...description }: CallDescription & { readonly writes: boolean },
    work: (caller: Caller) => Promise<T>,
  ): Promise<T> {
    const call = new Call(caller.door ?? atHand, description, randomUUID())
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
    const call = new Call(caller.door ?? atHand, description, randomUUID())
    const row = { caller, call, atMs: Date.now(), outcome: 'denied', reason } as const
    if (description.action !== 'call.request') return this.#add(row)
    for (const due of this.#refusals.add(row)) this.#add(due)
    this.#looking ??= setInterval(() => {
      for (const due of this.#refusals.due(Date.now())) this.#add(due)
    }, lookMs).unref()
  }

  /** Writes what waits, as far as there is time, and tells the log of what is lost, by tenant; the store keeps how much that is. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    clearInterval(this.#looking)
    for (const row of this.#refusals.end()) this.#add(row)
    const { closeMs = closeMsUsual } = this.#options
    await within(closeMs, this.#writeLast())
    this.#lost.add([...this.#waiting, ...this.#beingWritten])
    const lost = this.#lost.described
    if (lost === undefined) return
    this.#options.log?.error(
      `${lost.count} rows of the audit log are lost, as they were not written in time: ${lost.of}`,
    )
    await within(Math.min(closeMs, keepMsMax), this.#lost.keep())
  }

  /**
   * Writes what waits now, for who ends after it. Gives why rows could not be written; they are lost then, and it is for who asks
   * to tell. The store keeps how many.
   */
  async settle(): Promise<AuditUnwritten | undefined> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const { closeMs = closeMsUsual } = this.#options
    let failed: AuditUnwritten | undefined
    const write = async () => {
      await this.#writing
      const { failure, refused } = await this.#tryToWrite()
      failed = failure ?? refused[0]?.why
    }
    await within(closeMs, write())
    if (this.#beingWritten.length > 0) failed = new AuditUnwritten(`the database took more than ${closeMs} ms`)
    if (failed === undefined) return undefined
    this.#lost.add(this.#waiting)
    this.#waiting = []
    await within(Math.min(closeMs, keepMsMax), this.#lost.keep())
    return failed
  }

  async #writeLast(): Promise<void> {
    await this.#writing
    if (this.#waiting.length > 0) await this.#write()
    // The embedded store has somebody who does; a command on a server may be over before it has.
    if (this.#options.database.kind === 'server' && this.#hasWritten) await this.#seal()
  }

  #refuseUnwritten(writes: boolean): void {
    if (this.#failing === undefined || this.#options.failure === 'continue') return
    if (!writes && this.#waiting.length < waitingMax) return
    throw this.#failing
  }

  #add(row: CallRow): void {
    if (this.#waiting.length >= waitingMax) return this.#lost.add([row])
    this.#waiting.push(row)
    this.#writeAfter(this.#failing === undefined ? gatherMs : retryMs)
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
    const { failure } = await this.#tryToWrite()
    if (failure === undefined) return
    this.#options.log?.error(`${this.#waiting.length} rows of the audit log were not written`, failure)
    this.#writeAfter(retryMs)
  }

  /** Writes what waits. What could not be written waits on; what the log does not take although it takes others is lost. */
  async #tryToWrite(): Promise<Pick<WrittenCalls, 'failure' | 'refused'>> {
    const rows = this.#waiting
    if (rows.length === 0) return { failure: undefined, refused: [] }
    this.#waiting = []
    this.#beingWritten = rows
    // Of what failed before some may be there, whose answer was lost.
    const isFirst = !this.#hasWritten || this.#failing !== undefined
    const { left, refused, failure } = await writeCalls(this.#options.database, rows, this.#failing !== undefined)
    this.#beingWritten = []
    this.#failing = failure
    const waiting = [...left, ...this.#waiting]
    this.#waiting = waiting.slice(0, waitingMax)
    this.#lost.add(waiting.slice(waitingMax))
    this.#lost.add(refused.map(({ row }) => row))
    this.#tellRefused(refused)
    if (failure !== undefined) return { failure, refused }
    this.#hasWritten = true
    await this.#lost.tell()
    if (isFirst) await this.#lost.tellKept()
    return { failure, refused }
  }

  #tellRefused(refused: readonly RefusedCall[]): void {
    const named = refused.slice(0, namedMax)
    for (const { row, why } of named) {
      const { action, tool } = row.call.description
      const which = `${action} ${tool}, call ${row.call.id} of tenant ${row.caller.tenantId}`
      this.#options.log?.error(`The audit log takes other rows and not the one of ${which}, which is lost`, why)
    }
    const further = refused.length - named.length
    if (further > 0) this.#options.log?.error(`The audit log did not take ${further} further rows, which are lost`)
  }

  async #seal(): Promise<void> {
    try {
      await sealAll(this.#options.database)
    } catch (error) {
      this.#options.log?.warn(`the newest rows of the audit log are to be sealed by another: ${describeForLog(error)}`)
    }
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof VerbatimError) return error.code
  return error instanceof Error && error.name === 'ZodError' ? 'input' : 'internal'
}
