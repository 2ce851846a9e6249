import { BoundedMap } from '../model/bounded-map.ts'
import { findToken, touchToken, type TokenAccess } from '../store/access-tokens.ts'
import type { Database } from '../store/database.ts'
import { hashToken } from './access-tokens.ts'

/** How long an answer of the store is believed: a revoked token is refused after this at the latest. */
const believedMs = 5_000
const rememberedMax = 10_000

interface Remembered {
  readonly access: TokenAccess | undefined
  readonly atMs: number
}

/** Says what a bearer token lets its bearer do. */
export class TokenVerifier {
  readonly #database: Database
  readonly #remembered = new BoundedMap<string, Remembered>(rememberedMax)

  constructor(database: Database) {
    this.#database = database
  }

  /** Undefined for a token that is good for nothing now. Fails where the store does not answer: nobody is let in then. */
  async verify(token: string): Promise<TokenAccess | undefined> {
    const sha256 = hashToken(token)
    if (sha256 === undefined) return undefined
    const key = Buffer.from(sha256).toString('base64')
    const known = this.#remembered.get(key)
    if (known !== undefined && performance.now() - known.atMs < believedMs) return unlessExpired(known.access)
    const access = await this.#database.run((sql) => findToken(sql, sha256))
    this.#remembered.set(key, { access, atMs: performance.now() })
    if (access !== undefined) await this.#database.run((sql) => touchToken(sql, access))
    return access
  }
}

function unlessExpired(access: TokenAccess | undefined): TokenAccess | undefined {
  if (access === undefined || access.expiresAt === null) return access
  return Date.parse(access.expiresAt) > Date.now() ? access : undefined
}
