import type { Command } from 'commander'

import { explain, UnavailableError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import { describeFlags } from '../../model/messages/message-flags.ts'
import { counted } from '../../model/text/counted.ts'
import { inOneLine } from '../../model/text/one-line.ts'
import type { SessionDocument } from '../../sessions/document.ts'
import { stateOf } from '../../sessions/message-state.ts'
import { shownText } from '../../sessions/render.ts'
import { withStore } from '../context.ts'
import { print, printJson } from '../output.ts'
import { wholeNumber } from '../parse-options.ts'

interface ShowOptions {
  readonly from?: number
  readonly limit: number
  readonly cursor?: string
  readonly full?: boolean
  readonly json?: boolean
}

function renderForTerminal(document: SessionDocument): string {
  const head = [
    document.title ?? document.session_id,
    `${document.session_id}  ${document.source}  ${document.created_at} to ${document.last_active_at}`,
    [
      counted(document.message_count, 'message'),
      counted(document.total_tokens, 'token'),
      counted(document.tool_invocations, 'tool call'),
      counted(document.context_switches, 'context switch', 'context switches'),
    ].join(', '),
    `participants: ${document.participants.join(', ') || '-'}; models: ${document.models_used.join(', ') || '-'}`,
  ]
  const messages = document.messages.map((message) => {
    const flags = describeFlags(message.flags)
    const told = [message.timestamp, ...(flags === undefined ? [] : [flags]), ...stateOf(message)].join(', ')
    return `[${message.seq}] ${inOneLine(message.sender)} (${message.role}) ${told}\n${shownText(message)}\n`
  })
  return `${head.join('\n')}\n\n${messages.join('\n')}`
}

/** It is beside the session, which is shown all the same. */
function nothingWhereDamaged(error: unknown): [] {
  if (!(error instanceof UnavailableError)) throw error
  process.stderr.write(`${explain(error)}\n`)
  return []
}

export function registerShow(program: Command): void {
  program
    .command('show')
    .description('show a session, a page at a time')
    .argument('<session>', 'its id, ours or the source’s own')
    .option('--from <seq>', 'first message number', wholeNumber(1, limits.sessionMessagesMax))
    .option('--limit <n>', 'how many messages', wholeNumber(1, limits.pageMessagesMax), limits.pageMessagesDefault)
    .option('--cursor <cursor>', 'continue after a previous page')
    .option('--full', 'every message with its whole content; with --json: every field')
    .option(
      '--json',
      'machine-readable output, with what was said of the session before, as a sync found it at this store or another',
    )
    .action(async (session: string, options: ShowOptions) => {
      await withStore(program, async ({ verbatim, caller }) => {
        const document = await verbatim.getSession(caller, {
          sessionId: session,
          fromSeq: options.from,
          limit: options.limit,
          maxTokens: limits.resultTokensMax * 10,
          view: options.full === true ? 'full' : 'compact',
          cursor: options.cursor,
        })
        if (options.json === true) {
          const { saidBefore } = await import('../../sync/said-before.ts')
          // Beside the first page, as what is said now.
          const before =
            options.cursor === undefined
              ? await saidBefore(verbatim.stores.database, caller, document.session_id).catch(nothingWhereDamaged)
              : []
          return printJson(before.length === 0 ? document : { ...document, said_before: before })
        }
        await print(renderForTerminal(document))
        if (document.next_cursor !== undefined) process.stderr.write(`More: --cursor ${document.next_cursor}\n`)
        return undefined
      })
    })
}
