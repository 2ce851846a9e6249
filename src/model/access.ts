import type { Call, Door } from './call.ts'

/** What a caller may do, by the kind of action. */
export const scopes = [
  'memory:read',
  'memory:redacted',
  'memory:write',
  'memory:delete',
  'memory:export',
  'memory:admin',
] as const
export type Scope = (typeof scopes)[number]

/**
 * What a principal may do with one session that is shared with some only: `owner` everything, `writer` read and save,
 * `reader` read, `auditor` see its head (title, participants, totals) and no message. A session that was shared with
 * nobody in particular is open to the whole tenant.
 */
export const sessionRoles = ['owner', 'writer', 'reader', 'auditor'] as const
export type SessionRole = (typeof sessionRoles)[number]

/** What is to be done with a session, and the roles that may. */
export const rolesThatMay = {
  list: ['owner', 'writer', 'reader', 'auditor'],
  read: ['owner', 'writer', 'reader'],
  write: ['owner', 'writer'],
  manage: ['owner'],
} as const satisfies Readonly<Record<string, readonly SessionRole[]>>
export type SessionAction = keyof typeof rolesThatMay

/** On whose behalf rows are read and written. */
export interface Viewer {
  readonly tenantId: number
  /** Whose roles decide which sessions are there; absent for who may see all of the tenant. */
  readonly principalId?: string | undefined
  /** What it is a part of. */
  readonly call?: Call | undefined
}

/** On whose behalf a call is made. Every store operation is bound to its tenant. */
export interface Caller extends Viewer {
  /** How everything is shown that the caller reads, where it may not see personal data; absent for who may. */
  readonly view?: 'redacted' | undefined
  /** Whether it may save, and see nothing of what was said. */
  readonly readsNothing?: true | undefined
  /** Who acts, as the audit log names it. */
  readonly principal: string
  /** The program that calls, in its own words: an MCP client's name and version, `cli`. */
  readonly client: string
  /** How they came in; the command line where it is not said. */
  readonly door?: Door | undefined
}

/** The tenant of an embedded store, and the first of a server. */
export const firstTenantId = 1

/** Whoever uses a store from its own machine, or with the database's own address: the owner of all of the tenant. */
export function localCaller(client: string, tenantId = firstTenantId): Caller {
  return { tenantId, principal: 'local', client }
}
