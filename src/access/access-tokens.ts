import { createHash, randomBytes } from 'node:crypto'

import { InputError, NotFoundError } from '../errors.ts'
import { limits } from '../limits.ts'
import { scopes as allScopes, type Caller, type Scope } from '../model/access.ts'
import { newId } from '../model/ids.ts'
import { checkName } from '../model/validate.ts'
import { insertToken, listTokens, revokeToken, type StoredToken } from '../store/access/access-tokens.ts'
import { writeAudit } from '../store/audit/audit-log.ts'
import type { Database } from '../store/database.ts'
import { inTransaction } from '../store/transaction.ts'

/** Tells a token of this product from other secrets, for people and for scanners. */
const prefix = 'vbt_'
const tokenBytes = 32

/** A token as its bearer has it. It is shown once and stored nowhere but with its bearer. */
export interface NewToken {
  readonly id: string
  readonly token: string
  readonly name: string
  readonly scopes: readonly Scope[]
  readonly expiresAt: string | null
}

export interface TokenRequest {
  readonly name: string
  readonly scopes: readonly Scope[]
  /** Days from now; absent for a token that does not expire. */
  readonly expiresInDays?: number | undefined
  /** Who acts with it; default: who makes it. */
  readonly principal?: string | undefined
}

const dayMs = 86_400_000

/** The SHA-256 by which a token is stored; undefined for a text that is no token of ours. */
export function hashToken(token: string): Uint8Array | undefined {
  if (!/^vbt_[\w-]{43}$/.test(token)) return undefined
  return createHash('sha256').update(token).digest()
}

/** 256 random bits, as their bearer writes them. */
export function newTokenText(): string {
  return `${prefix}${randomBytes(tokenBytes).toString('base64url')}`
}

/** Makes an access token: 256 random bits, of which only the hash is stored. */
export async function createToken(database: Database, caller: Caller, request: TokenRequest): Promise<NewToken> {
  return await storeToken(database, caller, { ...request, token: newTokenText() })
}

/** Stores a token that its bearer has already. */
export async function storeToken(
  database: Database,
  caller: Caller,
  request: TokenRequest & { readonly token: string },
): Promise<NewToken> {
  checkName(request.name, { field: 'name', charactersMax: limits.nameCharactersMax, isRequired: true })
  if (request.scopes.length === 0)
    throw new InputError('Cannot make a token that may do nothing', { remedy: `Scopes: ${allScopes.join(', ')}` })
  const sha256 = hashToken(request.token)
  if (sha256 === undefined) throw new InputError(`Cannot use a text that is no token of this program`)
  const principal = request.principal ?? caller.principal
  checkName(principal, { field: 'principal', charactersMax: limits.nameCharactersMax })
  const days = request.expiresInDays
  const id = newId()
  const expiresAt = days === undefined ? null : new Date(Date.now() + days * dayMs).toISOString()
  await database.run((sql) =>
    inTransaction(sql, async (transaction) => {
      const isNew = await insertToken(transaction, {
        tenantId: caller.tenantId,
        id,
        principalId: newId(),
        principal,
        name: request.name,
        sha256,
        scopes: request.scopes,
        expiresAt,
      })
      if (isNew)
        await writeAudit(transaction, caller, {
          action: 'token.create',
          objectKind: 'token',
          objectId: id,
          outcome: 'ok',
        })
    }),
  )
  return { id, token: request.token, name: request.name, scopes: request.scopes, expiresAt }
}

export async function readTokens(database: Database, caller: Caller): Promise<StoredToken[]> {
  return await database.run((sql) => listTokens(sql, caller.tenantId))
}

/** Revokes a token by its id or its name. Servers notice within some seconds. */
export async function endToken(database: Database, caller: Caller, reference: string): Promise<StoredToken> {
  const live = (await readTokens(database, caller)).filter(({ revokedAt }) => revokedAt === null)
  const found = live.filter(({ id, name }) => id === reference || name === reference)
  const [token] = found
  if (token === undefined)
    throw new NotFoundError(`No token "${reference}" is in use`, { remedy: 'Run "verbatim token list"' })
  if (found.length > 1)
    throw new InputError(`Cannot tell which of ${found.length} tokens named "${reference}" is meant`, {
      remedy: `Give one of their ids: ${found.map(({ id }) => id).join(', ')}`,
    })
  await database.run((sql) =>
    inTransaction(sql, async (transaction) => {
      await revokeToken(transaction, caller.tenantId, token.id)
      await writeAudit(transaction, caller, {
        action: 'token.revoke',
        objectKind: 'token',
        objectId: token.id,
        outcome: 'ok',
      })
    }),
  )
  return token
}
