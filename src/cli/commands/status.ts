import { homedir } from 'node:os'

import type { Command } from 'commander'

import { coverage } from '../../capture/coverage/coverage.ts'
import { OwedCaptures } from '../../capture/hooks/owed-captures.ts'
import { processEnvironment } from '../../config.ts'
import { shownAddress } from '../../model/server-address.ts'
import type { StoreStatus } from '../../sessions/status.ts'
import { placedSources } from '../../transcripts/registry.ts'
import { withStore, type CommandContext } from '../context.ts'
import { describeArchive } from '../describe-archive.ts'
import { alarmsOf, renderCoverage, renderSources } from '../describe-coverage.ts'
import { describeFlagged } from '../describe-flagged.ts'
import { describeNames } from '../describe-names.ts'
import { describeSemantic } from '../describe-semantic.ts'
import { exitCodes, type ExitStatus } from '../exit-codes.ts'
import { print, printJson, table } from '../output.ts'
import { collectSources, wholeNumber } from '../parse-options.ts'

interface StatusOptions {
  readonly sources?: readonly string[]
  readonly check?: boolean
  readonly bySession?: boolean
  readonly quietAfter: number
  readonly json?: boolean
}

const minuteMs = 60_000

function renderStore(status: StoreStatus, { config }: CommandContext): string {
  const rows = [
    ['store', `${status.store}, ${config.store.kind === 'server' ? shownAddress(config.store.url) : config.home}`],
    ['sessions', String(status.sessions)],
    ['messages', String(status.messages)],
    ['bytes of messages', String(status.payload_bytes)],
    ['not yet searchable', String(status.index.messages_behind)],
    ['failed for good', String(status.index.failed_for_good)],
    ['flagged', describeFlagged(status.flagged)],
    ['semantic search', describeSemantic(status.semantic_search)],
    ['archive', describeArchive(status.archive)],
    ['names', describeNames(status.names)],
  ]
  return `${table(['', ''], rows).trimStart()}\n`
}

export function registerStatus(program: Command, status: ExitStatus): void {
  program
    .command('status')
    .description('what the store holds, how far its index is, and what on this machine is not stored')
    .argument('[path...]', 'files and directories to look at beside the known places')
    .option(
      '--sources <names>',
      `of the known places only those of these clients, separated by commas: ${placedSources().join(', ')}`,
      collectSources(placedSources()),
    )
    .option('--check', 'for cron: print only what is wrong, and end with 1 where something is')
    .option('--by-session', 'each session of OpenClaw, and not only those of which something is missing')
    .option(
      '--quiet-after <minutes>',
      'what was written and is not stored after so long is wrong',
      wholeNumber(0, 100_000),
      15,
    )
    .option('--json', 'machine-readable output')
    .action(async (paths: readonly string[], options: StatusOptions) => {
      await withStore(program, async (context) => {
        const { verbatim, caller, config } = context
        const store = await verbatim.status(caller)
        const graceMs = options.quietAfter * minuteMs
        const nowMs = Date.now()
        const user = { home: homedir(), environment: processEnvironment() }
        const places = await coverage(verbatim.stores.database, caller, {
          sources: options.sources,
          everySession: options.bySession,
          user,
          paths,
          graceMs,
          nowMs,
        })
        const notes = new OwedCaptures(config.home)
        const owed = await notes.list()
        const overdue = owed.filter(({ at }) => nowMs - Date.parse(at) > graceMs)
        const alarms = alarmsOf(places, { overdue, damaged: await notes.damaged() })
        if (options.check === true && alarms.length > 0) status.code = exitCodes.problems
        if (options.json === true) return printJson({ ...store, coverage: places, captures_owed: owed.length, alarms })
        const alarmLines = alarms.map((alarm) => `ALARM ${alarm}\n`).join('')
        if (options.check === true) return print(alarmLines)
        const parts = [renderStore(store, context), renderSources(store.sources), renderCoverage(places), alarmLines]
        return print(parts.filter((part) => part !== '').join('\n'))
      })
    })
}
