import type { TransactionSql } from 'postgres'

import type { SessionKey } from '../messages.ts'

/** A message whose own id may hold its hash, or that of its version. */
export interface HashedId {
  readonly seq: number
  readonly externalId: string
  /** As it is stored; undefined where the message was erased or anonymised: then it is of other bytes than those that the id is of. */
  readonly sha256: Uint8Array | undefined
  readonly keyVersion: number
}

/** In the order of their numbers. Uses the primary key. */
export async function readHashedIds(
  sql: TransactionSql,
  key: SessionKey,
  page: { readonly after: number; readonly limit: number },
): Promise<HashedId[]> {
  const rows = await sql<
    { seq: string; external_id: string; is_other: boolean; payload_sha256: Uint8Array; key_version: number }[]
  >`
    select seq, external_id, kind = 'erased' or anonymized_at is not null as is_other, payload_sha256, key_version from messages
    where tenant_id = ${key.tenantId} and session_id = ${key.sessionId} and seq > ${page.after}
      and (external_id ~ '^#[0-9a-f]{32}' or external_id ~ '~[0-9a-f]{16}$')
    order by seq limit ${page.limit}`
  return rows.map((row) => ({
    seq: Number(row.seq),
    externalId: row.external_id,
    sha256: row.is_other ? undefined : row.payload_sha256,
    keyVersion: row.key_version,
  }))
}

export async function storeIds(
  sql: TransactionSql,
  key: SessionKey,
  ids: readonly Pick<HashedId, 'seq' | 'externalId'>[],
): Promise<void> {
  const rows = JSON.stringify(ids.map(({ seq: q, externalId: e }) => ({ q, e })))
  await sql`
    update messages m set external_id = r.e from jsonb_to_recordset(${rows}::text::jsonb) as r(q bigint, e text)
    where m.tenant_id = ${key.tenantId} and m.session_id = ${key.sessionId} and m.seq = r.q and m.external_id <> r.e`
}
