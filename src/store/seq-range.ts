import type { PendingQuery, Row, Sql } from 'postgres'

import { andUsable } from './access/usable.ts'

/** A stretch of a session by number, both ends included. Uses the primary key. */
export interface SeqRange {
  readonly fromSeq: number
  readonly toSeq?: number | undefined
  readonly limit: number
  /** Leaves out what a transcript records beside the conversation: notices, settings, counts. */
  readonly withoutEvents?: boolean
  /** Asks what the messages are flagged for; of no use without their bytes. */
  readonly withFlags?: boolean
  /** Leaves out what is not to be used: what is restricted, or was corrected. */
  readonly usable?: boolean
  /** Leaves out what is larger, before it is read. */
  readonly payloadBytesMax?: number | undefined
  /** Of this sender alone. */
  readonly sender?: string | undefined
  /** Of this time alone, both ends included. */
  readonly since?: string | undefined
  readonly until?: string | undefined
}

/** Messages of several sessions. */
export interface WantedPlaces {
  readonly places: readonly { readonly sessionId: string; readonly seq: number }[]
  /** Leaves out what is larger, before it is read. */
  readonly payloadBytesMax?: number
  /** Also what the index has found in them; it is read unless this is false. */
  readonly withFlags?: boolean
}

/** The condition on `messages` that they are in it. */
export function inRange(
  sql: Sql,
  { tenantId, sessionId }: { readonly tenantId: number; readonly sessionId: string },
  range: SeqRange,
): PendingQuery<Row[]> {
  return sql`messages.tenant_id = ${tenantId} and messages.session_id = ${sessionId} and seq >= ${range.fromSeq}
    ${range.toSeq === undefined ? sql`` : sql`and seq <= ${range.toSeq}`}
    ${range.withoutEvents === true ? sql`and kind <> 'event'` : sql``}
    ${range.usable === true ? andUsable(sql, tenantId) : sql``}
    ${range.payloadBytesMax === undefined ? sql`` : sql`and payload_bytes <= ${range.payloadBytesMax}`}
    ${range.sender === undefined ? sql`` : sql`and sender = ${range.sender}`}
    ${range.since === undefined ? sql`` : sql`and timestamp >= ${range.since}`}
    ${range.until === undefined ? sql`` : sql`and timestamp <= ${range.until}`}`
}
