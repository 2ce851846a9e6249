import type { TransactionSql } from 'postgres'

import { UnavailableError } from '../../errors.ts'
import type { Queries } from '../rows.ts'

/** What a tenant's store is, or is becoming. */
export type EncryptionState = 'plain' | 'encrypted' | 'encrypting' | 'decrypting'

/** The index of words that searches look at, and whether the next version of it is being made, under the other kind of key. */
export interface TermsState {
  readonly version: number
  readonly isKeyed: boolean
  readonly hasNext: boolean
}

/** What was asked for by a conversion. Where there never was one the settings say what is sealed. */
export interface StoredState {
  readonly state: EncryptionState
  readonly terms: TermsState
}

/** Whether what is new is sealed. */
export function sealsNew(state: EncryptionState): boolean {
  return state === 'encrypted' || state === 'encrypting'
}

interface RawState {
  readonly state: EncryptionState
  readonly terms_version: number
  readonly terms_keyed: boolean
  readonly next_terms: boolean
}

function fromRow(row: RawState): StoredState {
  return {
    state: row.state,
    terms: { version: row.terms_version, isKeyed: row.terms_keyed, hasNext: row.next_terms },
  }
}

/** Undefined where nothing was ever converted. */
export async function readEncryptionState(sql: Queries, tenantId: number): Promise<StoredState | undefined> {
  const [row] = await sql<RawState[]>`
    select state, terms_version, terms_keyed, next_terms from encryption_states where tenant_id = ${tenantId}`
  return row === undefined ? undefined : fromRow(row)
}

/** The same, and nobody changes it until the transaction ends. */
export async function lockEncryptionState(sql: TransactionSql, tenantId: number): Promise<StoredState | undefined> {
  const [row] = await sql<RawState[]>`
    select state, terms_version, terms_keyed, next_terms from encryption_states where tenant_id = ${tenantId} for update`
  return row === undefined ? undefined : fromRow(row)
}

/**
 * Keeps the index of words as it is until the transaction ends, for who writes to it what was made before. Throws
 * UnavailableError where it is another by then: what was hashed for the one before would be found by nobody.
 */
export async function holdTerms(
  sql: TransactionSql,
  tenantId: number,
  expected: TermsState | undefined,
): Promise<void> {
  const [row] = await sql<RawState[]>`
    select state, terms_version, terms_keyed, next_terms from encryption_states where tenant_id = ${tenantId} for share`
  if (isSame(row === undefined ? undefined : fromRow(row).terms, expected)) return
  throw new UnavailableError('Cannot write to the index as its words are hashed under another key by now', {
    remedy: 'It is tried again by itself',
  })
}

/**
 * Whether the index of words is still as it was, for who may not keep it so, as requests within the walls: to be asked last in a
 * transaction.
 */
export async function hasTerms(sql: Queries, tenantId: number, expected: TermsState | undefined): Promise<boolean> {
  return isSame((await readEncryptionState(sql, tenantId))?.terms, expected)
}

function isSame(now: TermsState | undefined, expected: TermsState | undefined): boolean {
  return now?.version === expected?.version && now?.isKeyed === expected?.isKeyed && now?.hasNext === expected?.hasNext
}
