import type { TransactionSql } from 'postgres'

import { levelOfRecords } from '../message-digests.ts'
import type { Queries } from '../rows.ts'
import { levelOfTerms } from '../search/search-units.ts'
import { lockEncryptionState } from './encryption-state.ts'

/** What a conversion makes of a store. */
export type ConversionTarget = 'encrypted' | 'plain'

/** The work of a conversion, in the outbox: sessions, imported documents, and reasons that were given for no session or were left. No worker takes it. */
const convertTopic = 'convert'

export interface ConversionItem {
  readonly id: number
  readonly kind: 'session' | 'file' | 'reason'
  /** Of the session, or of the row in `import_files` or `reasons`. */
  readonly subjectId: string
  /** Messages of the session. */
  readonly messages: number
}

/** Decides what a store is to be: what is new is so from now on. */
export async function decideState(sql: TransactionSql, tenantId: number, target: ConversionTarget): Promise<void> {
  const state = target === 'encrypted' ? 'encrypting' : 'decrypting'
  // Whether words are hashed under a key: where there never was a conversion, they are where there is one.
  await sql`
    insert into encryption_states (tenant_id, state, terms_keyed)
    values (${tenantId}, ${state}, exists (
      select from encryption_keys where tenant_id = ${tenantId} and purpose = 'search' and destroyed_at is null))
    on conflict (tenant_id) do update set state = excluded.state, changed_at = now()
      where encryption_states.state <> excluded.state`
}

/**
 * Notes what is to be done. Where the words are under the other kind of key, all sessions are, and an index beside the one that
 * searches look at is begun; an index that a conversion the other way has begun is given up. What was noted before stays.
 */
export async function planConversion(sql: TransactionSql, tenantId: number, target: ConversionTarget): Promise<void> {
  const stored = await lockEncryptionState(sql, tenantId)
  if (stored === undefined) throw new Error(`Nothing is decided of tenant ${tenantId}`)
  const { isKeyed, hasNext } = stored.terms
  if (isKeyed === (target === 'encrypted')) {
    if (hasNext) await forgetWork(sql, tenantId)
    await sql`update encryption_states set next_terms = false where tenant_id = ${tenantId} and next_terms`
  } else if (!hasNext) {
    await forgetWork(sql, tenantId)
    await sql`update encryption_states set next_terms = true where tenant_id = ${tenantId}`
    await sql`
      insert into outbox (tenant_id, topic, session_id, first_seq, last_seq)
      select tenant_id, ${convertTopic}, id, 1, last_seq from sessions where tenant_id = ${tenantId} order by last_active_at desc`
  }
}

async function forgetWork(sql: Queries, tenantId: number): Promise<void> {
  await sql`delete from outbox where tenant_id = ${tenantId} and topic = ${convertTopic}`
}

/** Adds what is not as it is to be, and is not noted yet; how much that is. */
export async function addUnlike(sql: Queries, tenantId: number, target: ConversionTarget): Promise<number> {
  const isUnlike = target === 'encrypted' ? sql`= 0` : sql`> 0`
  const isNoted = sql`select from outbox o where o.tenant_id = ${tenantId} and o.topic = ${convertTopic}`
  const sessions = await sql`
    insert into outbox (tenant_id, topic, session_id, first_seq, last_seq)
    select s.tenant_id, ${convertTopic}, s.id, 1, s.last_seq from sessions s
    where s.tenant_id = ${tenantId} and not exists (${isNoted} and o.session_id = s.id) and (s.key_version ${isUnlike}
      or exists (select from messages m where m.tenant_id = s.tenant_id and m.session_id = s.id and m.kind <> 'erased' and m.key_version ${isUnlike})
      or exists (select from summaries u where u.tenant_id = s.tenant_id and u.session_id = s.id and u.key_version ${isUnlike})
      or exists (select from facts f where f.tenant_id = s.tenant_id and f.session_id = s.id and f.key_version ${isUnlike})
      or exists (select from message_names n where n.tenant_id = s.tenant_id and n.session_id = s.id and n.body is not null
        and n.key_version ${isUnlike}))
    returning 1`
  // Of a whole file there is a row without anything private.
  const files = await sql`
    insert into outbox (tenant_id, topic, session_id, details)
    select f.tenant_id, ${convertTopic}, f.id, '{"kind": "file"}' from import_files f
    where f.tenant_id = ${tenantId} and f.key_version ${isUnlike} and octet_length(f.layout) > 0
      and not exists (${isNoted} and o.session_id = f.id)
    returning 1`
  // Those of a session are converted with it, if it is.
  const reasons = await sql`
    insert into outbox (tenant_id, topic, session_id, details)
    select r.tenant_id, ${convertTopic}, r.id, '{"kind": "reason"}' from reasons r
    where r.tenant_id = ${tenantId} and r.body is not null and r.key_version ${isUnlike}
      and not exists (${isNoted} and o.session_id in (r.id, r.session_id))
    returning 1`
  return sessions.length + files.length + reasons.length
}

/** Work that is noted, a page at a time by its number. */
export async function readConversionWork(
  sql: Queries,
  tenantId: number,
  page: { readonly after: number; readonly limit: number },
): Promise<ConversionItem[]> {
  const rows = await sql<
    { id: string; session_id: string; last_seq: string | null; kind: ConversionItem['kind'] | null }[]
  >`
    select id, session_id, last_seq, details->>'kind' as kind from outbox
    where tenant_id = ${tenantId} and topic = ${convertTopic} and id > ${page.after} order by id limit ${page.limit}`
  return rows.map((row) => ({
    id: Number(row.id),
    kind: row.kind ?? 'session',
    subjectId: row.session_id,
    messages: Number(row.last_seq ?? 0),
  }))
}

interface ConversionLeft {
  readonly sessions: number
  readonly files: number
  readonly reasons: number
  readonly messages: number
}

/** How much is left of what is noted. */
export async function conversionLeft(sql: Queries, tenantId: number): Promise<ConversionLeft> {
  const [row] = await sql<{ sessions: number; files: number; reasons: number; messages: string }[]>`
    select count(*) filter (where details is null)::int as sessions, count(*) filter (where details->>'kind' = 'file')::int as files,
      count(*) filter (where details->>'kind' = 'reason')::int as reasons, coalesce(sum(last_seq), 0) as messages
    from outbox where tenant_id = ${tenantId} and topic = ${convertTopic}`
  const { sessions = 0, files = 0, reasons = 0, messages = 0 } = row ?? {}
  return { sessions, files, reasons, messages: Number(messages) }
}

/** Lets searches look at the index that was made beside the other. */
export async function switchTerms(sql: Queries, tenantId: number): Promise<void> {
  await sql`
    update encryption_states set terms_version = terms_version + 1, terms_keyed = not terms_keyed, next_terms = false
    where tenant_id = ${tenantId} and next_terms`
}

/** Removes some units of messages that searches do not look at; false where none is left, nor what was counted of them. */
export async function removeOtherUnits(sql: TransactionSql, tenantId: number, limit: number): Promise<boolean> {
  const stored = await lockEncryptionState(sql, tenantId)
  if (stored === undefined || stored.terms.hasNext) return false
  const level = levelOfTerms(stored.terms.version + 1)
  const records = levelOfRecords(stored.terms.version + 1)
  const gone = await sql`
    delete from search_units u using (
      select level, session_id, first_seq, part from search_units where tenant_id = ${tenantId} and level in (${level}, ${records}) limit ${limit}
    ) chosen
    where u.tenant_id = ${tenantId} and u.level = chosen.level and u.session_id = chosen.session_id and u.first_seq = chosen.first_seq
      and u.part = chosen.part
    returning 1`
  if (gone.length > 0) return true
  await sql`delete from term_stats where tenant_id = ${tenantId} and level = ${level}`
  await sql`delete from corpus_stats where tenant_id = ${tenantId} and level = ${level}`
  return false
}

/** Notes that a store is what it was to be, unless something else was asked for meanwhile. */
export async function endConversion(sql: Queries, tenantId: number, target: ConversionTarget): Promise<void> {
  const state = target === 'encrypted' ? 'encrypting' : 'decrypting'
  await sql`
    update encryption_states set state = ${target}, changed_at = now()
    where tenant_id = ${tenantId} and state = ${state} and not next_terms
      and not exists (select from outbox where tenant_id = ${tenantId} and topic = ${convertTopic})`
}

/** Destroys the keys of a tenant under which nothing is stored any more. */
export async function destroyIdleKeys(sql: TransactionSql, tenantId: number): Promise<void> {
  // Locked before it is looked whether they wrap anything: who wraps something by one of them holds it too (`insertKey`).
  await sql`
    select from encryption_keys where tenant_id = ${tenantId} and purpose = 'tenant' and destroyed_at is null for update`
  await sql`
    update encryption_keys k set wrapped = null, destroyed_at = now()
    where k.tenant_id = ${tenantId} and k.destroyed_at is null and (
      (k.purpose = 'session'
        and not exists (select from sessions s where s.tenant_id = k.tenant_id and s.id = k.session_id and s.key_version = k.version)
        and not exists (
          select from messages m where m.tenant_id = k.tenant_id and m.session_id = k.session_id and m.key_version = k.version and m.kind <> 'erased')
        and not exists (
          select from summaries u where u.tenant_id = k.tenant_id and u.session_id = k.session_id and u.key_version = k.version)
        and not exists (
          select from facts f where f.tenant_id = k.tenant_id and f.session_id = k.session_id and f.key_version = k.version)
        and not exists (
          select from message_names n where n.tenant_id = k.tenant_id and n.session_id = k.session_id and n.key_version = k.version)
        and not exists (
          select from reasons r where r.tenant_id = k.tenant_id and r.session_id = k.session_id and r.key_version = k.version))
      or (k.purpose = 'data'
        and not exists (select from import_files f where f.tenant_id = k.tenant_id and f.key_version = k.version)
        and not exists (
          select from reasons r where r.tenant_id = k.tenant_id and r.session_id is null and r.key_version = k.version))
      or (k.purpose = 'search' and exists (
          select from encryption_states e where e.tenant_id = k.tenant_id and not e.terms_keyed and not e.next_terms)))`
  // What tokens stand for is sealed under the key of their session besides: it is kept again when their view is read next.
  await sql`
    delete from pseudonyms p where p.tenant_id = ${tenantId} and p.key_version > 0 and not exists (
      select from encryption_keys k where k.tenant_id = p.tenant_id and k.purpose = 'session' and k.session_id = p.session_id
        and k.destroyed_at is null)`
  await sql`
    update encryption_keys k set wrapped = null, destroyed_at = now()
    where k.tenant_id = ${tenantId} and k.purpose = 'tenant' and k.destroyed_at is null and not exists (
      select from encryption_keys c where c.tenant_id = k.tenant_id and c.purpose in ('session', 'data', 'search') and c.destroyed_at is null)`
}
