import type { Database } from '../../store/database.ts'
import { readSenders } from '../../store/search/senders.ts'
import { placeKey } from './conversation.ts'

/** A message by its place. */
interface Place {
  readonly sessionId: string
  readonly seq: number
}

/** Who wrote the messages that a search looks at: each is asked for once. */
export class Authors {
  readonly #database: Database
  readonly #tenantId: number
  readonly #byPlace = new Map<string, string>()

  constructor(database: Database, tenantId: number) {
    this.#database = database
    this.#tenantId = tenantId
  }

  /** Reads who wrote some messages, as far as it is not known. */
  async read(messages: readonly Place[]): Promise<void> {
    const unknown = messages.filter((message) => !this.#byPlace.has(placeKey(message)))
    if (unknown.length === 0) return
    const senders = await this.#database.run((sql) => readSenders(sql, this.#tenantId, unknown))
    for (const [place, sender] of senders) this.#byPlace.set(place, sender)
  }

  /** Undefined for a message that was not read. */
  readonly of = (message: Place): string | undefined => this.#byPlace.get(placeKey(message))
}
