import type { Sql } from 'postgres'

import { codeOf } from '../../errors.ts'
import type { Viewer } from '../../model/access.ts'
import { packageFile } from '../../package-file.ts'
import { unobserved, type Observer } from '../../ports/observer.ts'
import type { Change, Database } from '../database.ts'
import type { VaultSettings } from '../keys/sealing-choice.ts'
import { Vault } from '../keys/vault.ts'
import { withReconnect } from '../reconnect.ts'
import { inTransaction } from '../transaction.ts'
import { ChangeNotices } from './change-notices.ts'
import { openPool, type PoolOptions, type ServerConnection } from './connection.ts'
import { asServerUnavailable } from './unavailable.ts'
import { withinTransaction } from './walled-sql.ts'
import { enterAs } from './walls.ts'

export interface ServerDatabaseOptions extends ServerConnection, PoolOptions {
  /** The address as a caller may see it. */
  readonly shownAddress: string
  /** Default: the migrations of this package. */
  readonly migrationsFolder?: string
  readonly observer?: Observer
  readonly encryption: VaultSettings
}

const closeSeconds = 2
/** A server that never answered is more likely not there than on its way back. */
const firstWithinMs = 5_000
const withinMs = 15_000
const migrationsOfPackage = packageFile('drizzle')

/** A refusal with a SQLSTATE (the server starts, or recovers), and the end of a connection that there was. */
function isAnswer(error: unknown): boolean {
  const cause = error instanceof Error && codeOf(error) === undefined ? error.cause : error
  return /^([\dA-Z]{5}|CONNECTION_CLOSED)$/.test(codeOf(cause) ?? '')
}

/** A PostgreSQL server. The first call brings its schema up to date. */
export class ServerDatabase implements Database {
  readonly kind = 'server'
  readonly vault: Vault
  readonly #options: ServerDatabaseOptions
  readonly #observer: Observer
  readonly #sql: Sql
  readonly #notices: ChangeNotices
  #prepared: Promise<void> | undefined
  #hasAnswered = false

  constructor(options: ServerDatabaseOptions) {
    this.#options = options
    const { max, observer = unobserved } = options
    this.#observer = observer
    const connectionsChanged = (open: number) => observer.note({ kind: 'connections', open, max })
    this.#sql = openPool(options, { connectionsChanged, ...options })
    this.#notices = new ChangeNotices(this.#sql)
    this.vault = new Vault((work) => this.run(work), { ...options.encryption, isShared: true })
  }

  async run<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    try {
      return await withReconnect(
        async () => {
          try {
            await this.#prepare()
            this.#hasAnswered = true
            return await work(this.#sql)
          } catch (error) {
            if (isAnswer(error)) this.#hasAnswered = true
            throw error
          }
        },
        {
          withinMs: () => (this.#hasAnswered ? withinMs : firstWithinMs),
          onRetry: () => this.#observer.note({ kind: 'reconnected' }),
        },
      )
    } catch (error) {
      throw asServerUnavailable(error, this.#options.shownAddress)
    }
  }

  of(viewer: Viewer): Database {
    const enter = enterAs(viewer)
    const unwalled: Database = {
      kind: this.kind,
      vault: this.vault,
      of: (other) => this.of(other),
      run: (work) => this.run(work),
      announce: (change) => this.announce(change),
      onChange: (listener) => this.onChange(listener),
      // It is closed by who opened it.
      close: async () => undefined,
    }
    return {
      ...unwalled,
      unwalled,
      viewer,
      run: (work) =>
        this.run((sql) =>
          inTransaction(sql, async (transaction) => {
            // On its way before the first statement of the work, which need not wait for it.
            const entered = transaction.unsafe(enter).execute()
            const [done, began] = await Promise.allSettled([work(withinTransaction(sql, transaction)), entered])
            if (began.status === 'rejected') throw began.reason
            if (done.status === 'rejected') throw done.reason
            return done.value
          }),
        ),
    }
  }

  announce(change: Change): void {
    this.#notices.announce(change)
  }

  onChange(listener: (change: Change) => void): () => void {
    return this.#notices.listen(listener)
  }

  async close(): Promise<void> {
    this.vault.close()
    await this.#notices.close()
    await this.#sql.end({ timeout: closeSeconds })
  }

  /** Once; a failure is tried again by the next call. */
  #prepare(): Promise<void> {
    this.#prepared ??= this.#migrate().catch((error: unknown) => {
      this.#prepared = undefined
      throw error
    })
    return this.#prepared
  }

  async #migrate(): Promise<void> {
    const { migrateServer } = await import('./migrate.ts')
    await migrateServer(this.#options, this.#options.migrationsFolder ?? migrationsOfPackage)
  }
}
