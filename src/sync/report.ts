/** What an exchange with another store has done. */
export interface SyncReport {
  readonly peer: { readonly store_id: string; readonly url: string; readonly version: string }
  readonly sessions: {
    readonly equal: number
    /** Found equal before, and not changed since. */
    readonly unchanged: number
    /** Erased at one of the two, which is not given them back. */
    readonly erased: number
    /** Something of them is still being erased: they are for the next time. */
    readonly pending: number
    /** Some messages are erased at one of the two alone: by retention, or as the other is on legal hold. */
    readonly apart: number
  }
  readonly received: SyncCounts
  readonly sent: SyncCounts
  readonly problem_count: number
  readonly problems: readonly { readonly session_id: string; readonly problem: string }[]
}

export interface SyncCounts {
  messages: number
  sessions: number
  /** Of those, the ones that came under a name which another one had: one of the two has another name now. */
  namesakes: number
  /** Messages that got another number, as others came before them. */
  moved: number
  /** Messages that took their places, which were empty as the retention of another store had emptied them there. */
  filled: number
  /** Sessions of which something else is said now: a title, tags, a summary. */
  edits: number
  erasures: number
}

export function noCounts(): SyncCounts {
  return { messages: 0, sessions: 0, namesakes: 0, moved: 0, filled: 0, edits: 0, erasures: 0 }
}

export const problemsNamedMax = 100
