import type { Log } from '../log.ts'
import { writeAudit, type CallRow } from '../store/audit/audit-log.ts'
import type { Database } from '../store/database.ts'

/** Counts the rows of calls that are lost, by tenant: none is left out of a tenant's record without a row of it that says so. */
export class LostRows {
  readonly #database: Pick<Database, 'run'>
  readonly #log: Log | undefined
  /** What nothing was told of yet. */
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
    for (const [tenantId, lost] of this.#counts) {
      const nobody = { tenantId, principal: 'verbatim', client: 'verbatim' }
      try {
        await this.#database.run((sql) =>
          writeAudit(sql, nobody, { action: 'audit.lost', outcome: 'failed', count: lost }),
        )
        const further = (this.#counts.get(tenantId) ?? 0) - lost
        if (further > 0) this.#counts.set(tenantId, further)
        else this.#counts.delete(tenantId)
      } catch (error) {
        const what = `that ${lost} rows of the audit log were lost, of tenant ${tenantId}, was not written`
        this.#log?.error(what, error)
      }
    }
  }
}
