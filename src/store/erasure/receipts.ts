import { z } from 'zod'

import { isoTime, type Queries } from '../rows.ts'

const count = z.number().int().default(0)

/** How much was erased, by where it was. */
export const erasedCountsSchema = z.object({
  sessions: count,
  messages: count,
  bytes: count,
  search_units: count,
  vectors: count,
  summaries: count,
  facts: count,
  import_files: count,
  archive_objects: count,
  large_payloads: count,
  /** Of encrypted sessions, in the database; and the copies of them in the archive. */
  session_keys: count,
  archived_keys: count,
  /** What tokens of pseudonymised views stood for. */
  pseudonyms: count,
  /** That somebody gave for what they did with it. */
  reasons: count,
  /** Messages that stay, without personal data; what was made of them is counted with what was erased. */
  anonymised: count,
})
export type ErasedCounts = z.infer<typeof erasedCountsSchema>

/** What becomes of messages: they go, or stay without the personal data that is found in them. */
export const erasureActions = ['erase', 'anonymise'] as const
export type ErasureAction = (typeof erasureActions)[number]

const storedReceiptSchema = z.object({
  action: z.enum(erasureActions).default('erase'),
  /** How often each kind of data was replaced in messages. */
  replaced: z.record(z.string(), z.number().int()).default({}),
  erased: erasedCountsSchema.prefault({}),
  /** Sessions that a legal hold kept. */
  held: z.array(z.string()).default([]),
  /** Objects that the archive does not let go: under Object Lock, say. */
  kept_objects: z.array(z.string()).default([]),
})
type StoredReceipt = z.infer<typeof storedReceiptSchema>

/** What an erasure has done, and what is still to be done. */
export interface ErasureReceipt extends StoredReceipt {
  readonly erasure_id: string
  readonly scope: string
  readonly reason: string | null
  readonly requested_by: string
  readonly created_at: string
  /** Null while something is pending. */
  readonly completed_at: string | null
  readonly pending: readonly PendingSession[]
}

/** A session of which something is still to be done. */
export interface PendingSession {
  readonly session_id: string
  /** Why it was put off; null where it was not. */
  readonly waits_for: string | null
  /** Whether somebody is at it; otherwise it waits for somebody to take it, or as `waits_for` says. */
  readonly under_way: boolean
}

/** Whether legal holds have kept all that was to go. */
export function isAllHeld({ held, erased }: Pick<ErasureReceipt, 'held' | 'erased'>): boolean {
  return held.length > 0 && Object.values(erased).every((count) => count === 0)
}

export interface NewErasure {
  readonly tenantId: number
  readonly id: string
  readonly scope: string
  readonly targetHash: Uint8Array
  readonly reason: string | undefined
  readonly requestedBy: string
  readonly held: readonly string[]
  readonly action?: ErasureAction | undefined
}

export async function insertErasure(sql: Queries, erasure: NewErasure): Promise<void> {
  const receipt = JSON.stringify(storedReceiptSchema.parse({ held: erasure.held, action: erasure.action }))
  await sql`
    insert into erasures (tenant_id, id, scope, target_hash, reason, requested_by, receipt)
    values (${erasure.tenantId}, ${erasure.id}, ${erasure.scope}, ${Buffer.from(erasure.targetHash)}, ${erasure.reason ?? null},
      ${erasure.requestedBy}, ${receipt}::text::jsonb) on conflict do nothing`
}

/** What a step of an erasure adds to its receipt. */
export interface ReceiptAddition {
  readonly erased?: Partial<ErasedCounts>
  readonly held?: readonly string[]
  readonly keptObjects?: readonly string[]
  readonly replaced?: ReadonlyMap<string, number>
}

/** Adds to a receipt, in the transaction of what it tells. */
export async function addToReceipt(
  sql: Queries,
  key: { readonly tenantId: number; readonly erasureId: string },
  addition: ReceiptAddition,
): Promise<void> {
  const [row] = await sql<{ receipt: unknown }[]>`
    select receipt from erasures where tenant_id = ${key.tenantId} and id = ${key.erasureId} for update`
  const receipt = storedReceiptSchema.parse(row?.receipt ?? {})
  const changed: StoredReceipt = {
    ...receipt,
    erased: erasedCountsSchema.parse(sums(receipt.erased, Object.entries(addition.erased ?? {}))),
    replaced: sums(receipt.replaced, addition.replaced ?? []),
    held: [...new Set([...receipt.held, ...(addition.held ?? [])])],
    kept_objects: [...new Set([...receipt.kept_objects, ...(addition.keptObjects ?? [])])],
  }
  await sql`
    update erasures set receipt = ${JSON.stringify(changed)}::text::jsonb
    where tenant_id = ${key.tenantId} and id = ${key.erasureId}`
}

function sums(
  known: Readonly<Record<string, number>>,
  more: Iterable<readonly [string, number]>,
): Record<string, number> {
  const total = new Map(Object.entries(known))
  for (const [name, count] of more) total.set(name, (total.get(name) ?? 0) + count)
  return Object.fromEntries(total)
}

export async function lockReceipt(
  sql: Queries,
  key: { readonly tenantId: number; readonly erasureId: string },
): Promise<void> {
  await sql`select from erasures where tenant_id = ${key.tenantId} and id = ${key.erasureId} for update`
}

interface ErasureRow {
  readonly id: string
  readonly scope: string
  readonly reason: string | null
  readonly requested_by: string
  readonly receipt: unknown
  readonly created_at: Date
  readonly completed_at: Date | null
  readonly pending: ErasureReceipt['pending'] | null
}

const pendingShown = 100

/** Receipts, the newest first; one where `id` is given. */
export async function readReceipts(
  sql: Queries,
  tenantId: number,
  wanted: { readonly id?: string | undefined; readonly limit: number },
): Promise<ErasureReceipt[]> {
  const rows = await sql<ErasureRow[]>`
    select id, scope, reason, requested_by, receipt, created_at, completed_at,
      (select jsonb_agg(jsonb_build_object('session_id', o.session_id, 'waits_for', o.last_error, 'under_way', o.under_way)) from (
        select session_id, last_error, last_error is null and available_at > now() as under_way from outbox
        where tenant_id = ${tenantId} and topic = 'erase' and details->>'erasure' = e.id::text order by id limit ${pendingShown}) o) as pending
    from erasures e
    where tenant_id = ${tenantId} ${wanted.id === undefined ? sql`` : sql`and id = ${wanted.id}`}
    order by created_at desc, id desc limit ${wanted.limit}`
  return rows.map((row) => ({
    erasure_id: row.id,
    scope: row.scope,
    reason: row.reason,
    requested_by: row.requested_by,
    created_at: isoTime(row.created_at),
    completed_at: isoTime(row.completed_at),
    ...storedReceiptSchema.parse(row.receipt ?? {}),
    pending: row.pending ?? [],
  }))
}

/** Erasures that were begun and are not complete, the oldest first: the first 100, by their numbers. */
export async function openErasures(sql: Queries, tenantId: number, scope: string): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select id from erasures where tenant_id = ${tenantId} and scope = ${scope} and completed_at is null
    order by created_at, id limit ${pendingShown}`
  return rows.map(({ id }) => id)
}
