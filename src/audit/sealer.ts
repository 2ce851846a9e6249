import { describeForLog } from '../errors.ts'
import { Drain } from '../indexing/drain.ts'
import type { Log } from '../log.ts'
import type { Database } from '../store/database.ts'
import type { HeadWriter } from './head-writer.ts'
import { sealAll, sealPage } from './seal-log.ts'

export interface SealerOptions {
  readonly database: Database
  readonly log: Log
  readonly heads: HeadWriter
}

/** A row is sealed within a second: so long, and a turn of the database. */
const sealMs = 400
/** Where nobody says that something was written, it is looked for. */
const lookMs = 500

/** Seals what was written to the audit log, in the background. Any number of processes may: one of them does it at a time. */
export class Sealer {
  readonly #options: SealerOptions
  readonly #drain: Drain
  #looking: NodeJS.Timeout | undefined

  constructor(options: SealerOptions) {
    this.#options = options
    const { database, log, heads } = options
    this.#drain = new Drain({
      name: 'sealing the audit log',
      log,
      async round() {
        const page = await sealPage(database)
        if (page === 'busy') return false
        heads.note(page.tenantIds)
        return page.hasMore
      },
    })
    // On a server others write too, and reads give no notices.
    if (database.kind === 'server') this.#looking = setInterval(() => this.wake(), lookMs)
  }

  /** Says that something may have been written. Cheap; call it as often as you like. */
  wake(): void {
    this.#drain.wakeLater(this.#options.database.kind === 'server' ? 0 : sealMs)
  }

  /** Seals what is there and ends. */
  async stop(): Promise<void> {
    clearInterval(this.#looking)
    await this.#drain.stop()
    try {
      this.#options.heads.note(await sealAll(this.#options.database))
    } catch (error) {
      this.#options.log.warn(`the newest rows of the audit log are sealed at the next start: ${describeForLog(error)}`)
    }
    await this.#options.heads.stop()
  }
}
