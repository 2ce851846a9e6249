import { setTimeout as sleep } from 'node:timers/promises'

import { archiveChangedKeys } from '../archive/archive-keys.ts'
import { ConflictError, UnavailableError } from '../errors.ts'
import {
  destroyFormerKeys,
  readReasonVersions,
  readSessionKeyState,
  type SessionKeyState,
} from '../store/keys/resealed-rows.ts'
import type { SessionKey } from '../store/messages.ts'
import { removeFormerPayloads, resealSession, resealMade, type ResealStores } from './reseal-session.ts'

export interface SessionKeyRotation {
  /** Of the key that the session is now under. */
  readonly version: number
  /** Messages that were sealed anew. */
  readonly messages: number
  /** Reasons that were given for it and cannot be opened: they stay as they are, and the old key for them. */
  readonly unreadable_reasons: number
}

/** Who has read a row before it was sealed anew has opened it by then, and read its payload from the archive. */
const usualGraceMs = 2_000

/**
 * Gives a session a new key, seals all that is stored of it anew, in the archive too, and destroys the old one. It is read and saved
 * to meanwhile. Killed and called again, it goes on: a session that has two keys is in the middle of it.
 */
export async function rotateSessionKey(
  stores: ResealStores,
  key: SessionKey,
  { graceMs = usualGraceMs }: { readonly graceMs?: number } = {},
): Promise<SessionKeyRotation> {
  const { database } = stores
  const { tenantId, sessionId } = key
  const state = await database.run((sql) => readSessionKeyState(sql, key))
  if (state === undefined || state.current === 0)
    throw new ConflictError(`Cannot change the key of session "${sessionId}" as it is not encrypted`, {
      remedy: 'Run "verbatim keys encrypt" to encrypt all that the store holds',
    })
  const idle = await database.run((sql) => readReasonVersions(sql, key))
  const version = nextVersion({ ...state, live: state.live.filter((one) => !idle.includes(one)) })
  const seal = await database.vault.sealOfNext(tenantId, { sessionId, version }, state.current)
  const others = [...new Set([...state.live, state.current])].filter((other) => other !== version)
  const reseal = { from: state.current, version, seal }
  const { messages } = await resealSession(stores, key, reseal)
  await sleep(graceMs)
  // Whoever made one meanwhile may have done it under the key of before.
  const unreadable = await resealMade(stores, key, reseal)
  await removeFormerPayloads(stores, key, others)
  await database.run((sql) => destroyFormerKeys(sql, key))
  await archiveChangedKeys(stores, tenantId, { onlyArchived: true })
  const after = await database.run((sql) => readSessionKeyState(sql, key))
  const kept = unreadable === 0 ? [] : await database.run((sql) => readReasonVersions(sql, key))
  if (after !== undefined && after.live.filter((one) => !kept.includes(one)).length > 1)
    throw new UnavailableError(
      `Cannot destroy the old key of session "${sessionId}" as something was just saved under it`,
      {
        remedy: 'Run this again: it goes on',
      },
    )
  return { version, messages, unreadable_reasons: unreadable }
}

/** One that was begun, or a new one. */
function nextVersion({ current, live, highest }: SessionKeyState): number {
  const begun = live.find((version) => version > current)
  if (begun !== undefined) return begun
  return live.length > 1 ? current : highest + 1
}
