import type { Command } from 'commander'

import type { ErasureReply } from '../../erasure/forget.ts'
import type { ErasurePreview } from '../../erasure/preview.ts'
import type { ErasureReceipt } from '../../store/erasure/receipts.ts'
import { withStore, type CommandContext } from '../context.ts'
import { exitCodes, type ExitStatus } from '../exit-codes.ts'
import { print, printJson } from '../output.ts'

interface EraseOptions {
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
  readonly receipts?: boolean
  readonly again?: boolean
  readonly rewrite?: boolean
  readonly json?: boolean
}

const receiptsShown = 1_000

function counted(counts: Readonly<Record<string, number>>): string[] {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([what, count]) => `${count} ${what.replaceAll('_', ' ')}`)
}

function renderPreview(preview: ErasurePreview): string {
  const lines = [
    preview.messages_only
      ? `${preview.messages} messages (${preview.bytes} bytes) of ${preview.sessions} sessions would be erased`
      : `${preview.sessions} sessions with ${preview.messages} messages (${preview.bytes} bytes) would be erased`,
    ...counted({ ...preview.stores }).map((line) => `  and ${line}`),
    ...preview.first_sessions.map(({ session_id: id, messages }) => `  session ${id}: ${messages} messages`),
  ]
  const untold = preview.sessions - preview.first_sessions.length
  if (untold > 0) lines.push(`  and ${untold} further sessions`)
  for (const id of preview.held) lines.push(`on legal hold, left alone: session ${id}`)
  const heldUntold = preview.held_count - preview.held.length
  if (heldUntold > 0) lines.push(`on legal hold, left alone: ${heldUntold} further sessions`)
  return `${lines.join('\n')}\nNothing was erased. To erase exactly this, within 15 minutes: the same command with --confirm ${preview.confirm}\n`
}

function renderReceipt(receipt: ErasureReceipt): string {
  const { erased, held, kept_objects: kept, pending } = receipt
  const lines = [
    `${receipt.completed_at === null ? 'PENDING' : 'erased'} ${receipt.erasure_id} by ${receipt.scope}, ${receipt.created_at}, ${receipt.requested_by}${receipt.reason === null ? '' : `: ${receipt.reason}`}`,
    ...counted({ ...erased }).map((line) => `  ${line}`),
    ...held.map((id) => `  on legal hold, left alone: session ${id}`),
    ...kept.map((key) => `  KEPT by the archive: ${key}`),
    ...pending.map(
      ({ session_id: id, waits_for: why }) => `  pending: session ${id}${why === null ? '' : `, waits: ${why}`}`,
    ),
  ]
  return `${lines.join('\n')}\n`
}

async function listReceipts({ verbatim, caller }: CommandContext, { json }: EraseOptions): Promise<void> {
  const receipts = await verbatim.erasures.receipts(caller, { limit: receiptsShown })
  if (json === true) return printJson(receipts)
  if (receipts.length === 0) return print('Nothing was ever erased.\n')
  for (const receipt of receipts) await print(renderReceipt(receipt))
}

async function confirmed(
  { verbatim, caller }: CommandContext,
  { session: sessionId, message: messageId, confirm, yes, ...selection }: EraseOptions,
): Promise<ErasurePreview | ErasureReply> {
  const { participant, since, until, source, tag, reason } = selection
  const chosen = { sessionId, messageId, participant, since, until, source, tag, reason }
  const first = await verbatim.erasures.forget(caller, { ...chosen, confirm })
  if (first.status !== 'preview' || yes !== true) return first
  return await verbatim.erasures.forget(caller, { ...chosen, confirm: first.confirm })
}

async function rewrite({ verbatim, caller }: CommandContext): Promise<void> {
  await verbatim.erasures.rewriteFiles(caller)
  await print('The files of the store are written anew.\n')
}

function again({ verbatim, caller }: CommandContext): Promise<ErasureReply | undefined> {
  return verbatim.erasures.again(caller)
}

export function registerErase(program: Command, status: ExitStatus): void {
  program
    .command('erase')
    .description(
      'erase for good, from every store, what meets all that is named; without --yes or --confirm it only shows what that would be',
    )
    .option('--session <id>', 'a session, ours or the source’s own id')
    .option('--message <id>', 'a message; by an id of your own with --session')
    .option('--participant <name>', 'the messages of a sender')
    .option('--since <time>', 'messages not before this time (ISO 8601)')
    .option('--until <time>', 'messages not after this time')
    .option('--source <name>', 'sessions of a source: mcp, openclaw, claude-code, …')
    .option('--tag <tag>', 'sessions with a tag')
    .option('--reason <text>', 'kept with the receipt')
    .option('--confirm <token>', 'of a preview: erases exactly what it has shown')
    .option('--yes', 'erase at once')
    .option('--again', 'erase what has come back, as where an older copy of the database was put back')
    .option('--rewrite', 'write the files of the embedded store anew: then nothing of what was erased is left in them')
    .option('--receipts', 'show what was erased, and what is pending')
    .option('--json', 'machine-readable output')
    .action(async (options: EraseOptions) => {
      await withStore(program, async (context) => {
        if (options.receipts === true) return listReceipts(context, options)
        if (options.rewrite === true) return rewrite(context)
        const reply = options.again === true ? await again(context) : await confirmed(context, options)
        if (reply === undefined) return print('Nothing has come back of what was erased.\n')
        if (reply.status === 'pending') status.code = exitCodes.problems
        if (options.json === true) return printJson(reply)
        return print(reply.status === 'preview' ? renderPreview(reply) : renderReceipt(reply))
      })
    })
}
