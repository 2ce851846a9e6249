import { z } from 'zod'

import { requireSession } from '../../capture/session-reference.ts'
import { ForbiddenError, NotFoundError } from '../../errors.ts'
import { isOfProject } from '../../indexing/terms/fact-terms.ts'
import type { Caller } from '../../model/access.ts'
import { decodeCursor, encodeCursor } from '../../model/cursor.ts'
import { looksLikeId } from '../../model/ids.ts'
import { projectOf } from '../../model/project.ts'
import type { Database } from '../../store/database.ts'
import { readFacts, type StoredFact } from '../../store/learning/read-facts.ts'
import { sessionsById } from '../../store/sessions.ts'
import type { FactKind } from './fact.ts'

/** A fact as it is shown, with the messages that it comes from. */
export interface FactDocument {
  readonly id: string
  readonly kind: string
  /** In the words of who said it, unless a model or somebody by hand wrote it: see `made_by`. */
  readonly text: string
  readonly said_by: string
  /** The directory that it was decided, or is so, in. */
  readonly project?: string
  readonly since: string | null
  /** When it was followed by another, or ended. */
  readonly until?: string
  readonly followed_by?: string
  readonly last_said_at: string | null
  /** How often it was said. */
  readonly times: number
  readonly confidence: number
  readonly pinned?: true
  readonly made_by: string
  readonly corrected_by?: string
  /** The program that wrote it for them, in its own words: an MCP client's name and version. */
  readonly corrected_through?: string
  readonly sources: readonly {
    readonly session_id: string
    readonly message_id: string
    readonly seq: number
    /** UTF-16 offsets into the text of the message. */
    readonly span: readonly [start: number, end: number]
  }[]
}

export interface ListFactsInput {
  readonly kinds?: readonly FactKind[] | undefined
  readonly past?: boolean | undefined
  readonly session?: string | undefined
  /** `next_cursor` of the page before. */
  readonly cursor?: string | undefined
  readonly limit: number
}

export interface FactList {
  readonly facts: readonly FactDocument[]
  readonly total: number
  /** Absent on the last page. */
  readonly next_cursor?: string
}

const placeSchema = z.object({
  pinned: z.boolean(),
  lastToldAt: z.iso.datetime().nullable(),
  sessionId: z.uuid(),
  toldPlace: z.string().regex(/^\{(?:\d{1,18},\d{1,9})?\}$/u),
  id: z.uuid(),
})
const roundedTo = 100

/** Facts as they are shown, those that are of a project with it, where the reader may see what is said of their session. */
export async function factDocuments(
  database: Database,
  { tenantId }: Caller,
  facts: readonly StoredFact[],
): Promise<readonly FactDocument[]> {
  const ofProjects = facts.filter(({ kind, body }) => isOfProject(kind, body))
  const ids = [...new Set(ofProjects.map(({ sessionId }) => sessionId))]
  const sessions = ids.length === 0 ? [] : await sessionsById(database, tenantId, ids)
  const projects = new Map(sessions.map(({ id, metadata }) => [id, projectOf(metadata)]))
  return facts.map((fact) => factDocument(fact, ofProjects.includes(fact) ? projects.get(fact.sessionId) : undefined))
}

function factDocument(fact: StoredFact, project: string | undefined): FactDocument {
  const { id, kind, body, confidence, pinned, times, sources } = fact
  return {
    id,
    kind,
    text: body.text,
    said_by: body.subject,
    ...(project === undefined ? {} : { project }),
    since: fact.validFrom,
    ...(fact.validTo === null ? {} : { until: fact.validTo }),
    ...(fact.followedBy === null ? {} : { followed_by: fact.followedBy }),
    last_said_at: fact.lastToldAt,
    times,
    confidence: Math.round(confidence * roundedTo) / roundedTo,
    ...(pinned ? { pinned } : {}),
    // Who calls a tool is a model, whatever its user has asked it for.
    made_by: body.through === undefined ? fact.madeBy : 'client',
    ...(body.by === undefined ? {} : { corrected_by: body.by }),
    ...(body.through === undefined ? {} : { corrected_through: body.through }),
    sources: sources.map(({ sessionId, messageId, seq, start, end }) => ({
      session_id: sessionId,
      message_id: messageId,
      seq,
      span: [start, end] as const,
    })),
  }
}

/** What was learned is personal data, and not shown to who may not see any. */
export function refuseView(caller: Caller): void {
  if (caller.view === undefined) return
  throw new ForbiddenError('Cannot show who and what the memory knows without personal data', {
    remedy: 'Use a token with the scope memory:read',
  })
}

/** What was learned and holds, what is pinned first and then the newest; with `past` also what held before. */
export async function listFacts(database: Database, caller: Caller, input: ListFactsInput): Promise<FactList> {
  refuseView(caller)
  const { session, cursor, ...filter } = input
  const after = cursor === undefined ? undefined : decodeCursor('facts', cursor, placeSchema)
  const sessionId = session === undefined ? undefined : (await requireSession(database, caller, session)).id
  const { facts, total, next } = await readFacts(database, caller, { ...filter, sessionId, after })
  for (const { sources } of facts) for (const source of sources) caller.call?.show(source.sessionId, [source.seq])
  return {
    facts: await factDocuments(database, caller, facts),
    total,
    ...(next === undefined ? {} : { next_cursor: encodeCursor('facts', { ...next }) }),
  }
}

/** One fact as it is shown, by the id of any time that it was said. */
export async function showFact(database: Database, caller: Caller, id: string): Promise<FactDocument> {
  const fact = await requireFact(database, caller, id)
  const [document] = await factDocuments(database, caller, [fact])
  if (document === undefined) throw new Error(`The fact ${fact.id} has no document`)
  return document
}

/** The same as it is stored. */
export async function requireFact(database: Database, caller: Caller, id: string): Promise<StoredFact> {
  refuseView(caller)
  const [fact] = looksLikeId(id)
    ? (await readFacts(database, caller, { id: id.toLowerCase(), past: true, limit: 1 })).facts
    : []
  if (fact !== undefined) return fact
  throw new NotFoundError(`There is no fact "${id}"`, {
    remedy:
      'Call recall_context, read memory://profile, or run "verbatim facts list": they show the ids of what was learned',
  })
}
