import { bigint, boolean, index, integer, jsonb, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core'

import { bytea, keyVersion, tenantId } from './column-types.ts'

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

/** What was erased, as a receipt: how much of what, and never what it was. */
export const erasures = pgTable(
  'erasures',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    /** `session`, `message`, `participant`, `time`, `source` or `tag`; `retention`, `tombstones` and `repetition` where nobody chose. */
    scope: text('scope').notNull(),
    /** Keyed hash of what was chosen, so that the receipt itself tells nothing. */
    targetHash: bytea('target_hash').notNull(),
    sessionId: uuid('session_id'),
    /** Which one of `reasons`; of what retention does, its own words. */
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

/**
 * What keeps an import, a restore or a save from bringing back what was erased: hashes alone (`model/tombstone.ts`). A
 * message that was erased from a session that is still there has its emptied row besides.
 */
export const tombstones = pgTable(
  'tombstones',
  {
    tenantId: tenantId(),
    hash: bytea('hash').notNull(),
    /** `session`, `message`, `part` or `anonymised`, of an id of ours; `name`, of a session's external id; `entry`, of an imported entry's bytes. */
    kind: text('kind').notNull(),
    erasureId: uuid('erasure_id').notNull(),
    erasedAt: time('erased_at').notNull().defaultNow(),
    /** Whether it is for this store alone, as what retention removed: how long something is kept is each store's own. */
    isLocal: boolean('is_local').notNull().default(false),
  },
  (table) => [
    // Two stores may have erased the same, each by an erasure of its own.
    primaryKey({ columns: [table.tenantId, table.hash, table.erasureId] }),
    index('tombstones_by_erasure').on(table.tenantId, table.erasureId),
  ],
)

/** Senders whose messages are stored and not used, by whom and why. */
export const restrictedParticipants = pgTable(
  'restricted_participants',
  {
    tenantId: tenantId(),
    /** As `messages.sender`. */
    name: text('name').notNull(),
    /** Which one of `reasons`. */
    reason: text('reason').notNull(),
    restrictedBy: text('restricted_by').notNull(),
    restrictedAt: time('restricted_at').notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.name] })],
)

/** Messages that were corrected, by the message of the same session that says what they should say: they are stored and not used. */
export const corrections = pgTable(
  'corrections',
  {
    tenantId: tenantId(),
    sessionId: uuid('session_id').notNull(),
    /** Of the corrected message. */
    seq: bigint('seq', { mode: 'number' }).notNull(),
    messageId: uuid('message_id').notNull(),
    correctionSeq: bigint('correction_seq', { mode: 'number' }).notNull(),
    correctionId: uuid('correction_id').notNull(),
    correctedAt: time('corrected_at').notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.sessionId, table.seq] })],
)

/**
 * Why somebody did something, in their own words, sealed: rows that stay, as those of the audit log, name the reason and hold a
 * salted hash of it alone (`model/reason.ts`). One that was erased keeps its emptied row, so that it does not come from another
 * store again.
 */
export const reasons = pgTable(
  'reasons',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    /** The session that it was given for, under whose key it is then; otherwise under that of the tenant. */
    sessionId: uuid('session_id'),
    /** The message that was corrected, or the participant as the audit log names one; null for others. */
    about: text('about'),
    /** Null where it was erased. */
    body: bytea('body'),
    keyVersion: keyVersion(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    index('reasons_by_session').on(table.tenantId, table.sessionId),
  ],
)

/**
 * What tokens of pseudonymised views stand for, by the session in which they were given: sealed under a key that is not in the
 * store (`store/keys/pseudonyms.ts`).
 */
export const pseudonyms = pgTable(
  'pseudonyms',
  {
    tenantId: tenantId(),
    sessionId: uuid('session_id').notNull(),
    /** `[person_3f9c01ab72]`. */
    token: text('token').notNull(),
    sealed: bytea('sealed').notNull(),
    /** Of the session's key that it is sealed under besides; 0 for none. */
    keyVersion: keyVersion(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.sessionId, table.token] }),
    index('pseudonyms_by_token').on(table.tenantId, table.token),
  ],
)

/**
 * When retention last swept a tenant, or its first policy was set: a clock that has jumped since is seen by it. Rows of a
 * tenant without a policy are not there.
 */
export const retentionSweeps = pgTable(
  'retention_sweeps',
  {
    tenantId: tenantId(),
    sweptAt: time('swept_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId] })],
)

/**
 * Whether what a tenant has is encrypted, once `verbatim keys encrypt` or `decrypt` was asked for; until then the settings say
 * it of what is new. The index of words is made anew under another key beside the one that is looked at.
 */
export const encryptionStates = pgTable(
  'encryption_states',
  {
    tenantId: tenantId(),
    /** `plain`, `encrypted`, or on the way: `encrypting`, `decrypting`. */
    state: text('state').notNull(),
    /** Of the index of words that is looked at: each has the version after the last, and a level of `search_units` of its own. */
    termsVersion: integer('terms_version').notNull().default(0),
    /** Whether its words are hashed under the key of the tenant. */
    termsKeyed: boolean('terms_keyed').notNull(),
    /** Whether the next one is being made. */
    nextTerms: boolean('next_terms').notNull().default(false),
    changedAt: time('changed_at').notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.tenantId] })],
)
