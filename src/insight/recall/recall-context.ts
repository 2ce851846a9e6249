import { requireUsableSession } from '../../capture/session-reference.ts'
import { InputError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import type { Caller } from '../../model/access.ts'
import type { SearchDependencies } from '../../search/search.ts'
import { usablePlaces } from '../../store/access/usable-places.ts'
import { isWhole, readBasis, stillHolds } from '../prediction/basis.ts'
import { predict, type Prediction } from '../prediction/predict.ts'
import type { PredictionKey, RecentPredictions } from '../prediction/recent-predictions.ts'
import { makeRecall } from './make-recall.ts'
import type { RecallOptions, RecallReply } from './recall-reply.ts'

export interface RecallInput extends RecallOptions {
  /** The conversation that is recalled for; by its newest turns alone where no text is given. */
  readonly sessionId?: string | undefined
  /** What is being said now. */
  readonly text?: string | undefined
}

export interface RecallDependencies extends SearchDependencies {
  /** Absent where nothing is made ahead. */
  readonly predictions?: RecentPredictions | undefined
  /** Told of each session that is recalled for. */
  readonly recalled?: ((caller: Caller, session: { readonly id: string; readonly version: number }) => void) | undefined
}

/** A session as far as what it needs depends on it. */
interface Recalled {
  readonly id: string
  readonly lastSeq: number
  readonly version: number
}

/**
 * What older messages hold that a conversation is likely to need: those of other sessions, and of its own what was said long
 * ago. Each says why it was chosen. Empty where nothing was said yet. Errors: InputError, NotFoundError, UnavailableError.
 */
export async function recallContext(
  dependencies: RecallDependencies,
  caller: Caller,
  { sessionId, text: said, ...options }: RecallInput,
): Promise<RecallReply> {
  const text = said?.trim() === '' ? undefined : said
  if (sessionId === undefined && text === undefined)
    throw new InputError('Cannot recall anything as neither a session nor a text with a word in it was given', {
      remedy: 'Give session_id, or text, or both',
    })
  const { database, predictions } = dependencies
  const meaningMs = limits.recallMeaningMs
  const session = sessionId === undefined ? undefined : await requireUsableSession(database, caller, sessionId)
  if (session !== undefined && text === undefined) {
    predictions?.ask({ ...caller, sessionId: session.id }, options)
    dependencies.recalled?.(caller, session)
    return await recallAhead(dependencies, caller, { session, meaningMs, ...options })
  }
  const prediction = await predict(dependencies, caller, { session, text, meaningMs })
  const usable = await usablePlaces(database, caller, prediction.messages)
  return (await makeRecall(dependencies, caller, { prediction, ranked: usable, ...options })).reply
}

/**
 * What a session will need, from what was made ahead where all of that is as it was; kept for who asks next. What is near in meaning
 * is waited for as long as `meaningMs` says.
 */
export async function recallAhead(
  dependencies: RecallDependencies,
  caller: Caller,
  { session, meaningMs, ...options }: RecallOptions & { readonly session: Recalled; readonly meaningMs: number },
): Promise<RecallReply> {
  const { database, predictions } = dependencies
  const key = { tenantId: caller.tenantId, principalId: caller.principalId, sessionId: session.id }
  const prediction = await predictAhead(dependencies, caller, { session, meaningMs })
  const form = JSON.stringify([options.maxTokens, options.format, caller.view])
  const ready = predictions?.readyFor(key, { prediction, form })
  if (ready !== undefined && stillHolds(ready.basis, await readBasis(database, caller, ready.basis))) {
    predictions?.countReady(true)
    return ready.reply
  }
  try {
    return await makeReady(dependencies, caller, { key, prediction, form, ...options })
  } finally {
    // After it is there: who sees that somebody has looked in vain finds it.
    predictions?.countReady(false)
  }
}

/** Makes the reply of a prediction and keeps it, where all of it is as it was. */
async function makeReady(
  dependencies: RecallDependencies,
  caller: Caller,
  made: RecallOptions & { readonly key: PredictionKey; readonly prediction: Prediction; readonly form: string },
): Promise<RecallReply> {
  const { database, predictions } = dependencies
  const { key, prediction, form, ...options } = made
  // What was predicted may have been restricted, corrected or closed to the caller since.
  const before = await readBasis(database, caller, { places: prediction.messages })
  const { reply, restsOn } = await makeRecall(dependencies, caller, {
    prediction,
    ranked: before.usable,
    ...options,
  })
  if (predictions === undefined || reply.degraded.length > 0) return reply
  const basis = await readBasis(database, caller, { ...restsOn, places: [...before.usable, ...restsOn.places] })
  // Not where something was changed while it was read.
  if (stillHolds(before, basis) && isWhole(basis)) predictions.makeReady(key, { prediction, form, basis, reply })
  return reply
}

/** What is likely to be needed, from what was found ahead where it knows all of the session. */
async function predictAhead(
  dependencies: RecallDependencies,
  caller: Caller,
  { session, meaningMs }: { readonly session: Recalled; readonly meaningMs: number },
): Promise<Prediction> {
  const { predictions } = dependencies
  const key = { tenantId: caller.tenantId, principalId: caller.principalId, sessionId: session.id }
  const kept = predictions?.find(key, session.version)
  if (kept !== undefined) return kept
  const made = await predict(dependencies, caller, { session, meaningMs })
  // What lacked messages that are not indexed yet, or meaning, is not worth keeping.
  if (made.behind === 0 && made.trouble === undefined) predictions?.keep(key, session.version, made)
  return made
}
