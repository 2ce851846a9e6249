import type { Command } from 'commander'

import { InputError } from '../../errors.ts'
import { agreed, counted } from '../../model/text/counted.ts'
import { exportParticipant } from '../../rights/export-participant.ts'
import type { OthersShown } from '../../rights/others.ts'
import { recipientsBySettings } from '../../rights/recipients.ts'
import type { ExportFormat } from '../../sessions/exports/write-session.ts'
import { packageVersion } from '../../version.ts'
import { withStore } from '../context.ts'
import { exitCodes, type ExitStatus } from '../exit-codes.ts'
import { writeNewDirectory } from '../new-directory.ts'
import { print } from '../output.ts'

export interface ParticipantOptions {
  readonly participant: string
  readonly format: ExportFormat | 'original'
  readonly others?: OthersShown
  readonly reason?: string
  readonly output?: string
  readonly view?: string
  readonly sourceFile?: string
}

function checked(sessions: readonly string[], options: ParticipantOptions) {
  const { format, output, view, sourceFile } = options
  if (sessions.length > 0)
    throw new InputError('Cannot export sessions and a participant at once', {
      remedy: 'Leave out the sessions: all that the participant has written in are exported',
    })
  if (output === undefined)
    throw new InputError('Cannot export a participant to stdout as it is a file for each session, and a manifest', {
      remedy: 'Name a new directory with --output',
    })
  if (format === 'original' || sourceFile !== undefined)
    throw new InputError('Cannot export the original files of a participant as they hold what others said', {
      remedy: 'Use --format json, jsonl or markdown',
    })
  if (view !== undefined)
    throw new InputError('Cannot use --view with --participant: their own words are given as they are stored', {
      remedy: 'Leave it out; --others says how the words of others are shown',
    })
  return { format, output }
}

/** Writes all that is kept of one participant into a new directory. */
export async function writeParticipant(
  { program, status }: { readonly program: Command; readonly status: ExitStatus },
  sessions: readonly string[],
  options: ParticipantOptions,
): Promise<void> {
  const { format, output } = checked(sessions, options)
  const { participant, others = 'omitted', reason } = options
  await withStore(program, async ({ config, caller, verbatim }) => {
    const recipients = recipientsBySettings(config, await verbatim.stores.database.vault.sealsNew(caller.tenantId))
    const product = `verbatim ${packageVersion()}`
    const input = { participant, format, others, reason, recipients, product, now: new Date() }
    const done = await writeNewDirectory(output, (directory) =>
      exportParticipant(verbatim.stores, caller, { ...input, directory }),
    )
    if (done.damaged > 0) status.code = exitCodes.problems
    const damage =
      done.damaged === 0
        ? ''
        : `${counted(done.damaged, 'message')} ${agreed(done.damaged, 'is', 'are')} damaged: run "verbatim verify"\n`
    await print(
      `${counted(done.messages, 'message')} of ${counted(done.sessions, 'session')} and ${counted(done.derived, 'thing')} that ${agreed(done.derived, 'was', 'were')} made from them are in ${output}; manifest.json lists them and who was shown them (${done.readers})\n${damage}`,
    )
  })
}
