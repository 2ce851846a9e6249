import { identifier, text, type SqlText } from '../sql-text.ts'
import type { ErasedThere } from './erased-there.ts'

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
  /** Whether it says something of the whole store, and is moved into one that has neither sessions nor keys alone. */
  readonly onlyIntoEmpty?: true
  /** Rows `r` that need not come where their place at the target is taken. */
  readonly dispensable?: SqlText
  /** Columns of a row that is replaced which get another value than the source's. */
  readonly kept?: ReadonlyMap<string, SqlText>
  /**
   * Which rows stay at the source, as they may say what was erased or anonymised at the target: a condition on `t` and what is so,
   * `gone` (`ErasedThere`).
   */
  readonly stays?: (gone: SqlText) => SqlText
}

/** A fact that stands at a message of those goes whole, with the other places that it stands at. */
const isOfFact = (gone: SqlText, factId: SqlText): SqlText => text`exists (
  select from fact_sources x join ${gone} on x.session_id = s and x.seq between f and l
  where x.tenant_id = t.tenant_id and x.fact_id = ${factId})`

const isOfErased = (gone: SqlText): SqlText => text`exists (select from ${gone} where w and s = t.session_id)`

const sessionsTable: MovedTable = {
  name: 'sessions',
  rule: {
    // Never a session whose own messages go further: its next one would get a number that is taken.
    olderWhere: text`t.version < r.version and t.last_seq <= r.last_seq`,
    aheadWhere: text`t.version > r.version and t.last_seq >= r.last_seq`,
  },
}

/** Sessions that an erasure has changed at the target: that it has changed them there contradicts nothing. */
function changedSessions(kept: readonly string[]): MovedTable {
  return {
    name: 'sessions',
    rule: {
      olderWhere: text`t.last_seq < r.last_seq or (t.last_seq = r.last_seq and t.version < r.version)`,
      aheadWhere: text`t.version >= r.version and t.last_seq >= r.last_seq`,
    },
    kept: new Map([
      ...kept.map((name): [string, SqlText] => [name, text`t.${identifier(name)}`]),
      ['version', text`greatest(t.version + 1, r.version)`],
      // Who has read messages before they were erased does not write of them.
      ['erasures', text`greatest(t.erasures, r.erasures)`],
      ['restrictions', text`greatest(t.restrictions, r.restrictions)`],
    ]),
  }
}

const parentColumns = ['parent_session_id', 'parent_external_id']

/** What a session says of itself may quote what was erased of it. Names come with the messages that are copied. */
const ownColumns = [
  'title',
  'metadata',
  'key_version',
  'anonymized_at',
  'tags',
  'participants',
  'models_used',
  'last_model',
  'payload_bytes',
  ...parentColumns,
]

/** Sessions by what was erased or anonymised of them at the target, each with the condition on `t` for them. */
export function sessionTables(
  erasedThere: ErasedThere,
): readonly { readonly table: MovedTable; readonly where: SqlText }[] {
  const gone = text`exists (select from ${erasedThere.table} where s = t.id)`
  const children = JSON.stringify([...erasedThere.children])
  const child = text`t.id in (select jsonb_array_elements_text(${children}::text::jsonb)::uuid)`
  const partly = text`exists (select from ${erasedThere.table} where s = t.id and not w)`
  return [
    { table: sessionsTable, where: text`not ${gone} and not ${child}` },
    { table: changedSessions(parentColumns), where: text`not ${gone} and ${child}` },
    { table: changedSessions(ownColumns), where: partly },
  ]
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
  { name: 'session_grants', stays: isOfErased },
  {
    name: 'encryption_keys',
    // Destroyed there, or made here since.
    stays: isOfErased,
    // Nothing is under it: a store that was decrypted has those alone.
    dispensable: text`r.destroyed_at is not null`,
    rule: {
      // One that was destroyed stays so.
      olderWhere: text`t.destroyed_at is null and (r.destroyed_at is not null or coalesce(t.rotated_at, t.created_at) < coalesce(r.rotated_at, r.created_at))`,
      aheadWhere: text`t.destroyed_at is not null or coalesce(t.rotated_at, t.created_at) > coalesce(r.rotated_at, r.created_at)`,
    },
  },
  // What the target is by now stays so, also where that is said by no row: its words are hashed accordingly.
  {
    name: 'encryption_states',
    onlyIntoEmpty: true,
    rule: { olderWhere: text`false`, aheadWhere: text`true` },
  },
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
    // With what says of a whole file that it was imported: the next import reads it.
    stays: (gone) => text`(exists (select from ${gone} where s = any(t.session_ids)) or (t.document = '*' and exists (
      select from import_files d join ${gone} on s = any(d.session_ids) where d.tenant_id = t.tenant_id and d.path = t.path)))`,
  },
  // Sealed under the keys of their sessions, which come along, and under one that is in neither store. One that is there stays.
  {
    name: 'pseudonyms',
    stays: (gone) => text`exists (select from ${gone} where s = t.session_id)`,
    rule: { olderWhere: text`false`, aheadWhere: text`true` },
  },
  // One that was erased stays so. Of two seals of the same the one that is there stays.
  {
    name: 'reasons',
    stays: (gone) => text`exists (
      select from ${gone} where s = t.session_id and (w or not e or t.about is not null))`,
    rule: { olderWhere: text`r.body is null`, aheadWhere: text`r.body is not null or t.body is null` },
  },
  { name: 'summaries', stays: (gone) => text`exists (select from ${gone} where s = t.session_id)` },
  {
    name: 'corrections',
    stays: (gone) => text`exists (
      select from ${gone} where e and s = t.session_id and (t.seq between f and l or t.correction_seq between f and l))`,
  },
  // What somebody has changed by hand last counts. Of what both have learned from the same words that of the target stays.
  {
    name: 'facts',
    stays: (gone) => isOfFact(gone, text`t.id`),
    rule: {
      olderWhere: text`r.changed_at is not null and (t.changed_at is null or t.changed_at < r.changed_at)`,
      aheadWhere: text`r.changed_at is null or t.changed_at >= r.changed_at`,
    },
  },
  { name: 'fact_sources', stays: (gone) => isOfFact(gone, text`t.fact_id`) },
  // By a model that was paid for it. What both have read stays as the target has it.
  {
    name: 'message_names',
    stays: (gone) => text`exists (select from ${gone} where s = t.session_id)`,
    rule: { olderWhere: text`false`, aheadWhere: text`true` },
  },
  {
    name: 'recall_feedback',
    stays: (gone) => text`exists (select from ${gone} where s = t.session_id and t.seq between f and l)`,
  },
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
  synced_sessions: 'how far this store has exchanged its history says nothing of another',
  session_heads: 'noted anew when the target exchanges its history with another store',
  audit_lost: 'which rows this store lost is said in its own log',
  audit_seals: 'the rows are sealed anew at the end of the log there',
  retention_sweeps: 'counted from when the policies come to the target',
  ranking_weights: 'learned anew there of recall_feedback, with the next result that is opened',
  archive_segments: 'archived anew by the background work of the target',
  archive_manifests: 'archived anew by the background work of the target',
} as const
