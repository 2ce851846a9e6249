import { z } from 'zod'

import { limits } from '../limits.ts'
import type { Caller } from '../model/access.ts'
import { decodeCursor, encodeCursor } from '../model/cursor.ts'
import { inOneLine } from '../model/text/one-line.ts'
import { bytesOfTokens } from '../model/text/tokens.ts'
import type { UnknownName } from '../model/unknown-name.ts'
import { checkName, parseEnd, parseTime } from '../model/validate.ts'
import type { Database } from '../store/database.ts'
import { unknownNames } from '../store/known-names.ts'
import { readOpenings } from '../store/openings.ts'
import type { SessionRow } from '../store/session-row.ts'
import { listSessions as list, type SessionFilter } from '../store/sessions.ts'
import { briefHead, headShareBytes } from './brief-head.ts'
import { readableText, type SessionHead } from './document.ts'
import { cutText, elementBytes } from './json-size.ts'
import { sessionAsSeen } from './session-as-seen.ts'

export interface ListSessionsInput extends Omit<SessionFilter, 'since' | 'until'> {
  readonly since?: string | number | undefined
  readonly until?: string | number | undefined
  readonly limit: number
  /** Of the whole reply; a page has fewer sessions than `limit` where they would take more. */
  readonly maxTokens?: number | undefined
  readonly cursor?: string | undefined
}

/** A session as a list shows it. */
export interface ListedSession extends SessionHead {
  /** Where it has no title: the first words of a person among its first messages, or else of its assistant. */
  readonly begins_with?: string
}

export interface SessionList {
  readonly sessions: readonly ListedSession[]
  /** Where there are none: names that were asked for and that no session has, and which they have that are nearly these. */
  readonly unknown_names?: readonly UnknownName[]
  readonly next_cursor?: string
}

/** `next_cursor`, and the brackets around the sessions. */
const frameBytes = 200
/** Of the words that a session begins with, in a list. */
const openingBytes = 160

const placeSchema = z.object({ lastActiveAt: z.iso.datetime(), id: z.uuid() })

/** Of the names that are asked for those that no session has. Whoever may see no personal data is told no names. */
async function namesNobodyHas(
  database: Database,
  caller: Caller,
  input: ListSessionsInput,
): Promise<readonly UnknownName[]> {
  if (caller.view !== undefined) return []
  const wanted = (['participant', 'model', 'source', 'tag'] as const).flatMap((kind) => {
    const name = input[kind]
    return name === undefined ? [] : [{ kind, name }]
  })
  return await database.run((sql) => unknownNames(sql, caller, wanted))
}

interface Opening {
  readonly seq: number
  readonly text: string
}

/** How sessions without a title begin, by their ids. Whoever may see no personal data is not told. */
async function openings(
  database: Database,
  caller: Caller,
  rows: readonly SessionRow[],
): Promise<Map<string, Opening>> {
  if (caller.view !== undefined) return new Map()
  const untitled = rows.filter(({ title }) => title === null).map(({ id }) => id)
  const messages = await readOpenings(database, caller, untitled)
  return new Map(
    messages.flatMap((message) => {
      if (message.payload === null) return []
      const text = inOneLine(readableText(message, message.payload))
      return text === '' ? [] : [[message.sessionId, { seq: message.seq, text: cutText(text, openingBytes) }] as const]
    }),
  )
}

/** Sessions, most recently active first. `next_cursor` is absent on the last page. */
export async function listSessions(database: Database, caller: Caller, input: ListSessionsInput): Promise<SessionList> {
  for (const field of ['participant', 'model', 'source', 'tag'] as const) {
    const value = input[field]
    if (value !== undefined) checkName(value, { field, charactersMax: limits.nameCharactersMax })
  }
  const filter: SessionFilter = {
    ...input,
    // Of two things: one that began long ago may have been active lately, so that this one may be later than the next.
    since: input.since === undefined ? undefined : parseTime(input.since, 'since'),
    until: input.until === undefined ? undefined : parseEnd(input.until, 'until'),
  }
  const after = input.cursor === undefined ? undefined : decodeCursor('sessions', input.cursor, placeSchema)
  // One more than the page tells whether another page follows.
  const rows = await list(database, caller, { filter, after, limit: input.limit + 1 })
  const begun = await openings(database, caller, rows.slice(0, input.limit))
  const sessions: ListedSession[] = []
  let room = input.maxTokens === undefined ? Number.POSITIVE_INFINITY : bytesOfTokens(input.maxTokens) - frameBytes
  for (const row of rows.slice(0, input.limit)) {
    const begins = begun.get(row.id)
    const head: ListedSession = {
      ...briefHead(await sessionAsSeen(database, caller, row), headShareBytes),
      ...(begins === undefined ? {} : { begins_with: begins.text }),
    }
    room -= elementBytes(head, room)
    if (room < 0 && sessions.length > 0) break
    sessions.push(head)
    caller.call?.show(row.id)
    if (begins !== undefined) caller.call?.show(row.id, [begins.seq])
  }
  const last = rows[sessions.length - 1]
  const unknown = rows.length === 0 && after === undefined ? await namesNobodyHas(database, caller, input) : []
  return {
    sessions,
    ...(unknown.length === 0 ? {} : { unknown_names: unknown }),
    ...(rows.length > sessions.length && last !== undefined
      ? { next_cursor: encodeCursor('sessions', { lastActiveAt: last.lastActiveAt, id: last.id }) }
      : {}),
  }
}
