import { open, rm, type FileHandle } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'

import { Option, type Command } from 'commander'

import { documentBytes, originalOf } from '../../capture/export-original.ts'
import { InputError, messageOf } from '../../errors.ts'
import { exportSession, type ExportFormat } from '../../sessions/export-session.ts'
import { withStore, type CommandContext } from '../context.ts'
import { print } from '../output.ts'

interface ExportOptions {
  readonly format: ExportFormat | 'original'
  readonly sourceFile?: string
  readonly output?: string
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
    } else yield* exportSession(verbatim.stores, caller, { sessionId, format: options.format })
  }
}

/** Writes to a new file, and leaves none behind where the export fails half way. */
async function writeTo(path: string, chunks: AsyncIterable<string | Uint8Array>): Promise<void> {
  let file: FileHandle
  try {
    file = await open(path, 'wx', 0o600)
  } catch (error) {
    throw new InputError(`Cannot write to "${path}": ${messageOf(error)}`, {
      remedy: 'Name a file that does not exist yet, in a directory that may be written',
      cause: error,
    })
  }
  try {
    await pipeline(chunks, file.createWriteStream())
  } catch (error) {
    await rm(path, { force: true })
    throw error
  }
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
    .option('--output <path>', 'a new file to write to instead of stdout')
    .action(async (sessions: readonly string[], options: ExportOptions) => {
      await withStore(program, async (context) => {
        const chunks = exportAll(context, sessions, options)
        if (options.output !== undefined) return writeTo(options.output, chunks)
        for await (const chunk of chunks) await print(chunk)
        return undefined
      })
    })
}
