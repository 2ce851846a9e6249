import { createHash } from 'node:crypto'

import type { AuditRow } from '../store/audit/audit-rows.ts'

/**
 * The columns of a row of the audit log that its hash is of, in this order. All but its number, which the seal holds beside
 * the hash: so rows that changed places are told from rows that were edited. A further column makes a further format.
 */
const sealedColumns = [
  'tenant_id',
  'at',
  'actor',
  'actor_kind',
  'client',
  'action',
  'object_kind',
  'object_id',
  'outcome',
  'reason',
  'count',
  'bytes',
  'request_id',
  'auth_method',
  'token_id',
  'origin',
  'tool',
  'policy_version',
  'trace_id',
  'objects',
  'written_in',
] as const satisfies readonly (keyof AuditRow)[]
export const sealFormat = 1

export interface SealedRow {
  readonly id: number
  /** SHA-256 in hexadecimal. */
  readonly hash: string
}

export interface SealBody {
  readonly tenantId: number
  /** From 1, without a gap. */
  readonly number: number
  readonly format: number
  readonly rows: readonly SealedRow[]
  /** Of the seal before it, in hexadecimal; of the first, nothing. */
  readonly previousHash: string
  /** Milliseconds since 1970. */
  readonly sealedAtMs: number
  /** The transaction that wrote it. */
  readonly sealedIn: string
}

export const beforeFirst = '0'.repeat(64)

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

export function hashOfRow(row: AuditRow): string {
  return sha256(JSON.stringify(['verbatim audit row', sealFormat, ...sealedColumns.map((name) => row[name])]))
}

export function hashOfSeal(seal: SealBody): string {
  const { tenantId, number, format, rows, previousHash, sealedAtMs, sealedIn } = seal
  const pairs = rows.flatMap(({ id, hash }) => [id, hash])
  return sha256(
    JSON.stringify(['verbatim audit seal', tenantId, number, format, previousHash, sealedAtMs, sealedIn, ...pairs]),
  )
}
