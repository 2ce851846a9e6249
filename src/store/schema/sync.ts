import { bigint, index, integer, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core'

import { bytea, keyVersion, tenantId } from './column-types.ts'

const time = (name: string) => timestamp(name, { withTimezone: true, precision: 3 })

/** The stores that this one exchanges its history with, by what they say that they are called; and what this one is called. */
export const syncPeers = pgTable(
  'sync_peers',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    /** Where it was last reached; '' for the store itself, and for one that has only come here. */
    url: text('url').notNull(),
    lastSyncAt: time('last_sync_at'),
    lastError: text('last_error'),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.id] })],
)

/** What a session was at this store and at a peer when both were found to be equal: while neither has changed, nothing is asked. */
export const syncedSessions = pgTable(
  'synced_sessions',
  {
    tenantId: tenantId(),
    peerId: uuid('peer_id').notNull(),
    sessionId: uuid('session_id').notNull(),
    version: bigint('version', { mode: 'number' }).notNull(),
    peerVersion: bigint('peer_version', { mode: 'number' }).notNull(),
    /** As `sessions.erasures`: while it stays, so do the messages up to `last_seq`. */
    erasures: integer('erasures').notNull(),
    peerErasures: integer('peer_erasures').notNull(),
    lastSeq: bigint('last_seq', { mode: 'number' }).notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.peerId, table.sessionId] }),
    index('synced_sessions_by_session').on(table.tenantId, table.sessionId),
  ],
)

/**
 * What was said of a session at each store that it was exchanged with: its title, tags and so on, each value with when and where it
 * was set. The newest holds; the others are kept (`model/session-edits.ts`).
 */
export const sessionHeads = pgTable(
  'session_heads',
  {
    tenantId: tenantId(),
    /** Of the session. */
    id: uuid('id').notNull(),
    sessionId: uuid('session_id').notNull(),
    /** As JSON. */
    body: bytea('body').notNull(),
    keyVersion: keyVersion(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.sessionId] })],
)
