import {
  bigint,
  boolean,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  real,
  text,
  timestamp,
  uuid,
} from 'drizzle-orm/pg-core'

import { bytea, keyVersion, tenantId } from './column-types.ts'

const time = (name: string) => timestamp(name, { withTimezone: true, precision: 3 })

/** Summaries of a stretch of messages, a session or a topic. They cite messages and never replace them. */
export const summaries = pgTable(
  'summaries',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    sessionId: uuid('session_id'),
    /** `segment`, `session` or `topic`. */
    level: text('level').notNull(),
    style: text('style').notNull(),
    firstSeq: bigint('first_seq', { mode: 'number' }),
    lastSeq: bigint('last_seq', { mode: 'number' }),
    /** The summary as JSON: sentences with the ids of the messages they come from. */
    body: bytea('body').notNull(),
    madeBy: text('made_by').notNull(),
    model: text('model'),
    createdAt: time('created_at').notNull().defaultNow(),
    keyVersion: keyVersion(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    index('summaries_by_session').on(table.tenantId, table.sessionId, table.createdAt),
  ],
)

/** What was learned, with the messages it was learned from. A newer fact supersedes an older one, which stays. */
export const facts = pgTable(
  'facts',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    /** `fact`, `preference`, `decision` or `procedure`. */
    kind: text('kind').notNull(),
    body: bytea('body').notNull(),
    subjectTerm: bigint('subject_term', { mode: 'bigint' }),
    confidence: real('confidence').notNull(),
    validFrom: time('valid_from'),
    validTo: time('valid_to'),
    supersededBy: uuid('superseded_by'),
    pinned: boolean('pinned').notNull().default(false),
    madeBy: text('made_by').notNull(),
    createdAt: time('created_at').notNull().defaultNow(),
    keyVersion: keyVersion(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.id] })],
)

/** The messages that a fact comes from: erasing the last of them erases the fact. */
export const factSources = pgTable(
  'fact_sources',
  {
    tenantId: tenantId(),
    factId: uuid('fact_id').notNull(),
    sessionId: uuid('session_id').notNull(),
    messageId: uuid('message_id').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.factId, table.messageId] }),
    index('fact_sources_by_message').on(table.tenantId, table.messageId),
  ],
)

/** Other stores that this one exchanges its history with. */
export const syncPeers = pgTable(
  'sync_peers',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    name: text('name').notNull(),
    url: text('url').notNull(),
    sentUpTo: bigint('sent_up_to', { mode: 'number' }).notNull().default(0),
    receivedUpTo: bigint('received_up_to', { mode: 'number' }).notNull().default(0),
    lastSyncAt: time('last_sync_at'),
    lastError: text('last_error'),
    state: jsonb('state'),
    priority: integer('priority').notNull().default(0),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.id] })],
)
