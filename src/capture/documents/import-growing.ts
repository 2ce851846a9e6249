import { UnavailableError } from '../../errors.ts'
import type { Caller } from '../../model/access.ts'
import { isCompressed, UnreadableFile } from '../../transcripts/bytes/file-bytes.ts'
import { detectFormat } from '../../transcripts/registry.ts'
import { withStoredBefore } from './document-report.ts'
import { stateIfThere } from './file-state.ts'
import { GrowingFile } from './growing-file.ts'
import { importFile, reasonOf, skipped, type FileReport } from './import-files.ts'
import type { ImportDependencies } from './imported-sessions.ts'

interface GrowingImport {
  readonly path: string
  /** Name of the format to take, instead of detecting it. */
  readonly format?: string | undefined
  readonly onDefect: (error: unknown) => void
}

/**
 * Imports a file that its client may be writing to, as it is now: a last line that has not ended is left for the next time.
 * Throws UnavailableError when the store does not answer; whatever else is wrong is in the report.
 */
export async function importGrowing(
  dependencies: ImportDependencies,
  caller: Caller,
  file: GrowingImport,
): Promise<FileReport> {
  const { path } = file
  try {
    if ((await stateIfThere(path)) === undefined)
      return { path, format: undefined, status: 'skipped', reason: 'it is not there any more', documents: [] }
    return await importNow(dependencies, caller, file)
  } catch (error) {
    if (error instanceof UnavailableError && !(error instanceof UnreadableFile)) throw error
    return { path, format: file.format, status: 'failed', reason: reasonOf(error, file.onDefect), documents: [] }
  }
}

async function importNow(
  dependencies: ImportDependencies,
  caller: Caller,
  { path, format: named }: GrowingImport,
): Promise<FileReport> {
  const detected = await detectFormat(path, named)
  if (detected === undefined) return skipped(path, named)
  const { format } = detected
  const begun = isCompressed(path) ? undefined : await GrowingFile.begin(dependencies, { caller, path, format })
  await begun?.file.close()
  if (begun === undefined) return await importFile(dependencies, caller, { path, format: named })
  if ('readAgain' in begun.growth) {
    const { added } = begun.growth
    const report = await importFile(dependencies, caller, { path, format: named })
    return { ...report, documents: report.documents.map((document) => withStoredBefore(document, added)) }
  }
  return { path, format: format.name, status: 'imported', documents: [begun.growth] }
}
