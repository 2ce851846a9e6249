/** Something that is not at the target as it is at the source. */
export interface MoveProblem {
  readonly session_id?: string
  readonly message_id?: string
  /** A table of the store and the primary key of the row. */
  readonly row?: string
  readonly problem: string
}

/** What was erased or anonymised at the target and not at the source: it stays so, and what the source has of it was not moved. */
interface ErasedAtTarget {
  /** Of which nothing is left there. */
  readonly whole_sessions: number
  /** Messages of others. */
  readonly messages: number
  /** Those others: they keep the title, metadata and tags that they have there. At most 1,000 of them. */
  readonly session_ids: readonly string[]
  /** Rows that were made of them, by the table. */
  readonly rows: Readonly<Record<string, number>>
}

interface Moved {
  readonly copied: number
  readonly already_there: number
}

export interface MoveReport {
  readonly sessions: Moved
  readonly messages: Moved
  /** Saved at the source while the move was going on: another run takes them along. */
  readonly came_since: number
  /** Rows of the other tables, by the table. */
  readonly rows: Readonly<Record<string, Moved>>
  readonly erased_at_target: ErasedAtTarget
  readonly audit_rows: number
  readonly archived_payloads: Moved
  readonly vectors:
    | { readonly model: string; readonly copied: number; readonly already_there: number }
    /** Why they are made anew. */
    | { readonly made_anew: string }
  /** All of them; `problems` holds the first 1,000. */
  readonly problem_count: number
  readonly problems: readonly MoveProblem[]
}

const problemsMax = 1_000

/** Problems as they are found; every one beyond the first 1,000 is only counted. */
export class ProblemList {
  readonly found: MoveProblem[] = []
  count = 0

  add(problem: MoveProblem): void {
    this.count++
    if (this.found.length < problemsMax) this.found.push(problem)
  }
}

export class Counter {
  copied = 0
  already_there = 0

  add(copied: number, known: number): void {
    this.copied += copied
    this.already_there += known
  }

  get total(): number {
    return this.copied + this.already_there
  }

  toJSON(): Moved {
    return { copied: this.copied, already_there: this.already_there }
  }
}
