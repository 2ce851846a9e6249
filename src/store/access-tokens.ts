import type { Scope } from '../model/access.ts'
import { isoTime, type Queries } from './rows.ts'

/** A token without what it is proved by. */
export interface StoredToken {
  readonly id: string
  readonly name: string
  /** Who acts with it. */
  readonly principal: string
  readonly scopes: readonly Scope[]
  readonly createdAt: string
  readonly expiresAt: string | null
  readonly lastUsedAt: string | null
  readonly revokedAt: string | null
}

/** What a token that is good now lets its bearer do. */
export interface TokenAccess {
  readonly id: string
  readonly tenantId: number
  readonly principal: string
  readonly principalId: string
  readonly scopes: readonly Scope[]
  readonly expiresAt: string | null
}

interface TokenRow {
  id: string
  tenant_id: number
  name: string
  principal: string
  principal_id: string
  scopes: Scope[]
  created_at: Date
  expires_at: Date | null
  last_used_at: Date | null
  revoked_at: Date | null
}

/** Stores a token by its hash, for a principal that is made where there is none of the name. False where its hash is stored already. */
export async function insertToken(
  sql: Queries,
  token: {
    readonly tenantId: number
    readonly id: string
    readonly principalId: string
    readonly principal: string
    readonly name: string
    readonly sha256: Uint8Array
    readonly scopes: readonly Scope[]
    readonly expiresAt: string | null
  },
): Promise<boolean> {
  const rows = await sql`
    with known as (
      select id from principals where tenant_id = ${token.tenantId} and kind = 'person' and name = ${token.principal} limit 1
    ), made as (
      insert into principals (tenant_id, id, kind, name)
      select ${token.tenantId}, ${token.principalId}, 'person', ${token.principal} where not exists (select from known)
      on conflict do nothing returning id
    )
    insert into access_tokens (tenant_id, id, principal_id, name, token_sha256, scopes, expires_at)
    select ${token.tenantId}, ${token.id}, owner.id, ${token.name}, ${token.sha256}, ${[...token.scopes]}, ${token.expiresAt}
    from (select id from known union all select id from made limit 1) owner
    on conflict do nothing returning id`
  return rows.length > 0
}

/** The access that the token with this hash gives now; undefined for one that is unknown, revoked, expired or of somebody disabled. */
export async function findToken(
  sql: Queries,
  sha256: Uint8Array,
): Promise<{ readonly access: TokenAccess; readonly isGood: boolean } | undefined> {
  const [row] = await sql<
    (Pick<TokenRow, 'id' | 'tenant_id' | 'principal' | 'principal_id' | 'scopes' | 'expires_at'> & {
      is_good: boolean
    })[]
  >`
    select t.id, t.tenant_id, p.name as principal, p.id as principal_id, t.scopes, t.expires_at,
      p.disabled_at is null and tenants.disabled_at is null and t.revoked_at is null
        and (t.expires_at is null or t.expires_at > now()) as is_good
    from access_tokens t
      join principals p on p.tenant_id = t.tenant_id and p.id = t.principal_id
      join tenants on tenants.id = t.tenant_id
    where t.token_sha256 = ${sha256}`
  if (row === undefined) return undefined
  const { id, tenant_id: tenantId, principal, principal_id: principalId, scopes, expires_at: expiresAt } = row
  const access = { id, tenantId, principal, principalId, scopes, expiresAt: isoTime(expiresAt) }
  return { access, isGood: row.is_good }
}

/** Notes that a token was used, by the minute: a write a call would cost more than the call. */
export async function touchToken(
  sql: Queries,
  token: { readonly tenantId: number; readonly id: string },
): Promise<void> {
  await sql`
    update access_tokens set last_used_at = now() where tenant_id = ${token.tenantId} and id = ${token.id}
      and (last_used_at is null or last_used_at < now() - interval '1 minute')`
}

export async function listTokens(sql: Queries, tenantId: number): Promise<StoredToken[]> {
  const rows = await sql<TokenRow[]>`
    select t.*, p.name as principal from access_tokens t
      join principals p on p.tenant_id = t.tenant_id and p.id = t.principal_id
    where t.tenant_id = ${tenantId} order by t.created_at, t.id`
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    principal: row.principal,
    scopes: row.scopes,
    createdAt: isoTime(row.created_at),
    expiresAt: isoTime(row.expires_at),
    lastUsedAt: isoTime(row.last_used_at),
    revokedAt: isoTime(row.revoked_at),
  }))
}

/** Makes a token good for nothing. False where it was already. */
export async function revokeToken(sql: Queries, tenantId: number, id: string): Promise<boolean> {
  const rows = await sql`
    update access_tokens set revoked_at = now() where tenant_id = ${tenantId} and id = ${id} and revoked_at is null returning id`
  return rows.length > 0
}
