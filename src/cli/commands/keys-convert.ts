import type { Command } from 'commander'

import { describeRootKey } from '../../crypto/root-key.ts'
import { convertStore, type ConversionReport } from '../../keys/convert-store.ts'
import { createLog } from '../../log.ts'
import { agreed, counted } from '../../model/text/counted.ts'
import type { ConversionTarget } from '../../store/keys/conversion-work.ts'
import { withStore, type CommandContext } from '../context.ts'
import { exitCodes, type ExitStatus } from '../exit-codes.ts'
import { print, printJson } from '../output.ts'
import { startProgress, type Progress } from '../progress.ts'

interface Options {
  readonly json?: boolean
}

export function registerConversions(program: Command, keys: Command, status: ExitStatus): void {
  const convert = (target: ConversionTarget) => async (options: Options) => {
    await withStore(program, async (context) => {
      const report = await run(context, target)
      if (report.problems.length > 0) status.code = exitCodes.problems
      if (options.json === true) return printJson(report)
      return print(render(context, target, report))
    })
  }
  keys
    .command('encrypt')
    .description('encrypt all that the store holds, and what is saved from now on; it goes on where it was interrupted')
    .option('--json', 'machine-readable output')
    .action(convert('encrypted'))
  keys
    .command('decrypt')
    .description('store all that the store holds as it is, without keys; it goes on where it was interrupted')
    .option('--json', 'machine-readable output')
    .action(convert('plain'))
}

async function run({ verbatim, caller, config }: CommandContext, target: ConversionTarget): Promise<ConversionReport> {
  let progress: Progress | undefined
  const label = target === 'encrypted' ? 'encrypting' : 'decrypting'
  const stores = { ...verbatim.stores, log: createLog(config.logLevel) }
  try {
    return await convertStore(stores, caller, {
      target,
      progress: {
        begin: async (messages) => {
          progress = await startProgress(label, messages)
        },
        add: (messages) => progress?.add(messages),
      },
    })
  } finally {
    progress?.stop()
  }
}

function render({ verbatim }: CommandContext, target: ConversionTarget, report: ConversionReport): string {
  const { database } = verbatim.stores
  const { sessions, messages, files, removed_payloads: payloads, problems } = report
  const isEncrypted = target === 'encrypted'
  const source = describeRootKey(database.vault.settings.rootKey)
  const lines = problems.map(
    ({ session_id: session, file_id: file, reason_id: reason, problem }) =>
      `PROBLEM ${session === undefined ? (file === undefined ? `reason ${reason}` : `document ${file}`) : `session ${session}`} stays as it was: ${problem}`,
  )
  for (const name of report.kept_objects) lines.push(`KEPT by the archive as it was: ${name}`)
  lines.push(
    `${isEncrypted ? 'encrypted' : 'decrypted'} ${counted(messages, 'message')} of ${counted(sessions, 'session')}, and ${counted(files, 'imported document')}; removed ${counted(payloads, 'large payload')} from the archive that ${agreed(payloads, 'was', 'were')} not so`,
  )
  const reasons = problems.filter(({ reason_id: reason }) => reason !== undefined).length
  if (problems.length > reasons)
    lines.push(`Run "verbatim verify", restore or erase what is named above, then run this again: it goes on`)
  else if (isEncrypted)
    lines.push(
      report.rewritten
        ? 'The files of the store are written anew: nothing is left in them as it was'
        : 'What the server has of former rows is in its files until it writes over them: docs/erasure.md says under "Disks" how to have them written anew at once',
      `Keep a copy of ${source} elsewhere: without it nothing can be read`,
    )
  else if (reasons > 0)
    lines.push(`No key is needed any more, but for older backups, and for what may become of the reasons named above`)
  else lines.push(`No key is needed any more, but for older backups: ${source} is of no other use`)
  lines.push('Backups from before are as they were')
  return `${lines.join('\n')}\n`
}
