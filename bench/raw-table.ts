import { randomUUID } from 'node:crypto'

import type { Sql } from 'postgres'

/**
 * The baseline of every write: a bare table with the fewest columns that could keep messages in order, in the same
 * store, written with prepared statements over the same socket.
 */
export class RawTable {
  readonly #sql: Sql
  readonly sessionId = randomUUID()
  #seq = 0

  constructor(sql: Sql) {
    this.#sql = sql
  }

  async create(): Promise<void> {
    await this.#sql`
      create table bench_raw (id uuid primary key, session_id uuid not null, seq bigint not null, role text not null,
        payload bytea not null, saved_at timestamptz not null default now(), unique (session_id, seq))`
  }

  async insert(payload: Uint8Array): Promise<void> {
    await this.#sql`
      insert into bench_raw (id, session_id, seq, role, payload)
      values (${randomUUID()}, ${this.sessionId}, ${++this.#seq}, 'user', ${Buffer.from(payload)})`
  }

  /** All rows in one statement. */
  async insertMany(payloads: readonly Uint8Array[]): Promise<void> {
    const rows = payloads.map((payload) => ({
      id: randomUUID(),
      session_id: this.sessionId,
      seq: ++this.#seq,
      role: 'user',
      payload: Buffer.from(payload),
    }))
    await this.#sql`insert into bench_raw ${this.#sql(rows)}`
  }

  /** Bytes of the payloads of the rows from number `fromSeq`, at most `limit` of them. */
  async read(fromSeq: number, limit: number): Promise<number> {
    const rows = await this.#sql<{ payload: Uint8Array }[]>`
      select * from bench_raw where session_id = ${this.sessionId} and seq >= ${fromSeq} order by seq limit ${limit}`
    return rows.reduce((total, { payload }) => total + payload.length, 0)
  }
}
