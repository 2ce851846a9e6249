import { createHash, randomUUID } from 'node:crypto'

import type { Sql } from 'postgres'

/**
 * The baseline of every save: one committed INSERT a message into a table that is like the product's in its columns and
 * indexes, by prepared statements on as many connections as the product has.
 */
export class RawMessages {
  readonly #sql: Sql
  readonly #sessions: readonly { readonly id: string; seq: number }[]

  constructor(sql: Sql, clients: number) {
    this.#sql = sql
    this.#sessions = Array.from({ length: clients }, () => ({ id: randomUUID(), seq: 0 }))
  }

  static async create(sql: Sql): Promise<void> {
    // In a schema of its own: the product puts its walls round every table with tenants in its schema.
    await sql`create schema bench`
    await sql`create table bench.messages (like messages including all)`
  }

  /** Each client has a session of its own, as the product's clients have. */
  async insert(client: number, content: string): Promise<void> {
    const sql = this.#sql
    const session = this.#sessions[client]
    if (session === undefined) throw new Error('There is no such client')
    const payload = Buffer.from(JSON.stringify(content))
    const sha256 = createHash('sha256').update(payload).digest()
    const now = new Date()
    await sql`
      insert into bench.messages (tenant_id, session_id, seq, id, timestamp, saved_at, role, sender, trust, payload, payload_bytes,
        payload_sha256, payload_media_type)
      values (1, ${session.id}, ${++session.seq}, ${randomUUID()}, ${now}, ${now}, 'user', 'user', 'owner', ${payload},
        ${payload.length}, ${sha256}, 'application/json')`
  }
}
