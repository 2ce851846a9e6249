import { bigint, boolean, index, integer, pgTable, primaryKey, real, text, timestamp, uuid } from 'drizzle-orm/pg-core'

import { bigints, bytea, keyVersion, tenantId } from './column-types.ts'

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
    /** What wrote it; of an extracted one which version chose its sentences. */
    model: text('model'),
    createdAt: time('created_at').notNull().defaultNow(),
    keyVersion: keyVersion(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    index('summaries_by_session').on(table.tenantId, table.sessionId, table.createdAt),
  ],
)

/**
 * What was learned, each time that it was said: a row is of one session, under its key, and goes with it. What was said twice,
 * or is not so any more, is seen when rows are read together: see `learning/read-facts.ts`.
 */
export const facts = pgTable(
  'facts',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    sessionId: uuid('session_id').notNull(),
    /** `fact`, `preference`, `decision` or `procedure`. */
    kind: text('kind').notNull(),
    /** What it says, as JSON. */
    body: bytea('body').notNull(),
    /** What it says, hashed as a search term: the same where the same was said by the same one. */
    statementTerm: bigint('statement_term', { mode: 'bigint' }).notNull(),
    /** What it is the answer to, where there is one answer at a time: the last that was told holds. */
    subjectTerm: bigint('subject_term', { mode: 'bigint' }),
    /** The words that it is found by. */
    terms: bigints('terms').notNull(),
    confidence: real('confidence').notNull(),
    validFrom: time('valid_from'),
    /** Where somebody has said so by hand. */
    validTo: time('valid_to'),
    /** What somebody has put in its place by hand. */
    supersededBy: uuid('superseded_by'),
    pinned: boolean('pinned').notNull().default(false),
    /** `patterns` with a slash and their version (the first had none), `user`, or the provider of the model that wrote it. */
    madeBy: text('made_by').notNull(),
    createdAt: time('created_at').notNull().defaultNow(),
    /** When it was last changed by hand. */
    changedAt: time('changed_at'),
    /** A fact that was deleted stays hidden here, so that the same words do not bring it back. */
    deletedAt: time('deleted_at'),
    keyVersion: keyVersion(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    index('facts_by_session').on(table.tenantId, table.sessionId),
    index('facts_by_statement').on(table.tenantId, table.statementTerm),
  ],
)

/**
 * A row for each message in which a model has looked for names, by the id of the message: what it found is under the key of the
 * session, and goes with the message.
 */
export const messageNames = pgTable(
  'message_names',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    sessionId: uuid('session_id').notNull(),
    /** The names with their kinds, as JSON; null where there are none. */
    body: bytea('body'),
    /** Whether all of the message was read, and not only the beginning of a long one. */
    isWhole: boolean('is_whole').notNull(),
    /** The provider of the model. */
    madeBy: text('made_by').notNull(),
    createdAt: time('created_at').notNull().defaultNow(),
    keyVersion: keyVersion(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    index('message_names_by_session').on(table.tenantId, table.sessionId),
  ],
)

/** The places in messages that a fact stands at: erasing one of them erases the fact. */
export const factSources = pgTable(
  'fact_sources',
  {
    tenantId: tenantId(),
    factId: uuid('fact_id').notNull(),
    sessionId: uuid('session_id').notNull(),
    messageId: uuid('message_id').notNull(),
    seq: bigint('seq', { mode: 'number' }).notNull(),
    /** UTF-16 offsets into what there is to read of the message. */
    spanStart: integer('span_start').notNull(),
    spanEnd: integer('span_end').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.factId, table.messageId] }),
    index('fact_sources_by_message').on(table.tenantId, table.messageId),
  ],
)
