import type { Command } from 'commander'

import { archiveAll, archiveAnew } from '../../archive/archive-all.ts'
import { createLog } from '../../log.ts'
import { counted } from '../../model/text/counted.ts'
import { withStore } from '../context.ts'
import { describeArchive } from '../describe-archive.ts'
import { exitCodes, type ExitStatus } from '../exit-codes.ts'
import { print, printJson } from '../output.ts'
import { startProgress } from '../progress.ts'

export function registerArchive(program: Command, status: ExitStatus): void {
  program
    .command('archive')
    .description('how far the archive is behind the store; with --now, archive the rest at once')
    .option('--now', 'archive what has changed without waiting until it is idle, as before a backup')
    .option('--anew', 'archive everything at once, as where the archive is in a new place or has lost something')
    .option('--json', 'machine-readable output')
    .action(async (options: { now?: boolean; anew?: boolean; json?: boolean }) => {
      await withStore(program, async ({ verbatim, caller, config }) => {
        const { archive, sessions } = await verbatim.status(caller)
        const anew = options.anew === true
        if (options.now !== true && !anew)
          return options.json === true ? printJson(archive) : print(`${describeArchive(archive)}\n`)
        const progress = await startProgress('archiving', anew ? sessions : archive.sessions_behind)
        const dependencies = { ...verbatim.stores, log: createLog(config.logLevel) }
        const work = anew ? archiveAnew : archiveAll
        const report = await work(dependencies, caller, () => progress.add(1))
        progress.stop()
        if (report.problems.length > 0) status.code = exitCodes.problems
        if (options.json === true) return printJson(report)
        for (const { problem, ...of } of report.problems)
          await print(`PROBLEM ${'path' in of ? of.path : of.session_id}: ${problem}\n`)
        return print(
          `archived: ${counted(report.sessions, 'session')} and ${counted(report.files, 'imported document')}\n`,
        )
      })
    })
}
