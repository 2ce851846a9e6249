import { bigint, boolean, index, integer, jsonb, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core'

import { bytea, tenantId } from './column-types.ts'

const time = (name: string) => timestamp(name, { withTimezone: true, precision: 3 })

/** How long what is kept. The narrowest scope that matches a session decides. */
export const retentionPolicies = pgTable(
  'retention_policies',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    /** `tenant`, `source`, `tag` or `session`, and which one. */
    scope: text('scope').notNull(),
    target: text('target'),
    ageDaysMax: integer('age_days_max'),
    idleDaysMax: integer('idle_days_max'),
    messagesMax: bigint('messages_max', { mode: 'number' }),
    bytesMax: bigint('bytes_max', { mode: 'number' }),
    enabled: boolean('enabled').notNull().default(true),
    createdBy: text('created_by').notNull(),
    createdAt: time('created_at').notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.id] })],
)

/** What was erased: the receipt, and the tombstone that keeps an import, a restore or a sync from bringing it back. */
export const erasures = pgTable(
  'erasures',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    /** `session`, `message`, `participant`, `time`, `source` or `tag`. */
    scope: text('scope').notNull(),
    /** Keyed hash of what was erased, so that the tombstone itself tells nothing. */
    targetHash: bytea('target_hash').notNull(),
    sessionId: uuid('session_id'),
    reason: text('reason'),
    requestedBy: text('requested_by').notNull(),
    receipt: jsonb('receipt'),
    createdAt: time('created_at').notNull().defaultNow(),
    completedAt: time('completed_at'),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    index('erasures_by_target').on(table.tenantId, table.targetHash),
  ],
)
