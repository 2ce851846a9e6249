import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'

import { bytea, keyVersion, tenantId } from './column-types.ts'

const count = (name: string) => bigint(name, { mode: 'number' }).notNull().default(0)
const time = (name: string) => timestamp(name, { withTimezone: true, precision: 3 })

/** One row a conversation. Totals change in the transaction of the message that changes them (function `save_messages`). */
export const sessions = pgTable(
  'sessions',
  {
    tenantId: tenantId(),
    /** UUID version 7, made by the application. */
    id: uuid('id').notNull(),
    source: text('source').notNull(),
    /** The id that the source or the caller uses; unique within its source. */
    externalId: text('external_id'),
    title: bytea('title'),
    createdAt: time('created_at').notNull(),
    lastActiveAt: time('last_active_at').notNull(),
    /** `lastActiveAt` cut to the hour, for the index. */
    activeHour: time('active_hour').notNull(),
    closedAt: time('closed_at'),
    participants: text('participants')
      .array()
      .notNull()
      .default(sql`'{}'`),
    modelsUsed: text('models_used')
      .array()
      .notNull()
      .default(sql`'{}'`),
    messageCount: count('message_count'),
    payloadBytes: count('payload_bytes'),
    inputTokens: count('input_tokens'),
    outputTokens: count('output_tokens'),
    cacheReadTokens: count('cache_read_tokens'),
    cacheWriteTokens: count('cache_write_tokens'),
    toolInvocations: count('tool_invocations'),
    contextSwitches: count('context_switches'),
    lastSeq: count('last_seq'),
    lastModel: text('last_model'),
    lastMessageId: uuid('last_message_id'),
    parentSessionId: uuid('parent_session_id'),
    /** The source's id of the parent, kept until the parent itself arrives. */
    parentExternalId: text('parent_external_id'),
    tags: text('tags')
      .array()
      .notNull()
      .default(sql`'{}'`),
    metadata: bytea('metadata'),
    retentionPolicyId: uuid('retention_policy_id'),
    legalHold: boolean('legal_hold').notNull().default(false),
    restricted: boolean('restricted').notNull().default(false),
    /** When somebody last set its title, tags, metadata, or whether it is closed, restricted or on hold. */
    saidAt: time('said_at'),
    /** When personal data in messages of it was last replaced for good. */
    anonymizedAt: time('anonymized_at'),
    /** How often messages of it were erased, or written anew: who read them before does not write of them any more. */
    erasures: integer('erasures').notNull().default(0),
    /** How often it, or somebody who spoke in it, was restricted or released: as `erasures`. */
    restrictions: integer('restrictions').notNull().default(0),
    /** Since when it is being erased as a whole: nothing is saved to it any more. */
    erasingAt: time('erasing_at'),
    keyVersion: keyVersion(),
    /** Grows by one with every change; caches and subscriptions compare it. */
    version: bigint('version', { mode: 'number' }).notNull().default(1),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    unique('sessions_external_id').on(table.tenantId, table.source, table.externalId),
    // A caller's id is looked up without knowing its source.
    index('sessions_by_external_id').on(table.tenantId, table.externalId),
    // By hour and not by the exact time: a save changes the exact time, and a change to an indexed column would rewrite
    // every index of the row (measured: a tenth of the whole save).
    index('sessions_by_activity').on(table.tenantId, table.activeHour),
    index('sessions_by_parent').on(table.tenantId, table.parentSessionId),
    // Looked at after every import and hook, and few: those whose parent has not arrived.
    index('sessions_without_parent')
      .on(table.tenantId, table.source, table.parentExternalId)
      .where(sql`parent_session_id is null and parent_external_id is not null`),
    // Every search leaves them out, and they are few.
    index('sessions_restricted')
      .on(table.tenantId, table.id)
      .where(sql`restricted`),
  ],
)

/** One row a message, ordered by (session, seq). The payload is the truth; `text` is only for display and search. */
export const messages = pgTable(
  'messages',
  {
    tenantId: tenantId(),
    sessionId: uuid('session_id').notNull(),
    /** 1, 2, 3 … without gaps within the session. */
    seq: bigint('seq', { mode: 'number' }).notNull(),
    id: uuid('id').notNull(),
    /** The caller's or the source's own id: the idempotency key, unique within the session. */
    externalId: text('external_id'),
    parentId: uuid('parent_id'),
    /** The parent's own id while no such message is stored. */
    parentExternalId: text('parent_external_id'),
    /** The message that this one is a newer version of. */
    replacesId: uuid('replaces_id'),
    /**
     * The message that it was saved after, where that is not the one before it: two stores went on with one session apart, and
     * then exchanged what they have (`sync/canonical-order.ts`). All zeros where it was saved after none.
     */
    followsId: uuid('follows_id'),
    timestamp: time('timestamp').notNull(),
    savedAt: time('saved_at').notNull(),
    role: text('role').notNull(),
    sender: text('sender').notNull(),
    model: text('model'),
    /** `message`, `event`, `unknown` or `damaged`; `erased` where only the place of a message is left. */
    kind: text('kind').notNull().default('message'),
    trust: text('trust').notNull(),
    inputTokens: integer('input_tokens'),
    outputTokens: integer('output_tokens'),
    cacheReadTokens: integer('cache_read_tokens'),
    cacheWriteTokens: integer('cache_write_tokens'),
    toolsUsed: text('tools_used').array(),
    toolCallId: text('tool_call_id'),
    contextSwitch: text('context_switch'),
    /** The exact bytes saved; null where they are in the archive store at `payload_location`. */
    payload: bytea('payload'),
    payloadLocation: text('payload_location'),
    payloadBytes: bigint('payload_bytes', { mode: 'number' }).notNull(),
    payloadSha256: bytea('payload_sha256').notNull(),
    payloadMediaType: text('payload_media_type').notNull(),
    /** Null where the text follows from the payload alone (`model/content.ts`). */
    text: bytea('text'),
    metadata: bytea('metadata'),
    keyVersion: keyVersion(),
    /** When personal data in it was replaced for good: what it said before does not come back. */
    anonymizedAt: time('anonymized_at'),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.sessionId, table.seq] }),
    uniqueIndex('messages_id').on(table.tenantId, table.id),
    uniqueIndex('messages_external_id')
      .on(table.tenantId, table.sessionId, table.externalId)
      .where(sql`external_id is not null`),
    // Who else refers to a large payload is asked before it is removed; they are few.
    index('messages_payload_location')
      .on(table.payloadLocation)
      .where(sql`payload_location is not null`),
  ],
)

/** A file, or one document of it, that was imported: what is needed to give back its exact bytes. */
export const importFiles = pgTable(
  'import_files',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    path: text('path').notNull(),
    /** '' for the file itself, otherwise which of its documents. */
    document: text('document').notNull(),
    format: text('format').notNull(),
    sizeBytes: bigint('size_bytes', { mode: 'number' }).notNull(),
    sha256: bytea('sha256').notNull(),
    modifiedAt: time('modified_at').notNull(),
    importedAt: time('imported_at').notNull(),
    /** Entries by kind. */
    counts: jsonb('counts').notNull(),
    sessionIds: uuid('session_ids').array().notNull(),
    /** The bytes between and around the entries, with the entries' message ids; compressed (`capture/file-layout.ts`). */
    layout: bytea('layout').notNull(),
    keyVersion: keyVersion(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    unique('import_files_path').on(table.tenantId, table.path, table.document),
  ],
)
