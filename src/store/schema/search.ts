import { sql } from 'drizzle-orm'
import {
  bigint,
  customType,
  date,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  real,
  smallint,
  text,
  timestamp,
  unique,
  uuid,
} from 'drizzle-orm/pg-core'

import { bigints, bytea, tenantId } from './column-types.ts'

const smallints = customType<{ data: string }>({ dataType: () => 'smallint[]' })

/**
 * One row a searchable thing. `level` is 0 for a message or a part of one, 1 for a window of neighbouring messages,
 * 2 for a session, 3 for messages under another key, 4 and 5 for what stands for messages without words. The key is derived from what the unit stands for, so that indexing twice has the effect of once.
 */
export const searchUnits = pgTable(
  'search_units',
  {
    tenantId: tenantId(),
    level: smallint('level').notNull(),
    sessionId: uuid('session_id').notNull(),
    firstSeq: bigint('first_seq', { mode: 'number' }).notNull(),
    lastSeq: bigint('last_seq', { mode: 'number' }).notNull(),
    part: integer('part').notNull().default(0),
    /** Distinct hashed terms, with how often each occurs at the same place of `frequencies`. */
    terms: bigints('terms').notNull(),
    frequencies: smallints('frequencies').notNull(),
    /** Terms counted with repetition: the length in BM25. */
    termCount: integer('term_count').notNull(),
    timestamp: timestamp('timestamp', { withTimezone: true, precision: 3 }).notNull(),
    role: text('role').notNull(),
    trust: text('trust').notNull(),
    kind: text('kind').notNull(),
    /** What the message says about itself, as bits: see `indexing/traits.ts`. */
    traits: smallint('traits').notNull().default(0),
    /** -1 … 1 for English text, else null. Here and not on the message, whose row it would write a second time. */
    sentiment: real('sentiment'),
    /** What the message is flagged for, kinds and numbers alone (`model/message-flags.ts`); null of units from before. */
    flags: jsonb('flags'),
    /**
     * Of what its message says beside its bytes (`message-digests.ts`), with the first part; null of units from before. Here, as it is
     * taken after the message was saved, in no time of the save.
     */
    recordDigest: bytea('record_digest'),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.level, table.sessionId, table.firstSeq, table.part] }),
    index('search_units_terms').using('gin', table.terms),
    index('search_units_by_time').on(table.tenantId, table.level, table.timestamp),
    // Few messages are flagged; how many there are, and in which sessions, is asked of all.
    index('search_units_flagged')
      .on(table.tenantId, table.sessionId)
      .where(sql`flags <> '{}'`),
  ],
)

/** In how many units of a level a term occurs. Kept by the indexing worker in batches. */
export const termStats = pgTable(
  'term_stats',
  {
    tenantId: tenantId(),
    level: smallint('level').notNull(),
    term: bigint('term', { mode: 'bigint' }).notNull(),
    documents: bigint('documents', { mode: 'number' }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.level, table.term] })],
)

/** How many units a level has and how many terms they have together: the averages of BM25. */
export const corpusStats = pgTable(
  'corpus_stats',
  {
    tenantId: tenantId(),
    level: smallint('level').notNull(),
    units: bigint('units', { mode: 'number' }).notNull(),
    /** Units that are the first part of theirs: on level 0 the messages that can be found. */
    wholes: bigint('wholes', { mode: 'number' }).notNull(),
    terms: bigint('terms', { mode: 'number' }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.level] })],
)

/** The models whose vectors are stored. `unit_vectors` (made where pgvector is) and Pinecone ids refer to them. */
export const embeddingModels = pgTable(
  'embedding_models',
  {
    tenantId: tenantId(),
    id: smallint('id').notNull(),
    provider: text('provider').notNull(),
    name: text('name').notNull(),
    dimensions: integer('dimensions').notNull(),
    revision: text('revision').notNull().default(''),
    vectorIndex: text('vector_index').notNull().default('pgvector'),
    state: text('state').notNull(),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    unique('embedding_models_identity').on(
      table.tenantId,
      table.provider,
      table.name,
      table.dimensions,
      table.revision,
      table.vectorIndex,
    ),
  ],
)

/**
 * Which units have a vector of a model, and of which text: no text is embedded twice, and a vector in a remote index is
 * known here. The vectors themselves are in `unit_vectors` (a table of the migrations, made where pgvector is) or in Pinecone.
 */
export const embeddedUnits = pgTable(
  'embedded_units',
  {
    tenantId: tenantId(),
    modelId: smallint('model_id').notNull(),
    level: smallint('level').notNull(),
    sessionId: uuid('session_id').notNull(),
    firstSeq: bigint('first_seq', { mode: 'number' }).notNull(),
    part: integer('part').notNull(),
    textSha256: bytea('text_sha256').notNull(),
    embeddedAt: timestamp('embedded_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
  },
  (table) => [
    // Named, as the name that is made from the columns is longer than PostgreSQL takes.
    primaryKey({
      name: 'embedded_units_pkey',
      columns: [table.tenantId, table.modelId, table.level, table.sessionId, table.firstSeq, table.part],
    }),
    index('embedded_units_by_text').on(table.tenantId, table.modelId, table.textSha256),
  ],
)

/** What paid calls to providers have used, for the daily budget. */
export const providerUsage = pgTable(
  'provider_usage',
  {
    day: date('day').notNull(),
    provider: text('provider').notNull(),
    tokens: bigint('tokens', { mode: 'number' }).notNull(),
    calls: bigint('calls', { mode: 'number' }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.day, table.provider] })],
)

/** Work that follows from a committed change, written in the change's own transaction, deleted when it is done. */
export const outbox = pgTable('outbox', {
  id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
  tenantId: tenantId(),
  topic: text('topic').notNull(),
  sessionId: uuid('session_id'),
  firstSeq: bigint('first_seq', { mode: 'number' }),
  lastSeq: bigint('last_seq', { mode: 'number' }),
  details: jsonb('details'),
  attempts: integer('attempts').notNull().default(0),
  availableAt: timestamp('available_at', { withTimezone: true }).notNull().defaultNow(),
  lastError: text('last_error'),
  /** Set when the last attempt failed for good; `doctor` shows such rows. */
  deadAt: timestamp('dead_at', { withTimezone: true }),
  /** The model that held its answer to it back, or the version of the patterns that failed at it for good: it is left, unless it is for another one. */
  withheldBy: text('withheld_by'),
})

/**
 * The results of searches of which one was then used, and how the ranking came to each: a row a message, so that it goes with it.
 * Nothing of the query, nothing of a text.
 */
export const recallFeedback = pgTable(
  'recall_feedback',
  {
    tenantId: tenantId(),
    searchId: uuid('search_id').notNull(),
    sessionId: uuid('session_id').notNull(),
    seq: bigint('seq', { mode: 'number' }).notNull(),
    /** Who searched, as the audit log names them. */
    principal: text('principal').notNull(),
    /** 1 for the first result. */
    rank: integer('rank').notNull(),
    /** `passed`, `opened` or `cited`. */
    use: text('use').notNull(),
    /** The logarithm of its score with the usual weights. */
    logScore: real('log_score').notNull(),
    /** By how much that changes with the logarithm of each learned weight; those that do not count are absent. */
    effects: jsonb('effects').notNull(),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.searchId, table.sessionId, table.seq] }),
    index('recall_feedback_by_message').on(table.tenantId, table.sessionId, table.seq),
    index('recall_feedback_by_time').on(table.tenantId, table.createdAt),
  ],
)

/** What was learned of them: how much more or less than usual parts of the ranking count. A row a tenant that has any feedback. */
export const rankingWeights = pgTable(
  'ranking_weights',
  {
    tenantId: tenantId().primaryKey(),
    /** Factors by the name of the part; null where the usual weights hold. */
    factors: jsonb('factors'),
    /** Searches that were learned from, and of how many callers. */
    searches: integer('searches').notNull().default(0),
    principals: integer('principals').notNull().default(0),
    /** Of the oldest and newest of these searches. */
    firstAt: timestamp('first_at', { withTimezone: true, precision: 3 }),
    lastAt: timestamp('last_at', { withTimezone: true, precision: 3 }),
    /** By what share used results stand better than with the usual weights, on searches that were held back. */
    gain: real('gain'),
    learnedAt: timestamp('learned_at', { withTimezone: true, precision: 3 }),
    /** How often feedback has come or gone, and how often it had when this was learned. */
    changes: bigint('changes', { mode: 'number' }).notNull().default(0),
    learnedChanges: bigint('learned_changes', { mode: 'number' }).notNull().default(0),
  },
  (table) => [
    index('ranking_weights_stale')
      .on(table.tenantId)
      .where(sql`changes > learned_changes`),
  ],
)
