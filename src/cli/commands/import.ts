import { homedir } from 'node:os'

import { Option, type Command } from 'commander'

import { importFile, linkImported, type FileReport } from '../../capture/import-files.ts'
import { listFiles, type ListedFile, type PassedOver } from '../../capture/list-files.ts'
import { processEnvironment } from '../../config.ts'
import { findTranscripts, transcriptFormats } from '../../transcripts/registry.ts'
import { withStore } from '../context.ts'
import { exitCodes, type ExitStatus } from '../exit-codes.ts'
import { print, printJson, table } from '../output.ts'
import { startProgress } from '../progress.ts'
import { tellError } from '../tell-error.ts'

interface ImportOptions {
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

/** Without a path: everything at the known places of this machine, and what was found where. */
async function findFiles(): Promise<FilesToImport> {
  const files: FileToImport[] = []
  const passedOver: PassedOver[] = []
  const places = await findTranscripts(homedir(), processEnvironment())
  for (const place of places) {
    process.stderr.write(`${place.format.label}: ${place.files.length} files in ${place.path}\n`)
    for (const problem of place.problems) process.stderr.write(`  ${problem}\n`)
    const listed = await listFiles(place.files, { found: true, onPassedOver: (path) => passedOver.push(path) })
    files.push(...listed.map((file) => ({ ...file, format: place.format.name })))
  }
  return { files, passedOver }
}

function sum(reports: readonly FileReport[], pick: (report: FileReport['documents'][number]) => number): number {
  return reports.reduce(
    (total, report) => total + report.documents.reduce((inner, document) => inner + pick(document), 0),
    0,
  )
}

function hasFailed(reports: readonly FileReport[]): boolean {
  return reports.some(({ status }) => status === 'failed')
}

function renderReports(reports: readonly FileReport[]): string {
  const byFormat = new Map<string, FileReport[]>()
  for (const report of reports) {
    if (report.format === undefined) continue
    byFormat.set(report.format, [...(byFormat.get(report.format) ?? []), report])
  }
  const rows = [...byFormat].map(([format, group]) => [
    format,
    group.length,
    group.filter(({ status }) => status === 'unchanged').length,
    sum(group, ({ added }) => added),
    sum(group, ({ known }) => known),
    sum(group, ({ counts }) => counts['unknown'] ?? 0),
    sum(group, ({ counts }) => counts['damaged'] ?? 0),
  ])
  const lines =
    rows.length === 0
      ? []
      : [table(['format', 'files', 'unchanged', 'new entries', 'known', 'of unknown kind', 'damaged'], rows), '']
  const erased = sum(reports, (document) => document.erased)
  if (erased > 0) lines.push(`${erased} entries were erased or anonymised before and are not stored again`)
  for (const report of reports) {
    if (report.status === 'failed') lines.push(`FAILED ${report.path}: ${report.reason}`)
    if (report.status === 'skipped') lines.push(`skipped ${report.path}: ${report.reason}`)
    for (const document of report.documents) {
      for (const { entry, problem } of document.problems)
        lines.push(`damaged ${report.path} entry ${entry}: ${problem} (kept as it is)`)
    }
  }
  return `${lines.join('\n').trimEnd()}\n`
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
    .option('--again', 'read files again that have not changed since they were imported')
    .option(
      '--rows-only',
      'keep the entries and nothing of the files, which are not there for long; ends at the first that fails',
    )
    .option('--dry-run', 'show what would be imported, and import nothing')
    .option('--json', 'machine-readable output')
    .action(async (paths: readonly string[], options: ImportOptions) => {
      const { files, passedOver } = await (paths.length > 0 ? namedFiles(paths) : findFiles())
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
            }),
          )
          // Files that are read for their rows follow one another: what comes later is not stored before what was said first.
          if (options.rowsOnly === true && reports.at(-1)?.status === 'failed') break
        }
        await linkImported(verbatim.stores, caller)
        progress.stop()
        if (hasFailed(reports)) status.code = exitCodes.problems
        return options.json === true ? printJson(reports) : print(renderReports(reports))
      })
    })
}
