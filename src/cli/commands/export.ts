import { Option, type Command } from 'commander'

import { documentBytes, originalOf } from '../../capture/documents/export-original.ts'
import { InputError } from '../../errors.ts'
import { agreed, counted } from '../../model/text/counted.ts'
import { othersShown, type OthersShown } from '../../rights/others.ts'
import { exportSession, requireReadable } from '../../sessions/exports/export-session.ts'
import { exportFormats, type ExportFormat } from '../../sessions/exports/write-session.ts'
import { privateViews, type PrivateView } from '../../sessions/message-view.ts'
import { withStore, type CommandContext } from '../context.ts'
import { exitCodes, type ExitStatus } from '../exit-codes.ts'
import { print } from '../output.ts'
import { writeNewFile } from '../write-new-file.ts'
import { writeParticipant } from './export-participant.ts'

interface ExportOptions {
  readonly format: ExportFormat | 'original'
  readonly sourceFile?: string
  readonly output?: string
  readonly view?: PrivateView
  readonly scope: 'session' | 'store'
  readonly participant?: string
  readonly others?: OthersShown
  readonly reason?: string
}

async function* exportAll(
  context: CommandContext,
  sessions: readonly string[],
  { options, status }: { readonly options: ExportOptions; readonly status: ExitStatus },
): AsyncIterable<string | Uint8Array> {
  const { verbatim, caller } = context
  // Of all of them first: what was written to stdout is not taken back.
  for (const sessionId of sessions) await requireReadable(verbatim.stores, caller, sessionId)
  for (const sessionId of sessions) {
    if (options.format === 'original') {
      const file = await originalOf(verbatim.stores, caller, { sessionId, sourceFile: options.sourceFile })
      yield* documentBytes(verbatim.stores, caller, file)
    } else
      yield* exportSession(verbatim.stores, caller, {
        sessionId,
        format: options.format,
        view: viewOf(options),
        tell: note,
        onDamage: (messages) => {
          status.code = exitCodes.problems
          note(
            `${counted(messages, 'message')} of session "${sessionId}" ${agreed(messages, 'is', 'are')} damaged: run "verbatim verify"`,
          )
        },
      })
  }
}

/** On stderr: what is exported may go to stdout. */
const note = (text: string) => process.stderr.write(`${text}\n`)

function viewOf({ view, scope }: ExportOptions) {
  return view === undefined ? undefined : { view, scope }
}

async function writeSessions(
  { program, status }: { readonly program: Command; readonly status: ExitStatus },
  sessions: readonly string[],
  options: ExportOptions,
): Promise<void> {
  if (options.others !== undefined || options.reason !== undefined)
    throw new InputError('Cannot use --others or --reason without --participant', {
      remedy: 'Name the participant whose messages are wanted, or leave them out',
    })
  if (options.format === 'html' && sessions.length > 1)
    throw new InputError('Cannot write several sessions into one page', {
      remedy: 'Write each by a command of its own',
    })
  if (sessions.length === 0)
    throw new InputError('Cannot export as nothing is named', { remedy: 'Name sessions, or --participant' })
  if (options.format === 'original' && options.view !== undefined)
    throw new InputError('Cannot write the original without its personal data as it is the identical bytes', {
      remedy: `Use another --format with --view: ${exportFormats.join(', ')}`,
    })
  await withStore(program, async (context) => {
    const chunks = exportAll(context, sessions, { options, status })
    if (options.output !== undefined) return writeNewFile(options.output, chunks)
    for await (const chunk of chunks) await print(chunk)
    return undefined
  })
}

export function registerExport(program: Command, status: ExitStatus): void {
  program
    .command('export')
    .description(
      'write sessions out: the identical bytes that were imported, or JSON, JSONL, Markdown, a page in HTML, a vCon; or all that is kept of one participant',
    )
    .argument('[session...]', 'ids, ours or the sources’ own')
    .addOption(
      new Option('--format <format>', 'original gives the imported file, byte for byte')
        .choices(['original', ...exportFormats])
        .default('json'),
    )
    .option('--source-file <path>', 'with original: which of the files that hold the session')
    .addOption(
      new Option(
        '--view <view>',
        'without the personal data and secrets that are found, or with tokens in their places',
      ).choices([...privateViews]),
    )
    .addOption(
      new Option('--scope <scope>', 'with pseudonymised: within what the same person has the same token')
        .choices(['session', 'store'])
        .default('session'),
    )
    .option(
      '--participant <name>',
      'instead of sessions: what this sender said in all of them and what was made of it, with a manifest, in the new directory --output',
    )
    .addOption(
      new Option(
        '--others <how>',
        'with --participant: what others said in the same sessions, left out (the default), without personal data, or in full',
      ).choices([...othersShown]),
    )
    .option('--reason <text>', 'with --participant: kept in the manifest')
    .option('--output <path>', 'a new file to write to instead of stdout; with --participant a new directory')
    .action(async (sessions: readonly string[], options: ExportOptions) => {
      const { participant } = options
      await (participant === undefined
        ? writeSessions({ program, status }, sessions, options)
        : writeParticipant({ program, status }, sessions, { ...options, participant }))
    })
}
