import type { Command } from 'commander'

import { countArchived, restore } from '../../archive/restore.ts'
import { createLog } from '../../log.ts'
import type { Database } from '../../store/database.ts'
import { withStore } from '../context.ts'
import { exitCodes, type ExitStatus } from '../exit-codes.ts'
import { print, printJson } from '../output.ts'
import { startProgress } from '../progress.ts'

export function registerRestore(program: Command, status: ExitStatus): void {
  program
    .command('restore')
    .description('rebuild an empty store from its archive alone; run again, it goes on where it was interrupted')
    .option('--json', 'machine-readable output')
    .action(async (options: { json?: boolean }) => {
      await withStore(program, async ({ verbatim, caller, config }) => {
        const dependencies = { ...verbatim.stores, log: createLog(config.logLevel) }
        const total = await countArchived(dependencies)
        process.stderr.write(`restoring ${total} sessions and imported files from the archive\n`)
        const progress = await startProgress('restoring', total)
        const report = await restore(dependencies, caller, () => progress.add(1))
        progress.stop()
        if (report.problem_count > 0) status.code = exitCodes.problems
        if (options.json === true) return printJson(report)
        for (const { session_id: session, file, object, problem } of report.problems) {
          const what = [session, file, object].filter((part) => part !== undefined).join(' ')
          await print(`PROBLEM ${what}: ${problem}\n`)
        }
        const untold = report.problem_count - report.problems.length
        if (untold > 0) await print(`PROBLEM ${untold} further ones are only counted\n`)
        const before = report.already_there === 0 ? '' : `, ${report.already_there} were there already`
        const erased = report.erased === 0 ? '' : `, ${report.erased} were erased and stay so`
        const verdict = report.problem_count === 0 ? 'all intact' : `${report.problem_count} problems`
        return print(
          `restored ${report.messages} messages of ${report.sessions} sessions, and ${report.files} imported files${before}${erased}: ${verdict}\n${indexNote(verbatim.stores.database)}\n`,
        )
      })
    })
}

function indexNote({ kind }: Database): string {
  return kind === 'embedded'
    ? 'The index is made in the background'
    : 'The index is made by what serves this store: start "verbatim serve", or any client\'s server, where none runs'
}
