import type { TransactionSql } from 'postgres'

import { tombstonePrefix } from '../../model/messages/tombstone.ts'
import { placeFactsAgain } from '../learning/session-projects.ts'
import type { SessionKey } from '../messages.ts'
import { eraseLostCorrections, eraseSessionReasons } from '../rights/reasons.ts'
import { upcomingHash } from '../vectors/upcoming-vectors.ts'
import { embedTopic } from '../work/outbox.ts'
import type { LockedSession } from './erase-rows.ts'
import type { FoundHead } from './lasting-head.ts'
import type { ErasedCounts } from './receipts.ts'

/**
 * Imported documents that held a session: put together again they would show what was erased. Returns the ids of the rows, and
 * how many documents they were of.
 */
async function eraseImportFiles(
  sql: TransactionSql,
  key: SessionKey,
): Promise<{ readonly files: string[]; readonly documents: number }> {
  const rows = await sql<{ id: string; path: string }[]>`
    delete from import_files where tenant_id = ${key.tenantId} and ${key.sessionId}::uuid = any(session_ids) returning id, path`
  if (rows.length === 0) return { files: [], documents: 0 }
  const paths = JSON.stringify(rows.map(({ path }) => path))
  // What says of a whole file that it was imported goes with them: the next import reads it, and passes over what was erased.
  const whole = await sql<{ id: string }[]>`
    delete from import_files where tenant_id = ${key.tenantId} and document = '*'
      and path in (select jsonb_array_elements_text(${paths}::text::jsonb)) returning id`
  const ids = [...rows, ...whole].map(({ id }) => id)
  await sql`
    delete from archive_manifests where tenant_id = ${key.tenantId} and kind = 'file'
      and subject_id in (select jsonb_array_elements_text(${JSON.stringify(ids)}::text::jsonb)::uuid)`
  return { files: ids, documents: rows.length }
}

/**
 * When messages of a session were last erased or anonymised, wherever that was first: a store that learns of it later must not take for
 * older what was said since.
 */
function lastErasedAt(sql: TransactionSql, { tenantId, sessionId }: SessionKey) {
  return sql`
    select max(erased_at) from (
      select min(t.erased_at) as erased_at from messages m
      cross join (values ('message', ${tombstonePrefix.message}), ('anonymised', ${tombstonePrefix.anonymised})) as k(kind, prefix)
      join tombstones t on t.tenant_id = ${tenantId} and t.kind = k.kind and not t.is_local
        and t.hash = sha256(convert_to(k.prefix || m.id::text, 'UTF8'))
      left join erasures e on e.tenant_id = t.tenant_id and e.id = t.erasure_id
      where m.tenant_id = ${tenantId} and m.session_id = ${sessionId} and (m.kind = 'erased' or m.anonymized_at is not null)
        and coalesce(e.scope not in ('retention', 'repetition'), true)
      group by m.id, k.kind
    ) first`
}

/**
 * Has what was said of a session before its messages were erased come back from no other store, as it may quote them. What retention
 * removes is gone from this store alone, and what others say of it stays. Of what was said here what `stays` is kept; the rest is as it was found.
 */
export async function noteErasedHead(
  sql: TransactionSql,
  { tenantId, sessionId }: SessionKey,
  { erasureId, stays }: { readonly erasureId: string } & Pick<FoundHead, 'stays'>,
): Promise<void> {
  const erasedAt = sql`floor(extract(epoch from coalesce((${lastErasedAt(sql, { tenantId, sessionId })}), clock_timestamp())) * 1000)`
  await sql`
    update session_heads set key_version = 0, body = convert_to((${stays}::text::jsonb || case
      when exists (select from erasures where tenant_id = ${tenantId} and id = ${erasureId} and scope = 'retention') then '{}'::jsonb
      else jsonb_build_object('erased_at', ${erasedAt}) end)::text, 'UTF8')
    where tenant_id = ${tenantId} and session_id = ${sessionId}`
}

/**
 * What is made of a session as a whole, and what its archive is known to hold. Of messages that were erased nothing stays; extracts of
 * segments that lost none do, and reasons that were given for others, where `untouched` says so.
 */
async function eraseMade(
  sql: TransactionSql,
  key: SessionKey,
  { untouched }: { readonly untouched: 'stays' | 'goes' },
): Promise<ErasedSession> {
  const { tenantId, sessionId } = key
  const { files, documents } = await eraseImportFiles(sql, key)
  const stays =
    untouched === 'goes'
      ? sql``
      : sql`and not (u.level = 'segment' and u.style = 'extract' and not exists (
        select from messages m where m.tenant_id = ${tenantId} and m.session_id = ${sessionId} and m.kind = 'erased'
          and m.seq between u.first_seq and u.last_seq))`
  const summaries = await sql`
    delete from summaries u where u.tenant_id = ${tenantId} and u.session_id = ${sessionId} ${stays}`
  const pseudonyms = await sql`delete from pseudonyms where tenant_id = ${tenantId} and session_id = ${sessionId}`
  const reasons = await (untouched === 'goes' ? eraseSessionReasons : eraseLostCorrections)(sql, key)
  await sql`delete from archive_segments where tenant_id = ${tenantId} and session_id = ${sessionId}`
  await sql`delete from archive_manifests where tenant_id = ${tenantId} and kind = 'session' and subject_id = ${sessionId}`
  const counts = { import_files: documents, summaries: summaries.count, pseudonyms: pseudonyms.count, reasons }
  return { counts, files }
}

interface ErasedSession {
  readonly counts: Partial<ErasedCounts>
  /** Imported documents that are to be removed from the archive. */
  readonly files: readonly string[]
}

/** Removes the session itself, when its messages are gone, with everything that names it. */
export async function eraseSessionRow(
  sql: TransactionSql,
  key: SessionKey,
  { session, itemId }: { readonly session: LockedSession; readonly itemId: number },
): Promise<ErasedSession> {
  const { tenantId, sessionId } = key
  const { counts, files } = await eraseMade(sql, key, { untouched: 'goes' })
  await sql`delete from session_heads where tenant_id = ${tenantId} and session_id = ${sessionId}`
  await sql`delete from synced_sessions where tenant_id = ${tenantId} and session_id = ${sessionId}`
  await sql`delete from session_grants where tenant_id = ${tenantId} and session_id = ${sessionId}`
  await forgetWork(sql, key, itemId)
  await sql`
    update sessions set parent_session_id = null, parent_external_id = null, version = version + 1
    where tenant_id = ${tenantId} and (parent_session_id = ${sessionId}
      or (parent_external_id = ${session.externalId} and source = ${session.source}))`
  const keys = await destroySessionKeys(sql, key)
  await sql`delete from sessions where tenant_id = ${tenantId} and id = ${sessionId}`
  return { counts: { ...counts, sessions: 1, session_keys: keys }, files }
}

/**
 * Takes what is to be done with the session from the outbox. What somebody is at ends by itself, as it finds nothing: whoever has taken it may
 * wait for the row of the session, which is locked here. So does the work of who may have died while it wrote vectors elsewhere, by which they
 * are removed.
 */
async function forgetWork(sql: TransactionSql, { tenantId, sessionId }: SessionKey, itemId: number): Promise<void> {
  await sql`
    delete from outbox where id in (
      select id from outbox o where o.tenant_id = ${tenantId} and o.session_id = ${sessionId} and o.topic <> 'erase' and o.id <> ${itemId}
        and not (o.topic = ${embedTopic} and exists (
          select from embedded_units u
          where u.tenant_id = ${tenantId} and u.model_id in (select id from embedding_models where tenant_id = ${tenantId})
            and u.level in (0, 1, 2) and u.session_id = ${sessionId} and u.text_sha256 = ${upcomingHash(sql)}))
      for update skip locked)`
}

/**
 * What a backup holds of the session cannot be read without its keys: their bytes go, and that they were there stays known.
 * How many there were.
 */
async function destroySessionKeys(sql: TransactionSql, { tenantId, sessionId }: SessionKey): Promise<number> {
  await sql`
    delete from archive_manifests where tenant_id = ${tenantId} and kind = 'key' and subject_id in (
      select id from encryption_keys where tenant_id = ${tenantId} and purpose = 'session' and session_id = ${sessionId})`
  const destroyed = await sql`
    update encryption_keys set wrapped = null, destroyed_at = now()
    where tenant_id = ${tenantId} and purpose = 'session' and session_id = ${sessionId} and destroyed_at is null`
  return destroyed.count
}

/** What a session says of itself without personal data, as it is stored. */
export interface AnonymisedHead {
  readonly title: Uint8Array | null
  readonly metadata: Uint8Array | null
  readonly tags: readonly string[]
}

/**
 * Takes out of a session that stays what its erased messages may have left in it: who took part, with which models, its title
 * and metadata, which importers take from messages, and summaries. What was counted (tokens, tools) stays: it says nothing.
 * With `anonymised`, which are the same without personal data, its messages were not erased but written anew.
 */
export async function cleanSession(
  sql: TransactionSql,
  key: SessionKey,
  anonymised?: AnonymisedHead,
): Promise<ErasedSession> {
  const { tenantId, sessionId } = key
  const bytes = (value: Uint8Array | null | undefined) =>
    value === null || value === undefined ? null : Buffer.from(value)
  const anew =
    anonymised === undefined
      ? sql``
      : sql`, anonymized_at = now(), tags = array(select jsonb_array_elements_text(${JSON.stringify(anonymised.tags)}::text::jsonb))`
  const made = await eraseMade(sql, key, { untouched: anonymised === undefined ? 'stays' : 'goes' })
  const names = (column: 'sender' | 'model') => sql`array(
    select ${sql(column)} from messages where tenant_id = ${tenantId} and session_id = ${sessionId} and kind = 'message'
      and ${sql(column)} is not null group by ${sql(column)} order by min(seq) limit 1000)`
  await sql`
    update sessions set participants = ${names('sender')}, models_used = ${names('model')}, title = ${bytes(anonymised?.title)}, metadata = ${bytes(anonymised?.metadata)},
      last_model = (select model from messages where tenant_id = ${tenantId} and session_id = ${sessionId} and model is not null
        order by seq desc limit 1) ${anew}
    where tenant_id = ${tenantId} and id = ${sessionId}`
  // They were in the project that the metadata named. Of what is anonymised none stay.
  if (anonymised === undefined) await placeFactsAgain(sql, key)
  return made
}

/** Says that messages of a session are gone or others, to whoever has read them before and would write of them: see `erasures`. */
export async function noteErasedMessages(sql: TransactionSql, key: SessionKey, bytes: number): Promise<void> {
  await sql`
    update sessions set erasures = erasures + 1, version = version + 1, payload_bytes = greatest(payload_bytes - ${bytes}, 0)
    where tenant_id = ${key.tenantId} and id = ${key.sessionId}`
}
