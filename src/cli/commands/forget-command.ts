import type { Command } from 'commander'

import type { ErasureReply, ForgetInput } from '../../erasure/forget.ts'
import type { ErasurePreview } from '../../erasure/preview.ts'
import { agreed, counted, countedOf } from '../../model/text/counted.ts'
import {
  isAllHeld,
  type ErasureAction,
  type ErasureReceipt,
  type PendingSession,
} from '../../store/erasure/receipts.ts'
import type { CommandContext } from '../context.ts'
import { exitCodes, type ExitStatus } from '../exit-codes.ts'
import { print, printJson } from '../output.ts'

/** What `erase` and `anonymise` are told alike: of what, and whether at once. */
export interface ForgetOptions {
  readonly session?: string
  readonly message?: string
  readonly participant?: string
  readonly since?: string
  readonly until?: string
  readonly source?: string
  readonly tag?: string
  readonly reason?: string
  readonly confirm?: string
  readonly yes?: boolean
  readonly json?: boolean
}

const done = { erase: 'erased', anonymise: 'anonymised' } as const

export function addForgetOptions(command: Command, action: ErasureAction): Command {
  return command
    .option('--session <id>', 'a session, ours or the source’s own id')
    .option('--message <id>', 'a message; by an id of your own with --session')
    .option('--participant <name>', 'the messages of a sender')
    .option('--since <time>', 'messages not before this time (ISO 8601)')
    .option('--until <time>', 'messages not after this time')
    .option('--source <name>', 'sessions of a source: mcp, openclaw, claude-code, …')
    .option('--tag <tag>', 'sessions with a tag')
    .option('--reason <text>', 'kept with the receipt')
    .option('--confirm <token>', `of a preview: ${action}s exactly what it has shown`)
    .option('--yes', `${action} at once`)
}

/** A preview, or what was done where that is confirmed or not asked for. */
export async function forgetChosen(
  { verbatim, caller }: CommandContext,
  { session: sessionId, message: messageId, confirm, yes, ...selection }: ForgetOptions,
  what: Pick<ForgetInput, 'pseudonymise' | 'withKnownNames'> & { readonly action: ErasureAction },
): Promise<ErasurePreview | ErasureReply> {
  const { participant, since, until, source, tag, reason } = selection
  const chosen = { ...what, sessionId, messageId, participant, since, until, source, tag, reason }
  const first = await verbatim.erasures.forget(caller, { ...chosen, confirm })
  if (first.status !== 'preview' || yes !== true) return first
  return await verbatim.erasures.forget(caller, { ...chosen, confirm: first.confirm })
}

export async function tellForgotten(
  reply: ErasurePreview | ErasureReply,
  { json, status }: { readonly json: boolean | undefined; readonly status: ExitStatus },
): Promise<void> {
  if (reply.status === 'pending' || reply.status === 'on_hold') status.code = exitCodes.problems
  if (json === true) return printJson(reply)
  return print(reply.status === 'preview' ? renderPreview(reply) : renderReceipt(reply))
}

/** Of stores, which are called by what several of it are. */
function storesOf(counts: Readonly<Record<string, number>>): string[] {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([things, count]) => countedOf(count, things.replaceAll('_', ' ')))
}

/** Of kinds of what is found, which are called by one. */
function kindsOf(counts: Readonly<Record<string, number>>): string[] {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => `${count} ${kind.replaceAll('_', ' ')}`)
}

function renderPreview(preview: ErasurePreview): string {
  const { action, replaced, messages_looked_through: looked = 0, names_not_read: unread = 0 } = preview
  const { names_left_to_rules: left = 0 } = preview
  const { reasons, ...made } = preview.stores
  const lines = [
    preview.messages_only
      ? `${counted(preview.messages, 'message')} (${counted(preview.bytes, 'byte')}) of ${counted(preview.sessions, 'session')} would be ${done[action]}`
      : `${counted(preview.sessions, 'session')} with ${counted(preview.messages, 'message')} (${counted(preview.bytes, 'byte')}) would be ${done[action]}`,
    ...(replaced === undefined ? [] : [replacedLine(replaced, looked)]),
    ...(unread === 0
      ? []
      : [`  ${unread} ${agreed(unread, 'has', 'have')} not been read for names by the model yet: it may find more`]),
    ...(left === 0 ? [] : [`  in ${left} names are looked for by rules alone: the model does not read these`]),
    ...storesOf({ ...made }).map((line) => `  and ${line}${action === 'anonymise' ? ', made of them' : ''}`),
    ...storesOf({ reasons }).map((line) => `  and ${line}`),
    ...preview.first_sessions.map(({ session_id: id, messages }) => `  session ${id}: ${counted(messages, 'message')}`),
  ]
  const untold = preview.sessions - preview.first_sessions.length
  if (untold > 0) lines.push(`  and ${counted(untold, 'further session')}`)
  for (const id of preview.held) lines.push(`on legal hold, left alone: session ${id}`)
  const heldUntold = preview.held_count - preview.held.length
  if (heldUntold > 0) lines.push(`on legal hold, left alone: ${counted(heldUntold, 'further session')}`)
  return `${lines.join('\n')}\nNothing was ${done[action]}. To ${action} exactly this, within 15 minutes: the same command with --confirm ${preview.confirm}\n`
}

function replacedLine(replaced: Readonly<Record<string, number>>, looked: number): string {
  const found = kindsOf(replaced).join(', ')
  return `  would be replaced in the ${looked} that were looked through: ${found === '' ? 'nothing' : found}`
}

export function renderReceipt(receipt: ErasureReceipt): string {
  const { action, erased, replaced, held, kept_objects: kept, pending } = receipt
  const state =
    receipt.completed_at === null ? 'PENDING' : isAllHeld(receipt) ? `NOTHING ${done[action]}:` : done[action]
  const lines = [
    `${state} ${receipt.erasure_id} by ${receipt.scope}, ${receipt.created_at}, ${receipt.requested_by}${receipt.reason === null ? '' : `: ${receipt.reason}`}`,
    ...storesOf({ ...erased }).map((line) => `  ${line}`),
    ...kindsOf(replaced).map((line) => `  replaced: ${line}`),
    ...held.map((id) => `  on legal hold, left alone: session ${id}`),
    ...kept.map((key) => `  KEPT by the archive: ${key}`),
    ...pending.map((session) => `  pending: session ${session.session_id}, ${stateOf(session)}`),
  ]
  return `${lines.join('\n')}\n`
}

function stateOf({ waits_for: why, under_way: isUnderWay }: PendingSession): string {
  if (why !== null) return `waits: ${why}`
  return isUnderWay ? 'somebody is at it' : 'goes on as soon as something works in the background'
}
