import { readNote } from '../model/reason.ts'
import type { AuditRow } from '../store/audit/audit-rows.ts'
import type { Database } from '../store/database.ts'
import { findReasons } from '../store/rights/reasons.ts'
import { rowReasons, type RowReason } from '../store/rights/row-reasons.ts'
import type { AuditProblem, AuditProblems } from './audit-problems.ts'

/** Whether reasons are those that were given. One that is gone was erased with what it was about. */
export class ReasonCheck {
  readonly #database: Pick<Database, 'run' | 'vault'>
  readonly #tenantId: number
  readonly #problems: AuditProblems

  constructor(database: Pick<Database, 'run' | 'vault'>, tenantId: number, problems: AuditProblems) {
    this.#database = database
    this.#tenantId = tenantId
    this.#problems = problems
  }

  /** Those that rows of the log note. */
  async checkRows(rows: readonly AuditRow[]): Promise<void> {
    await this.#check(rows.map(({ id, reason }) => ({ place: { row: Number(id) }, reason })))
  }

  /** Those of receipts and restrictions, of which the log notes some under another name or not at all. */
  async checkOthers(): Promise<void> {
    for await (const page of rowReasons(this.#database, this.#tenantId, 'noted'))
      await this.#check(page.map((row) => ({ place: { of: nameOf(row) }, reason: row.reason })))
  }

  async #check(
    found: readonly { readonly place: Pick<AuditProblem, 'row' | 'of'>; readonly reason: string | null }[],
  ): Promise<void> {
    const noted = found.flatMap(({ place, reason }) => {
      const note = readNote(reason)
      return note === undefined ? [] : [{ place, note }]
    })
    const notes = noted.map(({ note }) => note)
    const find = await findReasons(this.#database, this.#tenantId, notes)
    for (const { place, note } of noted) {
      const { state } = find(note)
      if (state === 'exchanged') this.#problems.add({ ...place, problem: 'has another reason than was given for it' })
      if (state === 'unreadable')
        this.#problems.add({
          ...place,
          problem: 'has a reason that cannot be read: it was altered, or its key is missing',
        })
    }
  }
}

function nameOf({ table, id }: RowReason): string {
  return table === 'erasures' ? `receipt ${id}` : `the restriction of "${id}"`
}
