import type { SessionKey } from '../messages.ts'
import type { Queries } from '../rows.ts'
import { text, type SqlText } from '../sql-text.ts'

/** A message that is erased, or anonymised. */
interface Place {
  readonly sessionId: string
  readonly seq: number
  readonly isErased: boolean
}

interface PlaceRow {
  readonly session_id: string
  readonly seq: string
  readonly erased: boolean
}

/** Messages from one number to another, both included. */
interface Range {
  readonly first: number
  last: number
  readonly isErased: boolean
}

const placesAtOnce = 5_000

/** Messages of some sessions that are erased or anonymised. */
export async function erasedMessages(
  sql: Queries,
  tenantId: number,
  sessionIds: readonly string[],
): Promise<readonly Place[]> {
  const rows = await sql<PlaceRow[]>`
    select session_id, seq, kind = 'erased' as erased from messages
    where tenant_id = ${tenantId} and session_id in (select jsonb_array_elements_text(${JSON.stringify(sessionIds)}::text::jsonb)::uuid)
      and (kind = 'erased' or anonymized_at is not null)
    order by session_id, seq`
  return rows.map(({ session_id: sessionId, seq, erased: isErased }) => ({ sessionId, seq: Number(seq), isErased }))
}

/** Those of some messages of another store of which this one says more: it has not erased them, or not anonymised them either. */
export async function fullerMessages(
  sql: Queries,
  tenantId: number,
  places: readonly Place[],
): Promise<readonly Place[]> {
  const fuller: Place[] = []
  for (let from = 0; from < places.length; from += placesAtOnce) {
    const some = places.slice(from, from + placesAtOnce)
    const rows = JSON.stringify(some.map(({ sessionId: s, seq: q, isErased: e }, at) => ({ s, q, e, at })))
    const found = await sql<{ at: number }[]>`
      select at from jsonb_to_recordset(${rows}::text::jsonb) as place(s uuid, q bigint, e boolean, at int)
        join messages m on m.tenant_id = ${tenantId} and m.session_id = s and m.seq = q
      where m.kind <> 'erased' and (e or m.anonymized_at is null) order by at`
    fuller.push(...found.flatMap(({ at }) => some[at] ?? []))
  }
  return fuller
}

/** Where the large payloads of messages of a session are. */
export async function payloadsOf(sql: Queries, key: SessionKey, ranges: readonly Range[]): Promise<readonly string[]> {
  const chosen = JSON.stringify(ranges.map(({ first: f, last: l }) => ({ f, l })))
  const rows = await sql<{ location: string }[]>`
    select distinct payload_location as location from messages
      join jsonb_to_recordset(${chosen}::text::jsonb) as chosen(f bigint, l bigint) on seq between f and l
    where tenant_id = ${key.tenantId} and session_id = ${key.sessionId} and payload_location is not null`
  return rows.map(({ location }) => location)
}

/** Sessions that say of one of some others that it is their parent, and how many messages those have together. */
export async function aboutErased(
  sql: Queries,
  tenantId: number,
  wholeIds: readonly string[],
): Promise<{ readonly children: readonly string[]; readonly messages: number }> {
  if (wholeIds.length === 0) return { children: [], messages: 0 }
  const [row] = await sql<{ children: string[]; messages: string }[]>`
    with whole as materialized (
      select p.id, p.source, p.external_id, p.message_count
      from jsonb_array_elements_text(${JSON.stringify(wholeIds)}::text::jsonb) wanted
        join sessions p on p.tenant_id = ${tenantId} and p.id = wanted::uuid
    ), children as (
      select c.id from whole join sessions c on c.tenant_id = ${tenantId} and c.parent_session_id = whole.id
      union
      select c.id from whole join sessions c
        on c.tenant_id = ${tenantId} and c.source = whole.source and c.parent_external_id = whole.external_id
    )
    select (select coalesce(jsonb_agg(id), '[]') from children) as children,
      (select coalesce(sum(message_count), 0) from whole) as messages`
  return { children: row?.children ?? [], messages: Number(row?.messages ?? 0) }
}

/**
 * What was erased or anonymised at the target of a move, and not so at its source: sessions, and messages of others. What is made
 * of them stays at the source.
 */
export class ErasedThere {
  /** Sessions of which nothing is left at the target. */
  readonly whole = new Set<string>()
  /** How many messages those have at the source. */
  wholeMessages = 0
  /** Sessions that have one of those as their parent. */
  readonly children = new Set<string>()
  readonly #ranges = new Map<string, Range[]>()

  /** In the order of their numbers. */
  add(places: readonly Place[]): void {
    for (const { sessionId, seq, isErased } of places) {
      const ranges = this.#ranges.get(sessionId) ?? []
      this.#ranges.set(sessionId, ranges)
      const last = ranges.at(-1)
      if (last !== undefined && last.last + 1 === seq && last.isErased === isErased) last.last = seq
      else ranges.push({ first: seq, last: seq, isErased })
    }
  }

  get isEmpty(): boolean {
    return this.whole.size === 0 && this.#ranges.size === 0
  }

  /** Sessions that are there without some of their messages. */
  get sessions(): ReadonlyMap<string, readonly Range[]> {
    return this.#ranges
  }

  /** How many messages of them. */
  get messages(): number {
    const ranges = [...this.#ranges.values()].flat()
    return ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0)
  }

  hasMessages(sessionId: string, from: number, to = from): boolean {
    return this.#ranges.get(sessionId)?.some(({ first, last }) => first <= from && to <= last) === true
  }

  /** Whether the row of a session is another there as something was erased, whatever else has become of it. */
  hasChanged(sessionId: string): boolean {
    return this.#ranges.has(sessionId) || this.children.has(sessionId)
  }

  /**
   * As a table `gone` of a session `s` with its messages from `f` to `l`, and whether they are erased, `e`, with the whole session,
   * `w`.
   */
  get table(): SqlText {
    const rows = [...this.#ranges].flatMap(([s, ranges]) =>
      ranges.map(({ first: f, last: l, isErased: e }) => ({ s, f, l, e, w: false })),
    )
    const whole = [...this.whole].map((s) => ({ s, f: 1, l: Number.MAX_SAFE_INTEGER, e: true, w: true }))
    return text`jsonb_to_recordset(${JSON.stringify([...rows, ...whole])}::text::jsonb)
      as gone(s uuid, f bigint, l bigint, e boolean, w boolean)`
  }
}
