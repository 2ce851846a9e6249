import { Option, type Command } from 'commander'

import { limits } from '../../limits.ts'
import { describeFlags, flagNames } from '../../model/messages/message-flags.ts'
import { roleSchema } from '../../model/messages/message.ts'
import { searchModes, type SearchMode } from '../../model/search-mode.ts'
import { inOneLine } from '../../model/text/one-line.ts'
import { describeUnknownName } from '../../model/unknown-name.ts'
import type { SearchReply } from '../../search/reply.ts'
import { withStore } from '../context.ts'
import { print, printJson } from '../output.ts'
import { collect, collectOneOf, wholeNumber } from '../parse-options.ts'

/** A hit in a terminal is read at a glance; `verbatim show` has the rest. */
const terminalCharactersMax = 500

interface SearchOptions {
  readonly mode: SearchMode
  readonly session?: string
  readonly participant?: readonly string[]
  readonly model?: readonly string[]
  readonly role?: readonly string[]
  readonly tool?: readonly string[]
  readonly tag?: readonly string[]
  readonly flag?: readonly string[]
  readonly since?: string
  readonly until?: string
  readonly limit: number
  readonly context: number
  readonly cursor?: string
  readonly json?: boolean
}

/** What a person reads in a terminal: hits are marked, neighbours are not. */
function renderForTerminal(reply: SearchReply): string {
  const lines: string[] = []
  for (const result of reply.results) {
    lines.push(
      `${result.session_id}  ${result.source}  ${result.started_at.slice(0, 10)}  ${result.title ?? ''}`.trimEnd(),
    )
    for (const message of result.messages) {
      const mark = message.hit === undefined ? ' ' : '>'
      const flags = describeFlags(message.flags)
      lines.push(
        `${mark} [${message.seq}] ${inOneLine(message.sender)} (${message.role}), ${message.timestamp.slice(0, 16).replace('T', ' ')}${flags === undefined ? '' : `, ${flags}`}`,
      )
      lines.push(...message.text.split('\n').map((line) => `    ${line}`))
    }
    lines.push('')
  }
  return lines.length === 0 ? 'Nothing was found.\n' : lines.join('\n')
}

export function registerSearch(program: Command): void {
  program
    .command('search')
    .description('find messages by words, "quoted phrases", names, paths, error codes, and by meaning')
    .addHelpText('after', "\nA name that begins with ! is left out: --role '!tool' --participant '!Ada'")
    .argument('<query...>', 'what to look for')
    .addOption(
      new Option('--mode <mode>', 'by words and meaning, by meaning alone, or by words alone')
        .choices(searchModes)
        .default('hybrid'),
    )
    .option('--session <id>', 'only in this session')
    .option('--participant <name>', 'only messages of this sender (repeatable)', collect)
    .option('--model <name>', 'only messages of this model (repeatable)', collect)
    .option('--role <role>', 'only this role (repeatable)', collectOneOf(roleSchema.options))
    .option('--tool <name>', 'only messages that call this tool (repeatable)', collect)
    .option('--tag <tag>', 'only sessions with this tag (repeatable)', collect)
    .option('--flag <flag>', 'only messages flagged for secrets or instructions (repeatable)', collectOneOf(flagNames))
    .option('--since <time>', 'only since (ISO 8601)')
    .option('--until <time>', 'only until (ISO 8601)')
    .option('--limit <n>', 'how many hits', wholeNumber(1, limits.searchHitsMax), limits.searchHitsDefault)
    .option(
      '--context <n>',
      'neighbouring messages on each side',
      wholeNumber(0, limits.contextNeighboursMax),
      limits.contextNeighboursDefault,
    )
    .option('--cursor <cursor>', 'continue after a previous page')
    .option('--json', 'machine-readable output')
    .action(async (words: readonly string[], options: SearchOptions) => {
      await withStore(program, async ({ verbatim, caller }) => {
        const reply = await verbatim.search(caller, {
          query: words.join(' '),
          limit: options.limit,
          maxTokens: limits.resultTokensMax,
          mode: options.mode,
          sessionId: options.session,
          participants: options.participant,
          models: options.model,
          roles: options.role,
          toolsUsed: options.tool,
          tags: options.tag,
          flags: options.flag,
          since: options.since,
          until: options.until,
          context: options.context,
          format: 'json',
          textCharactersMax: options.json === true ? undefined : terminalCharactersMax,
          cursor: options.cursor,
        })
        if (options.json === true) return printJson(reply)
        await print(renderForTerminal(reply))
        for (const name of reply.unknown_names ?? []) process.stderr.write(`${describeUnknownName(name)}\n`)
        for (const reason of reply.degraded) process.stderr.write(`Degraded: ${reason}\n`)
        if (reply.next_cursor !== undefined) process.stderr.write(`More: --cursor ${reply.next_cursor}\n`)
        return undefined
      })
    })
}
