import type { Log } from '../log.ts'
import { newId } from '../model/ids.ts'
import type { CallRow } from '../store/audit/audit-log.ts'
import { isLostKept, keepLost, writeKeptLost, writeLost } from '../store/audit/audit-lost.ts'
import type { Database } from '../store/database.ts'
import { inTransaction } from '../store/transaction.ts'

/**
 * Counts the rows of calls that are lost, by tenant: none is left out of a tenant's record without a row of it that says so. Where the record
 * takes no such row either, the store keeps the number beside it, for whoever writes rows again.
 */
export class LostRows {
  readonly #database: Pick<Database, 'run'>
  readonly #log: Log | undefined
  /** What is neither told nor kept. */
  readonly #counts = new Map<number, number>()

  constructor(database: Pick<Database, 'run'>, log: Log | undefined) {
    this.#database = database
    this.#log = log
  }

  add(rows: readonly CallRow[]): void {
    for (const { caller } of rows) this.#counts.set(caller.tenantId, (this.#counts.get(caller.tenantId) ?? 0) + 1)
  }

  /** How many there are, and of which tenants; undefined where there are none. */
  get described(): { readonly count: number; readonly of: string } | undefined {
    const lost = [...this.#counts].toSorted(([one], [other]) => one - other)
    if (lost.length === 0) return undefined
    const count = lost.reduce((sum, [, rows]) => sum + rows, 0)
    return { count, of: lost.map(([tenantId, rows]) => `${rows} of tenant ${tenantId}`).join(', ') }
  }

  /** Writes it into the record of each tenant. Never rejects: where that cannot be written either, it is tried again with the next rows. */
  async tell(): Promise<void> {
    for (const [tenantId, count] of this.#counts) {
      try {
        await this.#database.run((sql) => writeLost(sql, { tenantId, count }))
        this.#subtract(tenantId, count)
      } catch (error) {
        const what = `that ${count} rows of the audit log were lost, of tenant ${tenantId}, was not written`
        this.#log?.error(what, error)
      }
    }
  }

  /** Writes what others have kept. Never rejects: where that cannot be written, it stays kept. */
  async tellKept(): Promise<void> {
    try {
      if (await this.#database.run(isLostKept))
        await this.#database.run((sql) => inTransaction(sql, (transaction) => writeKeptLost(transaction)))
    } catch (error) {
      this.#log?.error('how many rows of the audit log were lost before was not written', error)
    }
  }

  /** Leaves it to whoever writes rows again. Never rejects: what is not kept is known to the log of this process only. */
  async keep(): Promise<void> {
    const lost = [...this.#counts].map(([tenantId, count]) => ({ tenantId, count, id: newId() }))
    if (lost.length === 0) return
    try {
      await this.#database.run((sql) => keepLost(sql, lost))
      for (const { tenantId, count } of lost) this.#subtract(tenantId, count)
    } catch (error) {
      this.#log?.error('how many rows of the audit log were lost was not kept in the store', error)
    }
  }

  #subtract(tenantId: number, count: number): void {
    const further = (this.#counts.get(tenantId) ?? 0) - count
    if (further > 0) this.#counts.set(tenantId, further)
    else this.#counts.delete(tenantId)
  }
}
