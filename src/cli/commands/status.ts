import type { Command } from 'commander'

import { shownAddress } from '../../model/server-address.ts'
import { withStore } from '../context.ts'
import { describeArchive } from '../describe-archive.ts'
import { describeFlagged } from '../describe-flagged.ts'
import { describeSemantic } from '../describe-semantic.ts'
import { print, printJson, table } from '../output.ts'

export function registerStatus(program: Command): void {
  program
    .command('status')
    .description('what the store holds and how far its index is')
    .option('--json', 'machine-readable output')
    .action(async (options: { json?: boolean }) => {
      await withStore(program, async ({ verbatim, caller, config }) => {
        const status = await verbatim.status(caller)
        if (options.json === true) return printJson(status)
        const rows = [
          [
            'store',
            `${status.store}, ${config.store.kind === 'server' ? shownAddress(config.store.url) : config.home}`,
          ],
          ['sessions', String(status.sessions)],
          ['messages', String(status.messages)],
          ['bytes of messages', String(status.payload_bytes)],
          ['not yet searchable', String(status.index.messages_behind)],
          ['failed for good', String(status.index.failed_for_good)],
          ['flagged', describeFlagged(status.flagged)],
          ['semantic search', describeSemantic(status.semantic_search)],
          ['archive', describeArchive(status.archive)],
        ]
        return print(`${table(['', ''], rows).trimStart()}\n`)
      })
    })
}
