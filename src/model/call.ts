/** How somebody came in. */
export interface Door {
  readonly origin: 'stdio' | 'http' | 'cli'
  /** `local` for who has the machine or the address of the database. */
  readonly auth: 'local' | 'none' | 'token' | 'oauth'
  readonly tokenId?: string | undefined
}

/** One call of one caller, as the audit log tells of it. */
export interface CallDescription {
  readonly action: 'call.tool' | 'call.resource' | 'call.prompt' | 'call.command' | 'call.request'
  /** The tool, prompt, command or request by its name, which is never a text of the caller's. */
  readonly tool: string
  readonly traceId?: string | undefined
}

/** Rules of access are numbered, so that a row tells by which it was decided. */
const policyVersion = 1
/** Of one call; further ones are not kept. */
const objectsMax = 500

/** What is noted of a call while it goes on: what was shown, and whether a deed of it has its own row. */
export class Call {
  readonly door: Door
  readonly description: CallDescription
  readonly id: string
  readonly #shown = new Set<string>()
  #firstSession: string | undefined
  #hasSeveralSessions = false
  #subject: string | undefined
  #hasSeveralSubjects = false
  /** Whether a row was written in the transaction of what the call did. */
  isWritten = false
  count: number | undefined

  constructor(door: Door, description: CallDescription, id: string) {
    this.door = door
    this.description = description
    this.id = id
  }

  /** Notes which session the call names, whatever is shown of it. */
  about(sessionId: string): void {
    this.#subject ??= sessionId
    if (sessionId !== this.#subject) this.#hasSeveralSubjects = true
  }

  /** Notes that the head of a session was shown or, where their numbers are given, messages of it. */
  show(sessionId: string, seqs: readonly number[] = []): void {
    if (seqs.length === 0) this.#add(sessionId, sessionId)
    const sorted = seqs.toSorted((a, b) => a - b)
    let [first, last] = [sorted[0], sorted[0]]
    for (const seq of [...sorted.slice(1), undefined]) {
      if (seq !== undefined && last !== undefined && seq <= last + 1) {
        last = seq
        continue
      }
      if (first !== undefined && last !== undefined) this.showStretch(sessionId, { first, last })
      first = last = seq
    }
  }

  /** Notes that a stretch of messages was shown, both ends included. */
  showStretch(sessionId: string, { first, last }: { readonly first: number; readonly last: number }): void {
    this.#add(sessionId, `${sessionId}/${first}-${last}`)
  }

  get objects(): readonly string[] {
    return [...this.#shown]
  }

  /** The one session that it was about: that it names or, where it names none or several, of which alone something was shown. */
  get sessionId(): string | undefined {
    if (this.#subject !== undefined && !this.#hasSeveralSubjects) return this.#subject
    return this.#hasSeveralSessions ? undefined : this.#firstSession
  }

  #add(sessionId: string, object: string): void {
    this.#firstSession ??= sessionId
    if (sessionId !== this.#firstSession) this.#hasSeveralSessions = true
    if (this.#shown.size < objectsMax) this.#shown.add(object)
  }

  /** The columns of its row that say who called and how. */
  get columns() {
    const { door, description, id } = this
    return {
      request: id,
      auth: door.auth,
      token: door.tokenId,
      origin: door.origin,
      tool: description.tool,
      policy: policyVersion,
      trace: description.traceId,
    }
  }
}
