import type { CallRow } from '../store/audit/audit-log.ts'

/** What is refused again within this after a first time is counted. */
const countedMs = 3_600_000
/** Of more, those that began first are written down early. */
const countedMax = 1_000

interface Repeated {
  readonly untilMs: number
  /** The newest of those that have no row. */
  last: CallRow | undefined
  count: number
}

/**
 * Refusals of the same token for the same reason: the first has a row at once, and those within an hour after it have one together,
 * of when the last of them was, with their number. Who is refused does not say how many rows there are.
 */
export class RepeatedRefusals {
  readonly #repeated = new Map<string, Repeated>()

  /** The rows that are to be written now: of this refusal where it is the first, and of hours that are over. */
  add(row: CallRow): CallRow[] {
    const over = this.due(row.atMs)
    const key = keyOf(row)
    const known = this.#repeated.get(key)
    if (known !== undefined) {
      known.count++
      known.last = row
      return over
    }
    this.#repeated.set(key, { untilMs: row.atMs + countedMs, last: undefined, count: 0 })
    const [oldest] = this.#repeated.keys()
    return [...over, ...(this.#repeated.size > countedMax && oldest !== undefined ? this.#end(oldest) : []), row]
  }

  /** The rows of hours that are over. In their order, as all are as long. */
  due(nowMs: number): CallRow[] {
    const rows: CallRow[] = []
    for (const [key, { untilMs }] of this.#repeated) {
      if (untilMs > nowMs) break
      rows.push(...this.#end(key))
    }
    return rows
  }

  /** The rows of all that is not written yet, as nothing comes after it. */
  end(): CallRow[] {
    return this.due(Infinity)
  }

  #end(key: string): CallRow[] {
    const repeated = this.#repeated.get(key)
    this.#repeated.delete(key)
    if (repeated?.last === undefined) return []
    const { last, count } = repeated
    last.call.count = count
    return [last]
  }
}

function keyOf({ caller, call, reason }: CallRow): string {
  return JSON.stringify([caller.tenantId, caller.principal, call.door.tokenId, call.description.tool, reason])
}
