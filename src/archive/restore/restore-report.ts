/** What could not be restored, or not whole. */
export interface RestoreProblem {
  readonly session_id?: string
  /** The path of an imported document. */
  readonly file?: string
  /** Its key in the archive. */
  readonly object?: string
  readonly problem: string
}

export interface RestoreReport {
  readonly sessions: number
  /** With what they said, also where that was anonymised. */
  readonly messages: number
  /** Messages of which no more than their places are restored, as what they said was erased: before they were archived, or since. */
  readonly places: number
  readonly segments: number
  /** Imported documents: a file, or each session of a database that holds several. */
  readonly files: number
  /** Sessions and documents that an earlier run has restored. */
  readonly already_there: number
  /**
   * Sessions, documents and messages that the archive still has as they were, and of which it, or the store, says that they were erased or
   * anonymised: they are not restored, or as what that left of them.
   */
  readonly erased: number
  /** Of those, messages that were anonymised with names that a model had found: only their places are restored, as rules miss such names. */
  readonly emptied: number
  /** All of them; `problems` holds the first 1,000. */
  readonly problem_count: number
  readonly problems: readonly RestoreProblem[]
}

const problemsMax = 1_000

/** Counts what is restored, and keeps what is wrong. */
export class RestoreTally {
  readonly counts = {
    sessions: 0,
    messages: 0,
    places: 0,
    segments: 0,
    files: 0,
    already_there: 0,
    erased: 0,
    emptied: 0,
  }
  #problemCount = 0
  readonly #problems: RestoreProblem[] = []

  problem(problem: RestoreProblem): void {
    this.#problemCount++
    if (this.#problems.length < problemsMax) this.#problems.push(problem)
  }

  get report(): RestoreReport {
    return { ...this.counts, problem_count: this.#problemCount, problems: this.#problems }
  }
}
