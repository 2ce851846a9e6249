import { Option, type Command } from 'commander'

import { limits } from '../../limits.ts'
import { flagNames, type FlagName } from '../../model/messages/message-flags.ts'
import { describeUnknownName } from '../../model/unknown-name.ts'
import type { ListedSession } from '../../sessions/list-sessions.ts'
import { withStore } from '../context.ts'
import { oneLine, print, printJson, table } from '../output.ts'
import { wholeNumber } from '../parse-options.ts'

interface SessionsOptions {
  readonly participant?: string
  readonly model?: string
  readonly source?: string
  readonly since?: string
  readonly until?: string
  readonly tag?: string
  readonly flag?: FlagName
  readonly limit: number
  readonly cursor?: string
  readonly json?: boolean
}

/** A longer id of a client's is no name that somebody chose, and would leave no room for words. */
const nameCharactersMax = 20

/** Its title, or else what its client calls it, and how it begins. */
function nameOf({ title, external_id: externalId, begins_with: opening }: ListedSession): string {
  if (title !== undefined) return title
  const isName = opening === undefined || (externalId ?? '').length <= nameCharactersMax
  return [isName ? externalId : undefined, opening].filter((text) => text !== undefined).join(': ')
}

export function registerSessions(program: Command): void {
  program
    .command('sessions')
    .description('list sessions, most recently active first')
    .option('--participant <name>', 'only sessions with this participant')
    .option('--model <name>', 'only sessions that used this model')
    .option('--source <name>', 'only from this source: mcp, openclaw, claude-code, codex, …')
    .option('--since <time>', 'only active since (ISO 8601)')
    .option('--until <time>', 'only begun until (ISO 8601)')
    .option('--tag <tag>', 'only with this tag')
    .addOption(new Option('--flag <flag>', 'only with a message that is flagged so').choices([...flagNames]))
    .option('--limit <n>', 'how many', wholeNumber(1, limits.pageSessionsMax), limits.pageSessionsDefault)
    .option('--cursor <cursor>', 'continue after a previous page')
    .option('--json', 'machine-readable output')
    .action(async (options: SessionsOptions) => {
      await withStore(program, async ({ verbatim, caller }) => {
        const { json, ...filter } = options
        const page = await verbatim.listSessions(caller, filter)
        if (json === true) return printJson(page)
        const rows = page.sessions.map((session) => [
          session.session_id,
          session.source,
          session.last_active_at.slice(0, 16).replace('T', ' '),
          session.message_count,
          session.total_tokens,
          oneLine(nameOf(session), 50),
        ])
        await print(
          rows.length === 0
            ? 'No sessions.\n'
            : `${table(['session', 'source', 'last active', 'messages', 'tokens', 'title'], rows)}\n`,
        )
        for (const name of page.unknown_names ?? []) process.stderr.write(`${describeUnknownName(name)}\n`)
        if (page.next_cursor !== undefined) process.stderr.write(`More: --cursor ${page.next_cursor}\n`)
        return undefined
      })
    })
}
