import { text, type SqlText } from '../sql-text.ts'

/**
 * What becomes of a row that is at both stores with another content: the source's takes its place where `olderWhere` holds,
 * and the target's stays where `aheadWhere` does. `t` is the target's row, `r` the source's. A table without such a rule has
 * rows that never change: another content is a contradiction.
 */
export interface ChangeRule {
  readonly olderWhere: SqlText
  readonly aheadWhere: SqlText
}

export interface MovedTable {
  readonly name: string
  readonly rule?: ChangeRule
}

export const sessionsTable: MovedTable = {
  name: 'sessions',
  rule: {
    // Never a session whose own messages go further: its next one would get a number that is taken.
    olderWhere: text`t.version < r.version and t.last_seq <= r.last_seq`,
    aheadWhere: text`t.version > r.version and t.last_seq >= r.last_seq`,
  },
}

/**
 * A message never changes, but that it may be erased or anonymised: then it stays so, at whichever of the two that was. Where it
 * was anonymised at the source alone, what is made of it at the target is of what it said before: it is anonymised there.
 */
export const messagesTable: MovedTable = {
  name: 'messages',
  rule: {
    olderWhere: text`r.kind = 'erased'`,
    aheadWhere: text`t.kind = 'erased' or t.anonymized_at is not null or r.anonymized_at is not null`,
  },
}

/**
 * The tables that are copied row by row before the sessions, so that all messages that they speak of come after them.
 */
export const plainTables: readonly MovedTable[] = [
  // Whoever was given a session, and by whom, is part of the session.
  { name: 'principals' },
  { name: 'session_grants' },
  {
    name: 'encryption_keys',
    rule: {
      // One that was destroyed stays so.
      olderWhere: text`t.destroyed_at is null and (r.destroyed_at is not null or coalesce(t.rotated_at, t.created_at) < coalesce(r.rotated_at, r.created_at))`,
      aheadWhere: text`t.destroyed_at is not null or coalesce(t.rotated_at, t.created_at) > coalesce(r.rotated_at, r.created_at)`,
    },
  },
  // What the target is by now stays so: its words are hashed accordingly.
  { name: 'encryption_states', rule: { olderWhere: text`false`, aheadWhere: text`true` } },
  { name: 'retention_policies' },
  // Of two reasons why somebody is restricted the one that is there stays.
  { name: 'restricted_participants', rule: { olderWhere: text`false`, aheadWhere: text`true` } },
  {
    name: 'erasures',
    rule: { olderWhere: text`t.completed_at is null`, aheadWhere: text`t.completed_at is not null` },
  },
  { name: 'tombstones' },
  {
    name: 'import_files',
    rule: { olderWhere: text`t.imported_at < r.imported_at`, aheadWhere: text`t.imported_at > r.imported_at` },
  },
  { name: 'summaries' },
  { name: 'corrections' },
  // What somebody has changed by hand last counts. Of what both have learned from the same words that of the target stays.
  {
    name: 'facts',
    rule: {
      olderWhere: text`r.changed_at is not null and (t.changed_at is null or t.changed_at < r.changed_at)`,
      aheadWhere: text`r.changed_at is null or t.changed_at >= r.changed_at`,
    },
  },
  { name: 'fact_sources' },
  { name: 'recall_feedback' },
]

/** Tables that are moved in a way of their own, and how. */
export const movedOtherwise = {
  sessions: 'first of each session, with the number of its last message',
  messages: 'session by session, with their vectors and the work of indexing them',
  embedding_models: 'the one model whose vectors are moved, under a number that is free',
  embedded_units: 'with the messages',
  unit_vectors: 'with the messages, where pgvector is at both ends',
  audit_log: 'added to the end of the log, under new numbers',
} as const

/** Tables that are not moved, and why the target has what they hold all the same, or is not to have it. */
export const notMoved = {
  search_units: 'made anew by the background work of the target',
  term_stats: 'counted anew with search_units',
  corpus_stats: 'counted anew with search_units',
  outbox: 'what is to be done at the target follows from what was moved there',
  access_tokens: 'who may open a laptop must not by that open a server: tokens are made where they are used',
  sync_peers: 'how far this store has exchanged its history says nothing of another',
  pseudonyms: 'kept anew where a session is read in pseudonyms, under the key that is there',
  audit_seals: 'the rows are sealed anew at the end of the log there',
  retention_sweeps: 'counted from when the policies come to the target',
  archive_segments: 'archived anew by the background work of the target',
  archive_manifests: 'archived anew by the background work of the target',
} as const
