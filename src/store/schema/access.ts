import { integer, pgTable, primaryKey, text, timestamp, unique, uuid } from 'drizzle-orm/pg-core'

import { bytea, tenantId } from './column-types.ts'

const createdAt = () => timestamp('created_at', { withTimezone: true }).notNull().defaultNow()

export const tenants = pgTable('tenants', {
  id: integer('id').primaryKey().generatedByDefaultAsIdentity(),
  name: text('name').notNull().unique(),
  createdAt: createdAt(),
  disabledAt: timestamp('disabled_at', { withTimezone: true }),
})

/** People, agents and services that may act. `subject` is the identity provider's id for OAuth callers. */
export const principals = pgTable(
  'principals',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    kind: text('kind').notNull(),
    name: text('name').notNull(),
    issuer: text('issuer'),
    subject: text('subject'),
    createdAt: createdAt(),
    disabledAt: timestamp('disabled_at', { withTimezone: true }),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    unique('principals_subject').on(table.tenantId, table.issuer, table.subject),
  ],
)

/** Bearer tokens: only their SHA-256 is kept. The hash is unique over all tenants, because it is what finds the tenant. */
export const accessTokens = pgTable(
  'access_tokens',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    principalId: uuid('principal_id').notNull(),
    name: text('name').notNull(),
    tokenSha256: bytea('token_sha256').notNull().unique(),
    scopes: text('scopes').array().notNull(),
    createdAt: createdAt(),
    expiresAt: timestamp('expires_at', { withTimezone: true }),
    lastUsedAt: timestamp('last_used_at', { withTimezone: true }),
    revokedAt: timestamp('revoked_at', { withTimezone: true }),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.id] })],
)

/** Which principal may do what in which session: `owner`, `writer`, `reader` or `auditor`. */
export const sessionGrants = pgTable(
  'session_grants',
  {
    tenantId: tenantId(),
    sessionId: uuid('session_id').notNull(),
    principalId: uuid('principal_id').notNull(),
    role: text('role').notNull(),
    grantedBy: uuid('granted_by'),
    createdAt: createdAt(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.sessionId, table.principalId] })],
)

/** Wrapped keys. A destroyed key keeps its row (who, when) and loses its bytes. */
export const encryptionKeys = pgTable(
  'encryption_keys',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    /** `tenant`, `session`, `data` (what belongs to no session), `search`, or `tombstone`, which is not wrapped. */
    purpose: text('purpose').notNull(),
    sessionId: uuid('session_id'),
    version: integer('version').notNull(),
    algorithm: text('algorithm').notNull(),
    wrapped: bytea('wrapped'),
    wrappedBy: text('wrapped_by').notNull(),
    createdAt: createdAt(),
    rotatedAt: timestamp('rotated_at', { withTimezone: true }),
    destroyedAt: timestamp('destroyed_at', { withTimezone: true }),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    unique('encryption_keys_version')
      .on(table.tenantId, table.purpose, table.sessionId, table.version)
      .nullsNotDistinct(),
  ],
)
