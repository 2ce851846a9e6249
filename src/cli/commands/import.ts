import { homedir } from 'node:os'

import { Option, type Command } from 'commander'

import { importFile, linkImported, type FileReport } from '../../capture/documents/import-files.ts'
import { listFiles, type ListedFile, type PassedOver } from '../../capture/documents/list-files.ts'
import { processEnvironment } from '../../config.ts'
import { InputError, UnavailableError } from '../../errors.ts'
import { counted } from '../../model/text/counted.ts'
import { UnreadableFile } from '../../transcripts/bytes/file-bytes.ts'
import { findTranscripts, placedSources, transcriptFormats } from '../../transcripts/registry.ts'
import { withStore } from '../context.ts'
import { exitCodes, type ExitStatus } from '../exit-codes.ts'
import { print, printJson } from '../output.ts'
import { collectSources, wholeNumber } from '../parse-options.ts'
import { startProgress } from '../progress.ts'
import { hasFailed, renderReports } from '../render-import.ts'
import { tellError } from '../tell-error.ts'
import { watchImport } from '../watch-import.ts'

interface ImportOptions {
  readonly sources?: readonly string[]
  readonly watch?: boolean
  readonly lookEvery: number
  readonly format?: string
  readonly again?: boolean
  readonly rowsOnly?: boolean
  readonly dryRun?: boolean
  readonly json?: boolean
}

interface FileToImport extends ListedFile {
  readonly format?: string
}

interface FilesToImport {
  readonly files: readonly FileToImport[]
  readonly passedOver: readonly PassedOver[]
}

async function namedFiles(paths: readonly string[]): Promise<FilesToImport> {
  const passedOver: PassedOver[] = []
  const files = await listFiles(paths, { onPassedOver: (path) => passedOver.push(path) })
  return { files, passedOver }
}

/** Without a path: everything at the known places of this machine, or of some clients, and what was found where. */
async function findFiles(sources: readonly string[] | undefined): Promise<FilesToImport> {
  const files: FileToImport[] = []
  const passedOver: PassedOver[] = []
  const places = await findTranscripts(homedir(), processEnvironment(), sources)
  for (const place of places) {
    process.stderr.write(`${place.format.label}: ${counted(place.files.length, 'file')} in ${place.path}\n`)
    for (const problem of place.problems) process.stderr.write(`  ${problem}\n`)
    const listed = await listFiles(place.files, { found: true, onPassedOver: (path) => passedOver.push(path) })
    files.push(...listed.map((file) => ({ ...file, format: place.format.name })))
  }
  return { files, passedOver }
}

function refuseContradictions(paths: readonly string[], options: ImportOptions): void {
  if (paths.length > 0 && options.sources !== undefined)
    throw new InputError('Cannot import paths and the places of --sources at once', {
      remedy: 'Leave one of them out',
    })
  if (options.watch === true && (options.again === true || options.rowsOnly === true || options.dryRun === true))
    throw new InputError('Cannot watch with --again, --rows-only or --dry-run', {
      remedy: 'Run "verbatim import" with them first, and then with --watch',
    })
}

/** Whether the store or the archive did not take a file, which may be in order: it is to be tried again. */
function isAway(error: unknown): boolean {
  return error instanceof UnavailableError && !(error instanceof UnreadableFile)
}

export function registerImport(program: Command, status: ExitStatus): void {
  program
    .command('import')
    .description('import histories of other agents, byte for byte; again at any time, known entries count once')
    .argument('[path...]', 'files and directories; without any, the known places of this machine')
    .addOption(
      new Option('--format <name>', 'take this format instead of detecting it').choices([
        ...new Set(transcriptFormats.map(({ name }) => name)),
      ]),
    )
    .option(
      '--sources <names>',
      `only the known places of these clients, separated by commas: ${placedSources().join(', ')}`,
      collectSources(placedSources()),
    )
    .option('--watch', 'go on until stopped, and import what is added as it is written')
    .option(
      '--look-every <seconds>',
      'with --watch: look at all files so often, also where the system tells of no change',
      wholeNumber(1, 86_400),
      30,
    )
    .option('--again', 'read files again that have not changed since they were imported')
    .option(
      '--rows-only',
      'keep the entries and nothing of the files, which are not there for long; ends at the first that fails',
    )
    .option('--dry-run', 'show what would be imported, and import nothing')
    .option('--json', 'machine-readable output')
    .action(async (paths: readonly string[], options: ImportOptions) => {
      refuseContradictions(paths, options)
      if (options.watch === true) return await watchImport(program, { ...options, paths })
      const { files, passedOver } = await (paths.length > 0 ? namedFiles(paths) : findFiles(options.sources))
      const reports: FileReport[] = passedOver.map((path) => ({ ...path, format: undefined, documents: [] }))
      if (hasFailed(reports)) status.code = exitCodes.problems
      if (options.dryRun === true || files.length === 0) {
        for (const { path, status: state, reason } of passedOver) process.stderr.write(`${state} ${path}: ${reason}\n`)
        if (options.json === true) return printJson(files)
        return print(
          files.length === 0 ? 'Nothing to import was found.\n' : `${files.map(({ path }) => path).join('\n')}\n`,
        )
      }
      return withStore(program, async ({ verbatim, caller }) => {
        const progress = await startProgress(
          'importing',
          files.reduce((total, file) => total + file.sizeBytes, 0),
        )
        const failures: unknown[] = []
        for (const file of files) {
          reports.push(
            await importFile(verbatim.stores, caller, {
              path: file.path,
              format: options.format ?? file.format,
              // A user who names a format wants it to be taken, whatever the file was taken for before.
              again: options.again === true || options.format !== undefined,
              rowsOnly: options.rowsOnly,
              onProgress: (bytes) => progress.add(bytes),
              onDefect: tellError,
              onFailure: (error) => failures.push(error),
            }),
          )
          // Files that are read for their rows follow one another: what comes later is not stored before what was said first.
          if (options.rowsOnly === true && reports.at(-1)?.status === 'failed') break
        }
        await linkImported(verbatim.stores, caller)
        progress.stop()
        if (hasFailed(reports)) status.code = failures.some(isAway) ? exitCodes.unavailable : exitCodes.problems
        return options.json === true ? printJson(reports) : print(renderReports(reports))
      })
    })
}
