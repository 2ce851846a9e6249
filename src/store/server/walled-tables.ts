/** Tables whose rows tell what a session holds: whoever may not read it sees none of them. */
export const contentTables: ReadonlySet<string> = new Set([
  'archive_segments',
  'corrections',
  'embedded_units',
  'fact_sources',
  'facts',
  'message_names',
  'messages',
  'recall_feedback',
  'search_units',
  'session_heads',
  'summaries',
  'unit_vectors',
])

/** Who somebody is and how it is proved, keys, reasons that somebody gave, and what proves the audit log: kept from requests altogether. */
export const ownerTables: ReadonlySet<string> = new Set([
  'access_tokens',
  'audit_lost',
  'audit_seals',
  'encryption_keys',
  'principals',
  'pseudonyms',
  'reasons',
  'sync_peers',
  'synced_sessions',
])

/**
 * Who is restricted, what was corrected or erased, is written down outside of the walls; status counts what is not archived yet, searches look
 * which index of words counts, and the policies at who may do what in a session.
 */
const readTables = [
  'corrections',
  'encryption_states',
  'erasures',
  'import_files',
  'restricted_participants',
  'session_grants',
  'tombstones',
] as const

/** What a request may do with a table other than everything. Rows of the audit log are added and never changed. */
export const rightsOf: ReadonlyMap<string, string> = new Map([
  ['audit_log', 'select, insert'],
  ...readTables.map((name) => [name, 'select'] as const),
])
