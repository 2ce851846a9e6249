import { sql, type SQL } from 'drizzle-orm'
import {
  bigint,
  boolean,
  customType,
  index,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  uuid,
} from 'drizzle-orm/pg-core'

import { bytea, tenantId } from './column-types.ts'

const time = (name: string) => timestamp(name, { withTimezone: true, precision: 3 })
/** The number of a transaction, which never comes again. */
const xid8 = customType<{ data: string }>({ dataType: () => 'xid8' })
const bigints = customType<{ data: string }>({ dataType: () => 'bigint[]' })

/** What a transaction was told of the call that it is a part of: a save of several messages writes its row within the function that saves. */
const ofCall = (name: string, type = 'text'): SQL =>
  sql.raw(`(nullif(current_setting('verbatim.call', true), '')::jsonb ->> '${name}')::${type}`)

/**
 * Who did what, without content. Rows are only ever added, in the transaction of the deed, so that none is there without the
 * other; they are sealed after that (`audit_seals`), so that no save waits for another.
 */
export const auditLog = pgTable(
  'audit_log',
  {
    id: bigint('id', { mode: 'number' }).notNull().generatedAlwaysAsIdentity(),
    tenantId: tenantId(),
    at: time('at').notNull().defaultNow(),
    actor: text('actor').notNull(),
    actorKind: text('actor_kind').notNull(),
    client: text('client'),
    action: text('action').notNull(),
    objectKind: text('object_kind'),
    objectId: text('object_id'),
    outcome: text('outcome').notNull(),
    /** A word of ours; of what somebody gave a reason for, which one of `reasons`. */
    reason: text('reason'),
    count: bigint('count', { mode: 'number' }),
    bytes: bigint('bytes', { mode: 'number' }),
    requestId: text('request_id').default(ofCall('request')),
    /** `token`, `oauth`, or `local` for who has the machine or the address of the database. */
    authMethod: text('auth_method').default(ofCall('auth')),
    tokenId: uuid('token_id').default(ofCall('token', 'uuid')),
    /** The door: `stdio`, `http`, `cli`. */
    origin: text('origin').default(ofCall('origin')),
    /** The tool, resource, prompt or command by its name. */
    tool: text('tool').default(ofCall('tool')),
    /** Which rules of access decided. */
    policyVersion: smallint('policy_version').default(ofCall('policy', 'smallint')),
    traceId: text('trace_id').default(ofCall('trace')),
    /** What was shown: `<session>` for its head, `<session>/<first seq>-<last seq>` for messages. */
    objects: text('objects').array(),
    /** The transaction that wrote the row: what is visible now and was not in an earlier snapshot is what has come since. */
    writtenIn: xid8('written_in')
      .notNull()
      .default(sql`pg_current_xact_id()`),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    index('audit_log_by_transaction').on(table.writtenIn),
    // The newest change, however much has been read since.
    index('audit_log_changes')
      .on(table.tenantId, table.id)
      .where(sql`action not like 'call.%'`),
  ],
)

/**
 * Seals of rows, numbered from 1 in each tenant without a gap. Each holds the SHA-256 of its rows and the hash of the seal
 * before it. Only ever added.
 */
export const auditSeals = pgTable(
  'audit_seals',
  {
    tenantId: tenantId(),
    number: bigint('number', { mode: 'number' }).notNull(),
    /** Which columns a row's hash is of (`audit-chain.ts`). */
    format: smallint('format').notNull(),
    rowIds: bigints('row_ids').notNull(),
    /** The lowest and the highest of them. */
    firstId: bigint('first_id', { mode: 'number' }).notNull(),
    lastId: bigint('last_id', { mode: 'number' }).notNull(),
    /** 32 bytes a row, in the order of `row_ids`. */
    rowHashes: bytea('row_hashes').notNull(),
    previousHash: bytea('previous_hash').notNull(),
    sealedAt: time('sealed_at').notNull(),
    sealedIn: xid8('sealed_in').notNull(),
    hash: bytea('hash').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.number] }),
    index('audit_seals_by_last_id').on(table.tenantId, table.lastId),
  ],
)

/** How many rows of calls were lost, until the log takes one that says so. */
export const auditLost = pgTable(
  'audit_lost',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    count: bigint('count', { mode: 'number' }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.id] })],
)

/** How far the log is sealed: one row for the whole store. What is wrong here makes rows be sealed late, never unseen. */
export const auditSealing = pgTable('audit_sealing', {
  isIt: boolean('is_it').primaryKey().default(true),
  /** All rows that are visible in this snapshot are sealed; null where each has to be compared with the seals. */
  sealedSnapshot: text('sealed_snapshot'),
  /** The snapshot that is being worked off, and the row up to which it is. */
  targetSnapshot: text('target_snapshot'),
  cursorTenant: bigint('cursor_tenant', { mode: 'number' }).notNull().default(0),
  cursorId: bigint('cursor_id', { mode: 'number' }).notNull().default(0),
  /** Rows up to this one are of another server's transactions, whose numbers say nothing here. */
  floorId: bigint('floor_id', { mode: 'number' }).notNull().default(0),
  /** The server by its own number, where it may be asked. */
  server: text('server'),
})
