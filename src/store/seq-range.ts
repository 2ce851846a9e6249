import type { PendingQuery, Row, Sql } from 'postgres'

/** A stretch of a session by number, both ends included. Uses the primary key. */
export interface SeqRange {
  readonly fromSeq: number
  readonly toSeq?: number | undefined
  readonly limit: number
  /** Leaves out what a transcript records beside the conversation: notices, settings, counts. */
  readonly withoutEvents?: boolean
  /** Of this sender alone. */
  readonly sender?: string | undefined
}

/** The condition on `messages` that they are in it. */
export function inRange(
  sql: Sql,
  { tenantId, sessionId }: { readonly tenantId: number; readonly sessionId: string },
  range: SeqRange,
): PendingQuery<Row[]> {
  return sql`tenant_id = ${tenantId} and session_id = ${sessionId} and seq >= ${range.fromSeq}
    ${range.toSeq === undefined ? sql`` : sql`and seq <= ${range.toSeq}`}
    ${range.withoutEvents === true ? sql`and kind <> 'event'` : sql``}
    ${range.sender === undefined ? sql`` : sql`and sender = ${range.sender}`}`
}
