import type { KeyObject } from 'node:crypto'

import { describeForLog } from '../errors.ts'
import type { Log } from '../log.ts'
import type { ArchiveStore } from '../ports/archive-store.ts'
import { newestSeals, readSeals, type SealRow } from '../store/audit/audit-seals.ts'
import type { Database } from '../store/database.ts'
import { putHead, signHead } from './signed-head.ts'

export interface HeadWriterOptions {
  readonly database: Database
  readonly archive: ArchiveStore
  readonly log: Log
  readonly signingKey: () => Promise<KeyObject>
  /** How long a seal may be the newest without a head of it. */
  readonly everyMs: number
}

/** Signs the newest seals of tenants whose record has grown, and puts them into the archive, now and then. */
export class HeadWriter {
  readonly #options: HeadWriterOptions
  readonly #grown = new Set<number>()
  /** Of each tenant, the seal that its record begins with. */
  readonly #firsts = new Map<number, SealRow>()
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()
  #isStopped = false

  constructor(options: HeadWriterOptions) {
    this.#options = options
  }

  /** Says of which tenants rows were sealed. */
  note(tenantIds: Iterable<number>): void {
    for (const tenantId of tenantIds) this.#grown.add(tenantId)
    if (this.#grown.size === 0 || this.#isStopped) return
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#writing = this.#write()
    }, this.#options.everyMs).unref()
  }

  /** Writes what there is to write, and ends. */
  async stop(): Promise<void> {
    this.#isStopped = true
    clearTimeout(this.#timer)
    await this.#writing
    await this.#write()
  }

  /** Never rejects: what could not be written is tried again with the next. */
  async #write(): Promise<void> {
    const { database, archive, log, signingKey } = this.#options
    const tenantIds = [...this.#grown]
    if (tenantIds.length === 0) return
    this.#grown.clear()
    try {
      const key = await signingKey()
      for (const newest of await database.run((sql) => newestSeals(sql, tenantIds))) {
        const first = await this.#firstOf(newest.tenantId)
        if (first !== undefined) await putHead(archive, signHead(key, first, newest))
      }
    } catch (error) {
      log.warn(`the signed heads of the audit log were not written: ${describeForLog(error)}`)
      this.note(tenantIds)
    }
  }

  async #firstOf(tenantId: number): Promise<SealRow | undefined> {
    const known = this.#firsts.get(tenantId)
    if (known !== undefined) return known
    const [first] = await this.#options.database.run((sql) => readSeals(sql, tenantId, { after: 0, limit: 1 }))
    if (first !== undefined) this.#firsts.set(tenantId, first)
    return first
  }
}
