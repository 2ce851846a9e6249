import { requireSession } from '../capture/session-reference.ts'
import { InputError, LimitError, NotFoundError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Caller } from '../model/access.ts'
import { newId } from '../model/ids.ts'
import { checkName } from '../model/validate.ts'
import { writeAudit } from '../store/audit-log.ts'
import type { Database } from '../store/database.ts'
import { updateSession as update } from '../store/sessions.ts'
import { saveSummary } from '../store/summaries.ts'
import { sessionHead, type SessionHead } from './document.ts'

export interface UpdateSessionInput {
  readonly sessionId: string
  readonly closed?: boolean | undefined
  readonly title?: string | undefined
  readonly tags?: readonly string[] | undefined
  readonly restricted?: boolean | undefined
  readonly legalHold?: boolean | undefined
  /** A summary that the calling model wrote; kept beside the messages and shown as `context_summary`. */
  readonly summary?: string | undefined
  readonly model?: string | undefined
}

function checkTags(tags: readonly string[]): void {
  if (tags.length > limits.tagsMax) {
    throw new LimitError('set the tags', { what: 'their number', limit: limits.tagsMax, actual: tags.length })
  }
  for (const tag of tags) checkName(tag, { field: 'tags', charactersMax: limits.tagCharactersMax })
}

function checkText(text: string, field: { readonly field: string; readonly charactersMax: number }): void {
  if (text.length > field.charactersMax) {
    throw new LimitError(`set "${field.field}"`, {
      what: 'its length in characters',
      limit: field.charactersMax,
      actual: text.length,
    })
  }
  if (!text.isWellFormed()) {
    throw new InputError(`Cannot set "${field.field}" as it holds half a surrogate pair`, {
      remedy: 'Send well-formed text',
    })
  }
}

/** Changes what is given and nothing else, and returns the session after it. */
export async function updateSession(
  database: Database,
  caller: Caller,
  input: UpdateSessionInput,
): Promise<SessionHead> {
  const { sessionId, summary, model, ...change } = input
  if (summary === undefined && Object.values(change).every((value) => value === undefined)) {
    throw new InputError('Cannot update the session as nothing to change is given', {
      remedy: 'Give at least one of closed, title, tags, restricted, legal_hold, summary',
    })
  }
  if (change.tags !== undefined) checkTags(change.tags)
  if (change.title !== undefined) checkText(change.title, { field: 'title', charactersMax: limits.titleCharactersMax })
  if (summary !== undefined) checkText(summary, { field: 'summary', charactersMax: limits.summaryCharactersMax })
  if (model !== undefined) checkName(model, { field: 'model', charactersMax: limits.nameCharactersMax })
  const session = await requireSession(database, caller.tenantId, sessionId)
  const key = { tenantId: caller.tenantId, id: session.id }
  const summaryId = newId()
  const changed = await database.run(async (sql) => {
    if (summary !== undefined) {
      const sentences = summary.split('\n').filter((line) => line.trim().length > 0)
      await saveSummary(sql, caller.tenantId, {
        id: summaryId,
        sessionId: session.id,
        level: 'session',
        style: 'brief',
        firstSeq: 1,
        lastSeq: session.lastSeq,
        sentences: sentences.map((text) => ({ text, message_ids: [] })),
        madeBy: 'host',
        model,
      })
    }
    await writeAudit(sql, caller, {
      action: 'session.update',
      objectKind: 'session',
      objectId: session.id,
      outcome: 'ok',
    })
    return update(sql, key, change)
  })
  if (changed === undefined) throw new NotFoundError(`No session "${sessionId}"`, { remedy: 'Call list_sessions' })
  return sessionHead(changed)
}
