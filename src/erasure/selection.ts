import { createHmac } from 'node:crypto'

import { requireSessionTo } from '../capture/session-reference.ts'
import { InputError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Caller } from '../model/access.ts'
import { looksLikeId } from '../model/ids.ts'
import { checkName, parseSpan } from '../model/validate.ts'
import type { Database } from '../store/database.ts'
import type { ErasureFilter } from '../store/erasure/erasure-plan.ts'
import type { ErasureAction } from '../store/erasure/receipts.ts'

/** What a caller wants erased or anonymised: everything that is given must hold of it. */
export interface Selection {
  /** Ours or the caller's own, as is `messageId`. */
  readonly sessionId?: string | undefined
  readonly messageId?: string | undefined
  readonly participant?: string | undefined
  readonly since?: string | number | undefined
  readonly until?: string | number | undefined
  readonly source?: string | undefined
  readonly tag?: string | undefined
}

export interface ReadSelection {
  readonly action: ErasureAction
  readonly filter: ErasureFilter
  /** By what was chosen: the narrowest of them. */
  readonly scope: 'message' | 'participant' | 'time' | 'session' | 'tag' | 'source'
  /** Whether whole sessions are erased; else messages of sessions that stay, as where they are anonymised. */
  readonly isWhole: boolean
}

/**
 * Reads what is to be erased or anonymised. Throws InputError where nothing or too little is named, NotFoundError and ForbiddenError for a
 * session that is not there or not the caller's.
 */
export async function readSelection(
  database: Database,
  caller: Caller,
  given: Selection & { readonly action: ErasureAction },
): Promise<ReadSelection> {
  const { action, messageId, participant, source, tag } = given
  const named = [messageId, participant, given.since, given.until, given.sessionId, tag, source]
  if (named.every((value) => value === undefined))
    throw new InputError(`Cannot ${action} as nothing is named`, {
      remedy: 'Name at least one of: a session, a message, a participant, a time (since, until), a source, a tag',
    })
  const name = (value: string | undefined, field: string, charactersMax: number) =>
    value === undefined ? undefined : checkName(value, { field, charactersMax })
  if (messageId !== undefined && given.sessionId === undefined && !looksLikeId(messageId))
    throw new InputError(`Cannot ${action} a message by an id of your own without its session`, {
      remedy: 'Name the session too: such an id is unique within its session only',
    })
  const session =
    given.sessionId === undefined
      ? undefined
      : await requireSessionTo(database, caller, { reference: given.sessionId, action: 'manage' })
  const filter: ErasureFilter = {
    sessionId: session?.id,
    messageId: name(messageId, 'message_id', limits.idCharactersMax),
    participant: name(participant, 'participant', limits.nameCharactersMax),
    source: name(source, 'source', limits.nameCharactersMax),
    tag: name(tag, 'tag', limits.tagCharactersMax),
    ...parseSpan(given),
  }
  const scope = scopeOf(filter)
  const isWhole = action === 'erase' && !['message', 'participant', 'time'].includes(scope)
  return { action, filter, scope, isWhole }
}

function scopeOf(filter: ErasureFilter): ReadSelection['scope'] {
  if (filter.messageId !== undefined) return 'message'
  if (filter.participant !== undefined) return 'participant'
  if (filter.since !== undefined || filter.until !== undefined) return 'time'
  if (filter.sessionId !== undefined) return 'session'
  return filter.tag === undefined ? 'source' : 'tag'
}

/** What a receipt keeps of a selection: who knows what was chosen can tell that it was this. */
export function targetHash(key: Uint8Array, { filter }: Pick<ReadSelection, 'filter'>): Buffer {
  return createHmac('sha256', key).update(JSON.stringify(filter)).digest()
}
