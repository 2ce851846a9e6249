import { createHash } from 'node:crypto'

import { ConflictError, InputError, NotFoundError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Caller } from '../model/access.ts'
import type { NamesBy } from '../model/names.ts'
import type { ArchiveStore } from '../ports/archive-store.ts'
import type { Database } from '../store/database.ts'
import { countReasonsOfGone } from '../store/erasure/complete-erasure.ts'
import {
  planMessages,
  planSessions,
  planStores,
  type PlannedSession,
  type PlannedStores,
} from '../store/erasure/erasure-plan.ts'
import type { ErasureAction } from '../store/erasure/receipts.ts'
import { foreseeReplaced } from './foresee-replaced.ts'
import { namesUnread } from './names-read.ts'
import type { ReadSelection } from './selection.ts'

const sessionsShown = 20
const heldShown = 100

/** What would be erased or anonymised. Nothing has been. */
export interface ErasurePreview {
  readonly status: 'preview'
  readonly action: ErasureAction
  readonly scope: ReadSelection['scope']
  /** Sessions that go, or of which messages go; `messages_only` says which. */
  readonly sessions: number
  readonly messages_only: boolean
  readonly messages: number
  readonly bytes: number
  /** What else goes with them, or is made anew. */
  readonly stores: PlannedStores
  /** Of what would be anonymised: how often each kind of data would be replaced in as many messages as there was time for. */
  readonly replaced?: Readonly<Record<string, number>>
  readonly messages_looked_through?: number
  /** In how many of these messages the model that looks for names has not looked yet. */
  readonly names_not_read?: number
  /** In how many it will not: those that it is not given, and those that it gave no usable answer for. */
  readonly names_left_to_rules?: number
  /** The first of them. */
  readonly first_sessions: readonly { readonly session_id: string; readonly messages: number }[]
  /** Sessions that are left alone, as they are on legal hold; the first 100 of them. */
  readonly held: readonly string[]
  readonly held_count: number
  /** Sessions that are left alone, as only an owner may erase them. */
  readonly not_yours: number
  /** To be given back within 15 minutes, with the same selection. */
  readonly confirm: string
}

const unmet = {
  erase: 'no message meets all that was named',
  anonymise: 'no message that is not anonymised yet meets all that was named',
} as const

export interface ErasurePlan {
  readonly sessions: readonly PlannedSession[]
  readonly held: readonly PlannedSession[]
  readonly notOwn: number
}

/** Where a plan is made: as the caller may see the store, and as its owner does, for what no request may read. */
interface PlanSources {
  readonly visible: Database
  readonly database: Database
}

export async function planErasure(
  { visible, database }: PlanSources,
  caller: Caller,
  { selection, asOf }: { readonly selection: ReadSelection; readonly asOf: string },
): Promise<ErasurePlan> {
  const { action, filter, isWhole } = selection
  const found = await visible.run((sql) =>
    isWhole ? planSessions(sql, caller, filter) : planMessages(sql, caller, { filter, asOf, action }),
  )
  if (found.length === 0 && (await reasonsOfGone(database, caller, { selection, messages: 0 })) === 0)
    throw new NotFoundError(`There is nothing to ${action}: ${unmet[action]}`, {
      remedy: 'Look with list_sessions or search_memory for what there is',
    })
  const own = found.filter(({ isOwn }) => isOwn)
  return {
    sessions: own.filter(({ legalHold }) => !legalHold),
    held: own.filter(({ legalHold }) => legalHold),
    notOwn: found.length - own.length,
  }
}

/**
 * Why somebody was restricted goes with the last message of theirs, and may be left where their messages went another way, with their session,
 * say. Told to who sees all of the tenant: to others it would tell whether there is more of somebody. What is anonymised may keep its sender.
 */
async function reasonsOfGone(
  database: Database,
  { tenantId, principalId }: Caller,
  { selection, messages }: { readonly selection: ReadSelection; readonly messages: number },
): Promise<number> {
  const { participant, ...narrower } = selection.filter
  if (selection.action !== 'erase' || participant === undefined || principalId !== undefined) return 0
  const isNarrow = Object.values(narrower).some((one) => one !== undefined)
  if (messages === 0 && isNarrow) return 0
  return await database.run((sql) => countReasonsOfGone(sql, tenantId, { participant, messages }))
}

function sumOf(sessions: readonly PlannedSession[], what: 'messages' | 'bytes'): number {
  return sessions.reduce((total, one) => total + one[what], 0)
}

export interface PreviewDependencies extends PlanSources {
  readonly archive: ArchiveStore
  readonly namesBy?: NamesBy | undefined
}

export async function previewErasure(
  dependencies: PreviewDependencies,
  caller: Caller,
  { selection, now }: { readonly selection: ReadSelection; readonly now: Date },
): Promise<ErasurePreview> {
  const { visible: database, archive, namesBy } = dependencies
  const plan = await planErasure(dependencies, caller, { selection, asOf: now.toISOString() })
  const { sessions, held, notOwn } = plan
  const messages = sumOf(sessions, 'messages')
  for (const { id } of [...sessions, ...held]) caller.call?.show(id)
  // As its owner sees it, as no request may read keys and reasons: of sessions that the caller may erase.
  const stores = await dependencies.database.run((sql) =>
    planStores(sql, caller.tenantId, { sessions, action: selection.action }),
  )
  const reasons = await reasonsOfGone(dependencies.database, caller, { selection, messages })
  const anonymises = selection.action === 'anonymise'
  const foreseen = anonymises ? await foreseeReplaced({ database, archive }, caller.tenantId, sessions) : {}
  const unread = anonymises ? await namesUnread({ database, namesBy }, caller.tenantId, sessions) : undefined
  return {
    status: 'preview',
    action: selection.action,
    scope: selection.scope,
    sessions: sessions.length,
    messages_only: !selection.isWhole,
    messages,
    bytes: sumOf(sessions, 'bytes'),
    stores: { ...stores, reasons: stores.reasons + reasons },
    ...foreseen,
    ...(unread === undefined ? {} : { names_not_read: unread.waiting, names_left_to_rules: unread.leftToRules }),
    first_sessions: sessions.slice(0, sessionsShown).map(({ id, messages }) => ({ session_id: id, messages })),
    held: held.slice(0, heldShown).map(({ id }) => id),
    held_count: held.length,
    not_yours: notOwn,
    confirm: confirmToken(caller, { selection, asOfMs: now.getTime(), sessions }),
  }
}

interface Previewed {
  readonly selection: ReadSelection
  readonly asOfMs: number
  readonly sessions: readonly PlannedSession[]
}

/** Names what was shown: the moment, and a hash of the selection with each message that meets it. */
function confirmToken({ tenantId, principalId = '' }: Caller, { selection, asOfMs, sessions }: Previewed): string {
  const chosen = sessions.map(({ id, messages, bytes, stretches }) => [id, messages, bytes, stretches])
  const hash = createHash('sha256').update(
    JSON.stringify([tenantId, principalId, selection.action, selection.filter, asOfMs, chosen]),
  )
  return `${asOfMs.toString(36)}-${hash.digest('hex').slice(0, 32)}`
}

/** When a preview was made; throws InputError where that was too long ago, or it is no token. */
export function previewedAt(
  token: string,
  { now, action }: { readonly now: Date; readonly action: ErasureAction },
): Date {
  const [, time] = /^([0-9a-z]{1,11})-[0-9a-f]{32}$/.exec(token) ?? []
  const at = Number.parseInt(time ?? '', 36)
  const age = now.getTime() - at
  if (!Number.isSafeInteger(at) || age < 0 || age > limits.erasureConfirmMs)
    throw new InputError(`Cannot ${action} as "confirm" is not from a preview of the last 15 minutes`, {
      remedy: 'Call again without "confirm", look at the preview, and give back its "confirm"',
    })
  return new Date(at)
}

/** Throws ConflictError where what would be erased now is not what was shown. */
export function checkConfirmed(caller: Caller, token: string, previewed: Previewed): void {
  if (confirmToken(caller, previewed) === token) return
  throw new ConflictError(`Cannot ${previewed.selection.action} as this is not what the preview has shown`, {
    remedy:
      'Something was saved, put on hold, erased or anonymised since, or another selection is named: call again without "confirm" and look at the new preview',
  })
}
