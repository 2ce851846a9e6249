import type { ImportedMessage } from './imported-sessions.ts'

/**
 * When entries were said that do not tell it: where the one before stood; at the start of a session, where the next one stands. Only a
 * session without any time is dated by its file.
 */
export class EntryTimes {
  readonly #modifiedAtMs: number
  readonly #last = new Map<string, string>()

  constructor(modifiedAtMs: number) {
    this.#modifiedAtMs = modifiedAtMs
  }

  /** Takes note of an entry that is stored already. */
  note(session: string, timestamp: string | undefined): void {
    if (timestamp !== undefined) this.#last.set(session, timestamp)
  }

  /** The next entries of a session, each with a time. */
  date<T extends ImportedMessage>(
    { session, createdAt }: { readonly session: string; readonly createdAt: string | undefined },
    entries: readonly T[],
  ): T[] {
    const firstKnown = entries.find(({ message }) => message.timestamp !== undefined)?.message.timestamp
    let last = this.#last.get(session) ?? firstKnown ?? createdAt ?? new Date(this.#modifiedAtMs).toISOString()
    const dated = entries.map((entry) => {
      last = entry.message.timestamp ?? last
      return { ...entry, message: { ...entry.message, timestamp: last } }
    })
    this.#last.set(session, last)
    return dated
  }
}
