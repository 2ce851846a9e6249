/** What a caller may do, by the kind of action. */
export const scopes = ['memory:read', 'memory:write', 'memory:delete', 'memory:export', 'memory:admin'] as const
export type Scope = (typeof scopes)[number]

/** On whose behalf a call is made. Every store operation is bound to its tenant. */
export interface Caller {
  readonly tenantId: number
  /** Who acts, as the audit log names it. */
  readonly principal: string
  /** The program that calls, in its own words: an MCP client's name and version, `cli`. */
  readonly client: string
}

/** The tenant of an embedded store, and the first of a server. */
export const firstTenantId = 1

/** The owner of a store that is used from its own machine: one tenant, one person. */
export function localCaller(client: string): Caller {
  return { tenantId: firstTenantId, principal: 'local', client }
}
