import { z } from 'zod'

import { summaryRecordSchema, type SessionRecord, type SummaryRecord } from '../store/archive/archived-session.ts'
import type { SaidOfSession } from '../store/sync/session-heads.ts'

/** What can be set of a session, and is no message. */
const fields = ['title', 'tags', 'metadata', 'closed_at', 'restricted', 'legal_hold'] as const
type Field = (typeof fields)[number]

const editSchema = z.object({
  /** As JSON, as the session's record has it. */
  value: z.string(),
  /** Milliseconds since 1970 by the clock of the store where it was set, later than every edit that was known there; 1 where that is not known. */
  at: z.number().int().positive(),
  /** The store where it was set. */
  by: z.string(),
})
type Edit = z.infer<typeof editSchema>

/**
 * What was said of a session, at whichever store: of each field its values, the newest first. They are only ever added, so
 * that stores which know the same edits show the same (a last-writer-wins register that keeps what it overwrote: Shapiro et al., "A
 * comprehensive study of convergent and commutative replicated data types", 2011), and what lost stays to be read.
 */
export const sessionEditsSchema = z.object({
  fields: z.partialRecord(z.enum(fields), z.array(editSchema)),
  /** Summaries that a model of a client wrote. */
  summaries: z.array(summaryRecordSchema),
  /** When messages of it were last erased: what was said before may quote them, and does not come back. Milliseconds since 1970. */
  erased_at: z.number().int().optional(),
})
export type SessionEdits = z.infer<typeof sessionEditsSchema>

/** Of one field, or of the summaries. */
export const editsMax = 20

export const noEdits: SessionEdits = { fields: {}, summaries: [] }

const unsaid: Readonly<Record<Field, string>> = {
  title: 'null',
  tags: '[]',
  metadata: 'null',
  closed_at: 'null',
  restricted: 'false',
  legal_hold: 'false',
}

function newestFirst(a: Edit, b: Edit): number {
  if (a.at !== b.at) return b.at - a.at
  return a.by < b.by ? 1 : a.by > b.by ? -1 : 0
}

function newestSummaries(summaries: readonly SummaryRecord[]): SummaryRecord[] {
  const byId = new Map(summaries.map((summary) => [summary.id, summary]))
  const order = ({ created_at: at, id }: SummaryRecord) => `${at} ${id}`
  return [...byId.values()].toSorted((a, b) => (order(a) < order(b) ? 1 : -1)).slice(0, editsMax)
}

/** What may quote messages. */
const quoting: ReadonlySet<Field> = new Set(['title', 'metadata'])

/** That nothing is said any more where messages were erased. */
function erasedEdit(field: Field, erasedAt: number | undefined): Edit | undefined {
  return erasedAt === undefined || !quoting.has(field) ? undefined : { value: unsaid[field], at: erasedAt, by: '' }
}

/** Whether a summary is from before messages were erased. */
export function mayQuote(
  { created_at: at }: SummaryRecord,
  { erased_at: erasedAt = 0 }: Pick<SessionEdits, 'erased_at'>,
): boolean {
  return Date.parse(at) <= erasedAt
}

/** The edits of one store and those of another. */
export function mergeEdits(ours: SessionEdits, theirs: SessionEdits): SessionEdits {
  const erasedAt = Math.max(ours.erased_at ?? 0, theirs.erased_at ?? 0)
  const summaries = [...ours.summaries, ...theirs.summaries].filter((one) => !mayQuote(one, { erased_at: erasedAt }))
  const merged: SessionEdits = { fields: {}, summaries: newestSummaries(summaries) }
  for (const field of fields) {
    const all = [...(ours.fields[field] ?? []), ...(theirs.fields[field] ?? [])]
    const known = new Map(all.map((edit) => [`${edit.at} ${edit.by}`, edit]))
    const edits = [...known.values()].filter(({ at }) => !quoting.has(field) || at >= erasedAt)
    if (edits.length > 0) merged.fields[field] = edits.toSorted(newestFirst).slice(0, editsMax)
  }
  return erasedAt === 0 ? merged : { ...merged, erased_at: erasedAt }
}

/**
 * When something was set that is found: when the session says that something of it was last set, if that is after what it replaces. Where
 * nothing of it is known it gives way to whatever is known elsewhere.
 */
function momentOf(saidAt: string | null, newest: number | undefined, now: number): number {
  const said = saidAt === null ? 1 : Date.parse(saidAt)
  if (newest === undefined || said > newest) return said
  return Math.max(now, newest + 1)
}

/**
 * The edits of a session with what was set here since they were noted. Where nothing was noted yet, what there is was set at some time
 * before, and gives way to whatever is known to have been set.
 */
export function noteEdits(
  known: SessionEdits | undefined,
  { record, summaries }: { readonly record: SessionRecord; readonly summaries: readonly SummaryRecord[] },
  { storeId, now }: { readonly storeId: string; readonly now: number },
): SessionEdits {
  const found: SessionEdits = { fields: {}, summaries: [...summaries], erased_at: known?.erased_at }
  for (const field of fields) {
    const value = JSON.stringify(record[field])
    const newest = known?.fields[field]?.[0] ?? erasedEdit(field, known?.erased_at)
    if (newest?.by === '') found.fields[field] = [newest]
    if (value === (newest?.value ?? unsaid[field])) continue
    const at = momentOf(record.said_at, newest?.at, now)
    found.fields[field] = [{ value, at, by: storeId }, ...(found.fields[field] ?? [])]
  }
  return mergeEdits(known ?? noEdits, found)
}

const saidSchema = z.object({
  title: z.string().nullable().optional(),
  tags: z.array(z.string()).optional(),
  metadata: z.string().nullable().optional(),
  closed_at: z.string().nullable().optional(),
  restricted: z.boolean().optional(),
  legal_hold: z.boolean().optional(),
})

/** What a session is to say by its edits; undefined where nothing was ever said of a field. */
export function saidBy({ fields: edits }: SessionEdits): SaidOfSession {
  const said: Record<string, unknown> = {}
  for (const field of fields) {
    const newest = edits[field]?.[0]
    if (newest !== undefined) said[field] = JSON.parse(newest.value)
  }
  return saidSchema.parse(said)
}
