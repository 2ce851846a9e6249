/** On whose behalf a call is made. Every store operation is bound to its tenant. */
export interface Caller {
  readonly tenantId: number
  /** Who acts, as the audit log names it. */
  readonly principal: string
  /** The program that calls, in its own words: an MCP client's name and version, `cli`. */
  readonly client: string
}

/** The owner of an embedded store: one tenant, one person. */
export function localCaller(client: string): Caller {
  return { tenantId: 1, principal: 'local', client }
}
