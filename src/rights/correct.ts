import { holdPayloads, leavingLatePuts } from '../capture/held-payloads.ts'
import { placePayload } from '../capture/large-payload.ts'
import { prepareMessage } from '../capture/prepare-message.ts'
import { saveSealed } from '../capture/save-sealed.ts'
import { requireSessionTo } from '../capture/session-reference.ts'
import { ConflictError, InputError, NotFoundError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Caller } from '../model/access.ts'
import { looksLikeId } from '../model/ids.ts'
import { correctionNameOf } from '../model/messages/correction.ts'
import { giveReason } from '../model/reason.ts'
import { checkName } from '../model/validate.ts'
import type { ReadDependencies } from '../sessions/session-page.ts'
import { writeAudit } from '../store/audit/audit-log.ts'
import { findMessage, readMessages, type MessageRow, type SessionKey } from '../store/messages.ts'
import { linkCorrection } from '../store/rights/corrections.ts'
import { keepReason } from '../store/rights/reasons.ts'
import { saveBatch } from '../store/saving/save-messages.ts'
import { inTransaction } from '../store/transaction.ts'

export interface CorrectInput {
  /** Ours or the source's own id. */
  readonly session: string
  /** Its number, our id, or its own. */
  readonly message: string
  /** Any JSON, kept exactly. */
  readonly content: unknown
  readonly reason: string
}

/** Which message says from now on what the corrected one said. */
export interface Corrected {
  readonly session_id: string
  readonly corrected_id: string
  readonly message_id: string
  readonly seq: number
  readonly sha256: string
}

/**
 * Corrects a message: the new version is a message of its own at the end of the session, of the same sender, role and time, linked
 * to the old one, which stays as it is and is out of use: not searched, recalled or summarized. The audit log notes the reason.
 */
export async function correctMessage(
  dependencies: ReadDependencies,
  caller: Caller,
  input: CorrectInput,
): Promise<Corrected> {
  const { database, archive } = dependencies
  const { tenantId, principal: actor, client, call } = caller
  const reason = giveReason(checkName(input.reason, { field: 'reason', charactersMax: limits.titleCharactersMax }))
  const session = await requireSessionTo(database, caller, { reference: input.session, action: 'write' })
  const key = { tenantId, sessionId: session.id }
  const original = await requireMessage(dependencies, key, input.message)
  requireCorrectable(original)
  const { sender, role, timestamp, trust } = original
  const given = prepareMessage({
    content: input.content,
    sender,
    role,
    timestamp,
    messageId: correctionNameOf(original.id),
  })
  if (Buffer.compare(given.sha256, original.payloadSha256) === 0)
    throw new InputError('Cannot correct the message as the correction says the same', {
      remedy: 'Give what it should say',
    })
  const target = { id: session.id, source: session.source, create: false }
  const saved = await saveSealed(database, { tenantId, session: target }, async (sealed) => {
    const held = { archive, given: [given], seal: sealed.seal }
    return await leavingLatePuts({ database, key }, held, async () => {
      const message = await placePayload(archive, { ...given, trust }, sealed.seal)
      return await database.run((sql) =>
        inTransaction(sql, async (transaction) => {
          await holdPayloads(transaction, held)
          const request = { tenantId, actor, client, call, revise: true, ...sealed, messages: [message] }
          const result = await saveBatch(transaction, request)
          const [correction] = result.messages
          if (correction === undefined) throw new Error('A correction was not saved')
          if (correction.erased === true) throw gone(original.id)
          const link = {
            ...key,
            seq: original.seq,
            messageId: original.id,
            correctionSeq: correction.seq,
            correctionId: correction.id,
          }
          if (!(await linkCorrection(transaction, link, session.closedAt))) throw alreadyCorrected(original.id)
          await keepReason(transaction, { ...key, about: original.id }, { reason, seal: sealed.seal })
          await writeAudit(transaction, caller, {
            action: 'message.correct',
            objectKind: 'session',
            objectId: session.id,
            outcome: 'ok',
            reason: reason.note,
          })
          return result
        }),
      )
    })
  })
  database.announce?.({ tenantId, sessionId: session.id })
  const [correction] = saved.messages
  return {
    session_id: session.id,
    corrected_id: original.id,
    message_id: correction?.id ?? '',
    seq: correction?.seq ?? 0,
    sha256: Buffer.from(given.sha256).toString('hex'),
  }
}

async function requireMessage({ database }: ReadDependencies, key: SessionKey, reference: string): Promise<MessageRow> {
  const externalId = checkName(reference, { field: 'message', charactersMax: limits.idCharactersMax, isRequired: true })
  const id = looksLikeId(externalId) ? externalId.toLowerCase() : undefined
  const named = await findMessage(database, key, { id, externalId })
  if (named !== undefined) return named
  const seq = /^\d{1,15}$/.test(reference) ? Number(reference) : undefined
  const [numbered] = seq === undefined ? [] : await readMessages(database, key, { fromSeq: seq, toSeq: seq, limit: 1 })
  if (numbered !== undefined) return numbered
  throw new NotFoundError(`No message "${externalId}" in the session`, {
    remedy: 'Run "verbatim show" to see its messages',
  })
}

function requireCorrectable({ kind, correctedById, id }: MessageRow): void {
  if (kind !== 'message')
    throw new InputError(`Cannot correct "${id}" as it is no message that somebody said`, {
      remedy: 'Entries of other kinds, and what was erased, stay as they are',
    })
  if (correctedById !== undefined) throw alreadyCorrected(id, correctedById)
}

function alreadyCorrected(id: string, by?: string): ConflictError {
  return new ConflictError(`Message "${id}" was corrected already${by === undefined ? '' : ` by message "${by}"`}`, {
    remedy: 'Correct the message that says now what it should say: get_session names it as "corrected_by"',
  })
}

function gone(id: string): ConflictError {
  return new ConflictError(
    `Cannot correct message "${id}" as a correction of it was erased or anonymised, and does not come back`,
    {
      remedy: 'Save what it should say as a message of its own',
    },
  )
}
