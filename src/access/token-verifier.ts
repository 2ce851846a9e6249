import { describeForLog } from '../errors.ts'
import type { Log } from '../log.ts'
import { BoundedMap } from '../model/bounded-map.ts'
import { findToken, touchToken, type TokenAccess } from '../store/access-tokens.ts'
import type { Database } from '../store/database.ts'
import { hashToken } from './access-tokens.ts'

/** How long an answer of the store is believed: a revoked token is refused after this at the latest. */
const believedMs = 5_000
const rememberedMax = 10_000
/** Apart from those that are good, which made-up ones must not push out. */
const refusedMax = 1_000

/** What is known of a token: what it allows, or whose it was that is good no more. */
export interface KnownToken {
  readonly access?: TokenAccess | undefined
  readonly former?: TokenAccess | undefined
}

interface Remembered extends KnownToken {
  readonly atMs: number
}

/** Says what a bearer token lets its bearer do. */
export class TokenVerifier {
  readonly #database: Database
  readonly #log: Log
  readonly #good = new BoundedMap<string, Remembered>(rememberedMax)
  readonly #refused = new BoundedMap<string, Remembered>(refusedMax)

  constructor(database: Database, log: Log) {
    this.#database = database
    this.#log = log
  }

  /** Without `access` for a token that is good for nothing now. Fails where the store does not answer: nobody is let in then. */
  async verify(token: string): Promise<KnownToken> {
    const sha256 = hashToken(token)
    if (sha256 === undefined) return {}
    const key = Buffer.from(sha256).toString('base64')
    const known = this.#good.get(key) ?? this.#refused.get(key)
    if (known !== undefined && performance.now() - known.atMs < believedMs) return unlessExpired(known)
    const found = await this.#database.run((sql) => findToken(sql, sha256))
    const access = found?.isGood === true ? found.access : undefined
    const former = access === undefined ? found?.access : undefined
    const remembered = access === undefined ? this.#refused : this.#good
    const other = access === undefined ? this.#good : this.#refused
    remembered.set(key, { access, former, atMs: performance.now() })
    other.delete(key)
    // When it was last used is only told: a store that cannot note it now must not refuse a good token.
    if (access !== undefined) void this.#noteUse(access)
    return { access, former }
  }

  async #noteUse(access: TokenAccess): Promise<void> {
    try {
      await this.#database.run((sql) => touchToken(sql, access))
    } catch (error) {
      this.#log.warn(`the use of a token was not noted: ${describeForLog(error)}`)
    }
  }
}

function unlessExpired({ access, former }: KnownToken): KnownToken {
  if (access === undefined || access.expiresAt === null) return { access, former }
  return Date.parse(access.expiresAt) > Date.now() ? { access } : { former: access }
}
