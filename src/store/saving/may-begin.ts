import type { PendingQuery, Row } from 'postgres'

import type { EncryptionState } from '../keys/encryption-state.ts'
import type { Queries } from '../rows.ts'
import type { SaveRequest } from './save-messages.ts'

/**
 * Whether a new session is to be sealed as the request is, and what opens it is stored. A session that is there was committed
 * after its key, in the same log.
 */
export function mayBegin(
  sql: Queries,
  { tenantId, session, seal }: Pick<SaveRequest, 'tenantId' | 'session' | 'seal'>,
): PendingQuery<Row[]> {
  if (!session.create) return sql`true`
  const isState = (one: EncryptionState, other: EncryptionState) => sql`exists (
    select from encryption_states e where e.tenant_id = ${tenantId} and e.state in (${one}, ${other}))`
  if (seal === undefined) return sql`not ${isState('encrypted', 'encrypting')}`
  return sql`not ${isState('plain', 'decrypting')} and exists (
    select from encryption_keys k where k.tenant_id = ${tenantId} and k.purpose = 'session' and k.session_id = ${session.id}
      and k.version = ${seal.version} and k.wrapped is not null)`
}
