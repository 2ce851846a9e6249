import { bigint, integer, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core'

import { bytea, tenantId } from './column-types.ts'

/** Immutable segments of a session's messages in the archive store. */
export const archiveSegments = pgTable(
  'archive_segments',
  {
    tenantId: tenantId(),
    sessionId: uuid('session_id').notNull(),
    number: integer('number').notNull(),
    firstSeq: bigint('first_seq', { mode: 'number' }).notNull(),
    lastSeq: bigint('last_seq', { mode: 'number' }).notNull(),
    location: text('location').notNull(),
    sha256: bytea('sha256').notNull(),
    chainSha256: bytea('chain_sha256').notNull(),
    sizeBytes: bigint('size_bytes', { mode: 'number' }).notNull(),
    verifiedAt: timestamp('verified_at', { withTimezone: true }),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.sessionId, table.number] })],
)

/**
 * The newest manifest of each session and of each imported document in the archive store, and the copies of keys there. What
 * has another version than its manifest is still to be archived, and so is a key that is wrapped otherwise than its copy.
 */
export const archiveManifests = pgTable(
  'archive_manifests',
  {
    tenantId: tenantId(),
    /** `session`, `file` or `key`. */
    kind: text('kind').notNull(),
    /** The session's id, or that of the row in `import_files` or in `encryption_keys`. */
    subjectId: uuid('subject_id').notNull(),
    number: integer('number').notNull(),
    /** Of a session its own version; of a document the milliseconds of `imported_at`. */
    version: bigint('version', { mode: 'number' }).notNull(),
    location: text('location').notNull(),
    /** Of the object. */
    sha256: bytea('sha256').notNull(),
    /** Of what it says, to see whether there is anything new to say. */
    contentSha256: bytea('content_sha256').notNull(),
    writtenAt: timestamp('written_at', { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.kind, table.subjectId] })],
)
