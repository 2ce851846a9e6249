import { requireSessionTo } from '../capture/session-reference.ts'
import { InputError, LimitError, NotFoundError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Caller, SessionAction } from '../model/access.ts'
import { newId } from '../model/ids.ts'
import { checkName } from '../model/validate.ts'
import { queueArchive } from '../store/archive/archive-queue.ts'
import { wasAudited, writeAudit, type AuditEvent } from '../store/audit/audit-log.ts'
import type { Database } from '../store/database.ts'
import { underItsSeal } from '../store/keys/under-its-seal.ts'
import { forgetUnusable } from '../store/learning/recall-feedback.ts'
import type { SessionRow } from '../store/session-row.ts'
import { sessionsById, updateSession as update } from '../store/sessions.ts'
import { saveSummary, sealSummary } from '../store/summaries/save-summary.ts'
import type { SummarySentence } from '../store/summaries/summaries.ts'
import { inTransaction } from '../store/transaction.ts'
import { embedAgain } from '../store/vectors/embed-again.ts'
import { briefHead, headShareBytes } from './brief-head.ts'
import type { SessionHead } from './document.ts'
import { sessionAsSeen } from './session-as-seen.ts'

export interface UpdateSessionInput {
  readonly sessionId: string
  readonly closed?: boolean | undefined
  readonly title?: string | undefined
  readonly tags?: readonly string[] | undefined
  readonly restricted?: boolean | undefined
  readonly legalHold?: boolean | undefined
  /** A summary that the calling model wrote, a sentence a line; kept beside the messages and shown as `context_summary`. */
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

/** What was found of the sentences of a summary that cite nothing, by their numbers, from 1. */
export interface SummaryCheck {
  /** Those that messages bear out which were found for them, with the numbers of these: they are their citations now. */
  readonly citations_found: readonly { readonly sentence: number; readonly messages: readonly number[] }[]
  /** Those that no message, or few together, bears out. */
  readonly not_borne_out: readonly number[]
  /** Of these the ones with names and numbers that stand nowhere in the session. */
  readonly not_in_session?: readonly { readonly sentence: number; readonly names: readonly string[] }[]
  /** Those that were not looked for, as it would have taken too long. */
  readonly not_looked_for?: readonly number[]
}

export interface CitedSummary {
  readonly sentences: readonly SummarySentence[]
  /** Absent where each cites something, and where nothing of the messages may be told. */
  readonly check?: SummaryCheck
}

export interface UpdateSessionDependencies {
  readonly database: Database
  /** The sentences of a summary with the messages that they come from. Throws InputError where those that they cite do not bear them out. */
  readonly cite: (session: SessionRow, summary: string) => Promise<CitedSummary>
}

export interface UpdateSessionReply extends SessionHead {
  readonly summary_check?: SummaryCheck
}

/** The summary as it is stored. */
function summaryOf(
  session: SessionRow,
  written: { readonly sentences: readonly SummarySentence[]; readonly model: string | undefined },
) {
  return {
    id: newId(),
    sessionId: session.id,
    level: 'session' as const,
    style: 'brief',
    firstSeq: 1,
    lastSeq: session.lastSeq,
    sentences: written.sentences,
    madeBy: 'host',
    model: written.model,
  }
}

function checkInput(input: UpdateSessionInput): void {
  const { sessionId: _sessionId, model, ...change } = input
  if (Object.values(change).every((value) => value === undefined)) {
    throw new InputError('Cannot update the session as nothing to change is given', {
      remedy: 'Give at least one of closed, title, tags, restricted, legal_hold, summary',
    })
  }
  const { tags, title, summary } = change
  if (tags !== undefined) checkTags(tags)
  if (title !== undefined) checkText(title, { field: 'title', charactersMax: limits.titleCharactersMax })
  if (summary !== undefined) {
    checkText(summary, { field: 'summary', charactersMax: limits.summaryCharactersMax })
    if (summary.trim() === '')
      throw new InputError('Cannot set "summary" as it is empty', {
        remedy: 'Write what the session is about, or leave it out',
      })
  }
  if (model !== undefined) checkName(model, { field: 'model', charactersMax: limits.nameCharactersMax })
}

/** Who may find a session, and whether it may be erased, is its owner's to say. */
function actionOf({ restricted, legalHold }: Pick<UpdateSessionInput, 'restricted' | 'legalHold'>): SessionAction {
  return restricted === undefined && legalHold === undefined ? 'write' : 'manage'
}

function holding(sessionId: string, isHeld: boolean): AuditEvent {
  return {
    action: isHeld ? 'session.hold' : 'session.release',
    objectKind: 'session',
    objectId: sessionId,
    outcome: 'ok',
  }
}

/**
 * Changes what is given and nothing else, all of it or nothing, and returns the session after it. It is done once, even
 * where the answer of the database is lost and the call is made again.
 */
export async function updateSession(
  { database, cite }: UpdateSessionDependencies,
  caller: Caller,
  input: UpdateSessionInput,
): Promise<UpdateSessionReply> {
  checkInput(input)
  const { sessionId, summary, model, ...change } = input
  const action = actionOf(change)
  const session = await requireSessionTo(database, caller, { reference: sessionId, action })
  const { tenantId } = caller
  const requestId = newId()
  const cited = summary === undefined ? undefined : await cite(session, summary)
  const newSummary = cited && summaryOf(session, { sentences: cited.sentences, model })
  let attempts = 0
  const done = await underItsSeal(database, { tenantId, sessionId: session.id }, async (seal) => {
    const ready = newSummary === undefined ? undefined : sealSummary(newSummary, seal)
    return await database.run((sql) =>
      inTransaction(sql, async (transaction) => {
        attempts++
        if (attempts > 1 && (await wasAudited(transaction, tenantId, requestId))) return true
        if (!(await update(transaction, { ...caller, id: session.id, action, seal }, change))) return false
        // What was saved meanwhile has no vector.
        if (change.restricted === false) await embedAgain(transaction, tenantId, [session])
        if (change.restricted === true) await forgetUnusable(transaction, tenantId)
        if (ready !== undefined) await saveSummary(transaction, tenantId, ready)
        await queueArchive(transaction, [{ tenantId, sessionId: session.id }], 0)
        await writeAudit(transaction, caller, {
          action: 'session.update',
          objectKind: 'session',
          objectId: session.id,
          outcome: 'ok',
          requestId,
        })
        // As is read where it is asked who holds a session, since when and why.
        if (change.legalHold !== undefined && change.legalHold !== session.legalHold)
          await writeAudit(transaction, caller, holding(session.id, change.legalHold))
        return true
      }),
    )
  })
  const [changed] = done ? await sessionsById(database, tenantId, [session.id]) : []
  if (changed === undefined) throw new NotFoundError(`No session "${sessionId}"`, { remedy: 'Call list_sessions' })
  database.announce?.({ tenantId, sessionId: session.id })
  const head = briefHead(await sessionAsSeen(database, caller, changed), headShareBytes)
  return cited?.check === undefined ? head : { ...head, summary_check: cited.check }
}
