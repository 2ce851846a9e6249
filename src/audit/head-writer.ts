import type { KeyObject } from 'node:crypto'

import { describeForLog } from '../errors.ts'
import type { Log } from '../log.ts'
import type { ArchiveStore } from '../ports/archive-store.ts'
import { newestSealNumbers, newestSeals, readSeals } from '../store/audit/audit-seals.ts'
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
  #timer: NodeJS.Timeout | undefined
  #looking: NodeJS.Timeout | undefined
  /** Of each tenant the newest seal when it was last looked; undefined before that. */
  #seen: ReadonlyMap<number, number> | undefined
  #writing: Promise<void> = Promise.resolve()
  #isStopped = false

  constructor(options: HeadWriterOptions) {
    this.#options = options
    // On a server others seal too: commands, and who serves beside this process. Each look begins where the last one was.
    if (options.database.kind !== 'server') return
    void this.#look()
    this.#looking = setInterval(() => void this.#look(), options.everyMs).unref()
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
    clearInterval(this.#looking)
    if (this.#looking !== undefined) await this.#look()
    this.#isStopped = true
    clearTimeout(this.#timer)
    await this.#writing
    await this.#write()
  }

  /** Notes of which tenants others have sealed rows. Never rejects: what could not be seen is seen the next time. */
  async #look(): Promise<void> {
    const seen = this.#seen
    try {
      const newest = await this.#options.database.run(newestSealNumbers)
      if (seen !== undefined)
        this.note([...newest].flatMap(([id, number]) => (number > (seen.get(id) ?? 0) ? [id] : [])))
      this.#seen = newest
    } catch (error) {
      this.#options.log.warn(`the newest seals of the audit log were not looked at: ${describeForLog(error)}`)
    }
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
        // Each time anew: the record may have been made anew beneath this process, and what it was goes on under its own name only.
        const [first] = await database.run((sql) => readSeals(sql, newest.tenantId, { after: 0, limit: 1 }))
        if (first !== undefined) await putHead(archive, signHead(key, first, newest))
      }
    } catch (error) {
      log.warn(`the signed heads of the audit log were not written: ${describeForLog(error)}`)
      this.note(tenantIds)
    }
  }
}
