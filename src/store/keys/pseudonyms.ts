import type { KeyObject } from 'node:crypto'

import { BrokenSeal, openBytes, sealBytes } from '../../crypto/aead.ts'
import type { RowSeal } from '../../crypto/row-seal.ts'
import { deriveKey } from '../../crypto/wrapped-key.ts'
import type { Viewer } from '../../model/access.ts'
import { andOpen } from '../access/session-access.ts'
import type { Database } from '../database.ts'
import type { SessionKey } from '../messages.ts'
import type { Queries } from '../rows.ts'

/**
 * What seals the vault of a session: made of the secret of pseudonyms, which is not in the store, and of the key of the session
 * where it has one, so that who destroys that key closes the vault in every copy of it.
 */
function vaultKey(secret: Uint8Array, seal: RowSeal | undefined): KeyObject {
  const own = seal?.digest(Buffer.from('pseudonyms')) ?? new Uint8Array()
  return deriveKey(Buffer.concat([secret, own]), 'pseudonyms')
}

function placeOf({ tenantId, sessionId }: SessionKey, token: string): string {
  return ['verbatim pseudonym', 1, tenantId, sessionId, token].join('|')
}

/** Keeps what tokens of a session stand for, sealed. One that is kept already under the same key stays as it is. */
export async function keepPseudonyms(
  database: Database,
  key: SessionKey,
  { secret, given }: { readonly secret: Uint8Array; readonly given: ReadonlyMap<string, string> },
): Promise<void> {
  if (given.size === 0) return
  const seal = await database.vault.sealOf(key.tenantId, key.sessionId, 'give pseudonyms of')
  const sealing = vaultKey(secret, seal)
  const rows = [...given].map(([token, value]) => {
    const sealed = sealBytes(sealing, Buffer.from(value, 'utf8'), { boundTo: placeOf(key, token) })
    return { t: token, s: sealed.toString('hex') }
  })
  // Of a session that was erased meanwhile nothing is kept: its row is locked until it is known which came first.
  await (database.unwalled ?? database).run(
    (sql) => sql`
    insert into pseudonyms (tenant_id, session_id, token, sealed, key_version)
    select s.tenant_id, s.id, r.t, decode(r.s, 'hex'), ${seal?.version ?? 0}
    from (select tenant_id, id from sessions where tenant_id = ${key.tenantId} and id = ${key.sessionId} for key share) s,
      jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as r(t text, s text)
    on conflict (tenant_id, session_id, token) do update set sealed = excluded.sealed, key_version = excluded.key_version
      where pseudonyms.key_version <> excluded.key_version`,
  )
}

export interface KeptPseudonym extends SessionKey {
  readonly token: string
  readonly sealed: Uint8Array
}

/** Where a token was given, as far as the viewer owns the sessions. Uses `pseudonyms_by_token`. */
export async function findPseudonyms(
  sql: Queries,
  viewer: Viewer,
  wanted: { readonly token: string; readonly limit: number },
): Promise<KeptPseudonym[]> {
  const rows = await sql<{ session_id: string; sealed: Uint8Array }[]>`
    select p.session_id, p.sealed from pseudonyms p
    where p.tenant_id = ${viewer.tenantId} and p.token = ${wanted.token} and exists (
      select from sessions where tenant_id = ${viewer.tenantId} and id = p.session_id ${andOpen(sql, viewer, 'manage')})
    order by p.session_id limit ${wanted.limit}`
  return rows.map(({ session_id: sessionId, sealed }) => ({
    tenantId: viewer.tenantId,
    sessionId,
    token: wanted.token,
    sealed,
  }))
}

/** What a token stands for; undefined where it was sealed under another secret, or under a key of the session that is gone. */
export async function openPseudonym(
  { vault }: Pick<Database, 'vault'>,
  kept: KeptPseudonym,
  secret: Uint8Array,
): Promise<string | undefined> {
  const seal = await vault.sealOf(kept.tenantId, kept.sessionId, 'give pseudonyms of')
  // A session may have been encrypted since.
  for (const possible of seal === undefined ? [undefined] : [seal, undefined])
    try {
      return openBytes(vaultKey(secret, possible), kept.sealed, placeOf(kept, kept.token)).toString('utf8')
    } catch (error) {
      if (!(error instanceof BrokenSeal)) throw error
    }
  return undefined
}
