import type { Command } from 'commander'

import { restoreLostKeys } from '../../archive/restore/restore-lost-keys.ts'
import { countArchived, markRestoring, restore } from '../../archive/restore/restore.ts'
import { createLog } from '../../log.ts'
import { agreed, counted, onlyCounted } from '../../model/text/counted.ts'
import type { Database } from '../../store/database.ts'
import { withStore, type CommandContext } from '../context.ts'
import { exitCodes, type ExitStatus } from '../exit-codes.ts'
import { print, printJson } from '../output.ts'
import { startProgress } from '../progress.ts'

export function registerRestore(program: Command, status: ExitStatus): void {
  program
    .command('restore')
    .description('rebuild an empty store from its archive alone; run again, it goes on where it was interrupted')
    .option('--keys', 'take no more than the keys that the database lacks, as where a backup without them was put back')
    .option('--json', 'machine-readable output')
    .action(async (options: { keys?: boolean; json?: boolean }) => {
      await withStore(program, async (context) => {
        if (options.keys === true) return restoreKeysOnly(context, options, status)
        const { verbatim, caller, config } = context
        const dependencies = { ...verbatim.stores, log: createLog(config.logLevel) }
        await markRestoring(dependencies, caller)
        const total = await countArchived(dependencies)
        process.stderr.write(
          `restoring ${counted(total, 'record')} of sessions and imported documents from the archive\n`,
        )
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
        if (untold > 0) await print(`PROBLEM ${onlyCounted(untold)}\n`)
        const places =
          report.places === 0
            ? ''
            : `, and of ${counted(report.places, 'further message')} no more than ${agreed(report.places, 'its place, as what it', 'their places, as what they')} said was erased`
        const before =
          report.already_there === 0
            ? ''
            : `, ${report.already_there} ${agreed(report.already_there, 'was', 'were')} there already`
        const erased =
          report.erased === 0
            ? ''
            : `, ${report.erased} that the archive still has ${agreed(report.erased, 'was', 'were')} erased or anonymised and ${agreed(report.erased, 'stays', 'stay')} so`
        const verdict = report.problem_count === 0 ? 'all intact' : counted(report.problem_count, 'problem')
        const emptied =
          report.emptied === 0
            ? ''
            : `, ${report.emptied} of them without any content, as names were replaced in them that a model had found`
        return print(
          `restored ${counted(report.messages, 'message')} of ${counted(report.sessions, 'session')}, and ${counted(report.files, 'imported document')}${places}${before}${erased}${emptied}: ${verdict}\n${indexNote(verbatim.stores.database)}\n`,
        )
      })
    })
}

async function restoreKeysOnly({ verbatim }: CommandContext, { json }: { json?: boolean }, status: ExitStatus) {
  const report = await restoreLostKeys(verbatim.stores)
  if (report.lacking_count > 0) status.code = exitCodes.problems
  if (json === true) return printJson(report)
  for (const { sessionId } of report.lacking)
    await print(
      `PROBLEM ${sessionId}: its key is neither in the database nor in the archive, so that nobody can read it\n`,
    )
  const untold = report.lacking_count - report.lacking.length
  if (untold > 0) await print(`PROBLEM ${onlyCounted(untold)}\n`)
  const hint = report.lacking_count === 0 ? '' : '. What was erased since the backup: verbatim erase --again'
  return print(
    `restored ${counted(report.restored, 'key')}; ${counted(report.lacking_count, 'session')} ${agreed(report.lacking_count, 'has', 'have')} none${hint}\n`,
  )
}

function indexNote({ kind }: Database): string {
  return kind === 'embedded'
    ? 'The index is made in the background'
    : 'The index is made by what serves this store: start "verbatim serve", or any client\'s server, where none runs'
}
