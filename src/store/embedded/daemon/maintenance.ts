import type { Sql } from 'postgres'

import { messageOf } from '../../../errors.ts'
import type { DaemonLog } from './daemon-log.ts'

export interface MaintenanceOptions {
  /** WAL since the last checkpoint that calls for a new one; default 32 MiB. */
  readonly checkpointBytes?: number
  /** WAL since the last VACUUM that calls for another when the store is quiet; default 8 MiB. */
  readonly vacuumBytes?: number
  /** How long nobody must have asked anything before a VACUUM; default 30 s. */
  readonly quietMs?: number
}

const MiB = 1024 * 1024
const defaults = { checkpointBytes: 32 * MiB, vacuumBytes: 8 * MiB, quietMs: 30_000 } as const
/** The WAL is measured after so many bytes of requests; with indexes they make several times as much WAL. */
const measureEveryBytes = 2 * MiB
const batchBytes = 1024

/**
 * The care that PGlite does not take itself: it never checkpoints (1.09 GB of WAL after 300,000 rows) and has no
 * autovacuum. A checkpoint of 32 MiB takes about 11 ms.
 */
export class Maintenance {
  readonly #sql: Sql
  readonly #log: DaemonLog
  readonly #options: Required<MaintenanceOptions>
  readonly #timer: NodeJS.Timeout
  #requestBytes = 0
  #servedAt = performance.now()
  #vacuumedAt = 0n
  #working = false
  #stopped = false

  constructor(sql: Sql, options: MaintenanceOptions & { readonly log: DaemonLog }) {
    this.#sql = sql
    this.#log = options.log
    this.#options = { ...defaults, ...options }
    this.#timer = setInterval(() => this.#start(async () => this.#vacuum()), this.#options.quietMs)
    this.#timer.unref()
  }

  /** To be called after each batch of anybody. */
  served(sizeBytes: number): void {
    if (this.#working) return
    this.#servedAt = performance.now()
    this.#requestBytes += sizeBytes + batchBytes
    if (this.#requestBytes < measureEveryBytes) return
    this.#requestBytes = 0
    this.#start(async () => this.#checkpoint())
  }

  stop(): void {
    this.#stopped = true
    clearInterval(this.#timer)
  }

  #start(work: () => Promise<void>): void {
    if (this.#working || this.#stopped) return
    this.#working = true
    work()
      .catch((error: unknown) => {
        this.#log.write(`maintenance failed: ${messageOf(error)}`)
      })
      .finally(() => {
        this.#working = false
      })
  }

  async #checkpoint(): Promise<void> {
    const [wal] = await this.#sql<{ bytes: string }[]>`
      select pg_wal_lsn_diff(pg_current_wal_lsn(), redo_lsn)::bigint as bytes from pg_control_checkpoint()`
    if (wal !== undefined && Number(wal.bytes) >= this.#options.checkpointBytes) await this.#sql`checkpoint`
  }

  /** Table by table, and no further when somebody asks something: a VACUUM has the engine to itself. */
  async #vacuum(): Promise<void> {
    if (performance.now() - this.#servedAt < this.#options.quietMs) return
    const [wal] = await this.#sql<{ at: string }[]>`select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint as at`
    const at = BigInt(wal?.at ?? 0)
    if (at - this.#vacuumedAt < BigInt(this.#options.vacuumBytes)) return
    const tables = await this.#sql<{ name: string }[]>`
      select format('%I.%I', schemaname, relname) as name from pg_stat_user_tables
      where n_mod_since_analyze > 100 or n_dead_tup > 100`
    const quietSince = this.#servedAt
    for (const { name } of tables) {
      if (this.#stopped || this.#servedAt !== quietSince) return
      await this.#sql.unsafe(`vacuum (analyze) ${name}`)
    }
    await this.#sql`checkpoint`
    this.#vacuumedAt = at
  }
}
