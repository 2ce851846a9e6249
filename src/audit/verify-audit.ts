import type { Caller } from '../model/access.ts'
import { auditRowsById, unsealedRows } from '../store/audit/audit-check.ts'
import { countKeptLost } from '../store/audit/audit-lost.ts'
import type { AuditRow } from '../store/audit/audit-rows.ts'
import { readSeals, type SealRow } from '../store/audit/audit-seals.ts'
import type { Database } from '../store/database.ts'
import { beforeFirst, hashOfRow, hashOfSeal, sealFormat, type SealedRow } from './audit-chain.ts'
import { AuditProblems, type AuditProblem } from './audit-problems.ts'
import { ReasonCheck } from './reason-check.ts'
import { RowOrder } from './row-order.ts'

export interface AuditReport {
  /** Rows that are sealed, those that are gone included, and seals. */
  readonly rows: number
  readonly seals: number
  /** Rows that were written a moment ago, or that no worker has sealed yet. */
  readonly waiting: number
  /** Rows that could not be written before their process ended, and of which no row of the record says so yet. */
  readonly lost: number
  /** The newest seal. */
  readonly newest: { readonly seal: number; readonly at: string; readonly hash: string } | undefined
  readonly problem_count: number
  readonly problems: readonly AuditProblem[]
}

/** A row that is not as it was sealed. */
interface Changed {
  readonly id: number
  readonly sealedHash: string
  readonly hash: string
}

const sealsPerPage = 50
const rowsPerQuery = 2_000
const unsealedToldMax = 10_000
/** Hexadecimal digits of a SHA-256. */
const digits = 64

class Verification {
  readonly #database: Pick<Database, 'run' | 'vault'>
  readonly #tenantId: number
  readonly #problems = new AuditProblems()
  readonly #reasons: ReasonCheck
  readonly #order = new RowOrder()
  readonly #changed: Changed[] = []
  #previous: SealRow | undefined
  /** What the previous seal's hash would be if it was as it says. */
  #previousComputed = beforeFirst
  #rows = 0
  #seals = 0

  constructor(database: Pick<Database, 'run' | 'vault'>, tenantId: number) {
    this.#database = database
    this.#tenantId = tenantId
    this.#reasons = new ReasonCheck(database, tenantId, this.#problems)
  }

  async run(onSeal: (seal: SealRow) => void): Promise<AuditReport> {
    for (;;) {
      const after = this.#previous?.number ?? 0
      const page = await this.#database.run((sql) => readSeals(sql, this.#tenantId, { after, limit: sealsPerPage }))
      if (page.length === 0) break
      const rows = await this.#rowsOf(page)
      for (const seal of page) {
        this.#checkSeal(seal)
        onSeal(seal)
        this.#checkRows(seal, rows)
        this.#previous = seal
      }
      await this.#reasons.checkRows([...rows.values()])
    }
    this.#tellChanged()
    await this.#reasons.checkOthers()
    const waiting = await this.#checkUnsealed()
    const lost = await this.#database.run((sql) => countKeptLost(sql, this.#tenantId))
    const newest = this.#previous
    return {
      rows: this.#rows,
      seals: this.#seals,
      waiting,
      lost,
      newest:
        newest === undefined
          ? undefined
          : { seal: newest.number, at: new Date(newest.sealedAtMs).toISOString(), hash: newest.hash },
      problem_count: this.#problems.count,
      problems: this.#problems.found,
    }
  }

  #checkSeal(seal: SealRow): void {
    const expected = (this.#previous?.number ?? 0) + 1
    if (seal.number > expected) this.#problems.add({ seal: expected, problem: goneUpTo(expected, seal.number - 1) })
    const computed = hashOfSeal({ ...seal, rows: rowsOf(seal) })
    const { firstId, lastId, rowIds } = seal
    // What the hash is not of, as it follows from what it is of.
    const isWhole =
      firstId === Math.min(...rowIds) &&
      lastId === Math.max(...rowIds) &&
      seal.rowHashes.length === rowIds.length * digits
    if (computed !== seal.hash || !isWhole || seal.format !== sealFormat)
      this.#problems.add({ seal: seal.number, problem: 'was edited' })
    // After a gap there is nothing to compare with; a seal of which only the hash was edited still says what it was.
    const known = [this.#previous?.hash ?? beforeFirst, this.#previousComputed]
    if (seal.number === expected && !known.includes(seal.previousHash))
      this.#problems.add({
        seal: seal.number,
        problem: `does not continue seal ${expected - 1}: one of the two was put in another's place`,
      })
    this.#previousComputed = computed
    this.#seals++
    this.#rows += rowIds.length
  }

  async #rowsOf(seals: readonly SealRow[]): Promise<ReadonlyMap<number, AuditRow>> {
    const ids = seals.flatMap(({ rowIds }) => rowIds)
    const found = new Map<number, AuditRow>()
    for (let from = 0; from < ids.length; from += rowsPerQuery) {
      const some = ids.slice(from, from + rowsPerQuery)
      const rows = await this.#database.run((sql) => auditRowsById(sql, this.#tenantId, some))
      for (const row of rows) found.set(Number(row.id), row)
    }
    return found
  }

  #checkRows(seal: SealRow, rows: ReadonlyMap<number, AuditRow>): void {
    const moment = { sealedAtMs: seal.sealedAtMs, sealedIn: BigInt(seal.sealedIn) }
    for (const { id, hash: sealedHash } of rowsOf(seal)) {
      const row = rows.get(id)
      if (row === undefined) {
        this.#problems.add({ row: id, seal: seal.number, problem: 'is gone: it was deleted' })
        continue
      }
      const hash = hashOfRow(row)
      if (hash !== sealedHash) this.#changed.push({ id, sealedHash, hash })
      else if (!this.#order.allows({ id, writtenIn: row.written_in }, moment))
        this.#problems.add({
          row: id,
          seal: seal.number,
          problem: 'was put among older rows after they had been sealed',
        })
    }
    this.#order.add(seal.lastId, moment)
  }

  /** Whether a row has what another had. */
  #tellChanged(): void {
    const sealed = new Map(this.#changed.map(({ sealedHash, id }) => [sealedHash, id]))
    for (const { id, hash } of this.#changed) {
      const other = sealed.get(hash)
      this.#problems.add({
        row: id,
        problem: other === undefined ? 'was edited' : `was put in another's place: it is what row ${other} was`,
      })
    }
  }

  async #checkUnsealed(): Promise<number> {
    const unsealed = await this.#database.run((sql) => unsealedRows(sql, this.#tenantId, unsealedToldMax))
    for (const { id, wasPassed } of unsealed.rows)
      if (wasPassed) this.#problems.add({ row: id, problem: 'is in no seal: it was inserted, or its seal was deleted' })
    return unsealed.waiting
  }
}

function goneUpTo(first: number, last: number): string {
  return first === last ? 'is gone: it was deleted' : `is gone, and all up to seal ${last}: they were deleted`
}

function rowsOf({ rowIds, rowHashes }: SealRow): SealedRow[] {
  return rowIds.map((id, index) => ({ id, hash: rowHashes.slice(index * digits, (index + 1) * digits) }))
}

/** Computes everything that was sealed of a tenant's audit log anew, and names what is not as it was. */
export async function verifyAudit(
  database: Pick<Database, 'run' | 'vault'>,
  caller: Caller,
  onSeal: (seal: SealRow) => void = () => undefined,
): Promise<AuditReport> {
  return await new Verification(database, caller.tenantId).run(onSeal)
}
