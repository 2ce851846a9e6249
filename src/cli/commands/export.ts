import { Option, type Command } from 'commander'

import { documentBytes, originalOf } from '../../capture/export-original.ts'
import { InputError } from '../../errors.ts'
import { exportSession, type ExportFormat } from '../../sessions/export-session.ts'
import { privateViews, type PrivateView } from '../../sessions/message-view.ts'
import { withStore, type CommandContext } from '../context.ts'
import { print } from '../output.ts'
import { writeNewFile } from '../write-new-file.ts'

interface ExportOptions {
  readonly format: ExportFormat | 'original'
  readonly sourceFile?: string
  readonly output?: string
  readonly view?: PrivateView
  readonly scope: 'session' | 'store'
}

async function* exportAll(
  context: CommandContext,
  sessions: readonly string[],
  options: ExportOptions,
): AsyncIterable<string | Uint8Array> {
  const { verbatim, caller } = context
  for (const sessionId of sessions) {
    if (options.format === 'original') {
      const file = await originalOf(verbatim.stores, caller, { sessionId, sourceFile: options.sourceFile })
      yield* documentBytes(verbatim.stores, caller.tenantId, file)
    } else yield* exportSession(verbatim.stores, caller, { sessionId, format: options.format, view: viewOf(options) })
  }
}

function viewOf({ view, scope }: ExportOptions) {
  return view === undefined ? undefined : { view, scope }
}

export function registerExport(program: Command): void {
  program
    .command('export')
    .description('write sessions out: the identical bytes that were imported, or JSON, JSONL, Markdown')
    .argument('<session...>', 'ids, ours or the sources’ own')
    .addOption(
      new Option('--format <format>', 'original gives the imported file, byte for byte')
        .choices(['original', 'json', 'jsonl', 'markdown'])
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
    .option('--output <path>', 'a new file to write to instead of stdout')
    .action(async (sessions: readonly string[], options: ExportOptions) => {
      if (options.format === 'original' && options.view !== undefined)
        throw new InputError('Cannot write the original without its personal data as it is the identical bytes', {
          remedy: 'Use --format json, jsonl or markdown with --view',
        })
      await withStore(program, async (context) => {
        const chunks = exportAll(context, sessions, options)
        if (options.output !== undefined) return writeNewFile(options.output, chunks)
        for await (const chunk of chunks) await print(chunk)
        return undefined
      })
    })
}
