import { UnavailableError } from '../../errors.ts'
import type { Caller } from '../../model/access.ts'
import { isCompressed, UnreadableFile } from '../../transcripts/bytes/file-bytes.ts'
import { detectFormat } from '../../transcripts/registry.ts'
import { withStoredBefore } from './document-report.ts'
import { stateIfThere } from './file-state.ts'
import { GrowingFile, type Growth } from './growing-file.ts'
import { importFile, reasonOf, skipped, type FileReport } from './import-files.ts'
import type { ImportDependencies } from './imported-sessions.ts'
import { unendedLine } from './unended-line.ts'

interface GrowingImport {
  readonly path: string
  /** Name of the format to take, instead of detecting it. */
  readonly format?: string | undefined
  /** Whether its client writes no more: a last line without its line end is then taken, where it is whole JSON. */
  readonly hasEnded?: boolean | undefined
  readonly onDefect: (error: unknown) => void
}

/**
 * Imports a file that its client may be writing to, as it is now: a last line that has not ended is left for the next time, and is
 * told of where there may be none.
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
  { path, format: named, hasEnded }: GrowingImport,
): Promise<FileReport> {
  const detected = await detectFormat(path, named)
  if (detected === undefined) return skipped(path, named)
  const { format } = detected
  const begun = isCompressed(path) ? undefined : await GrowingFile.begin(dependencies, { caller, path, format })
  if (begun === undefined) return await importFile(dependencies, caller, { path, format: named })
  const { file, growth } = begun
  try {
    const rest = hasEnded === true && !('readAgain' in growth) ? await takeEnd(file, path) : {}
    if ('readAgain' in growth || (rest.growth !== undefined && 'readAgain' in rest.growth)) {
      const added = growth.added + (rest.growth?.added ?? 0)
      const report = await importFile(dependencies, caller, { path, format: named })
      return { ...report, documents: report.documents.map((document) => withStoredBefore(document, added)) }
    }
    const documents = rest.growth === undefined ? [growth] : [growth, rest.growth]
    const { unendedBytes } = rest
    return {
      path,
      format: format.name,
      status: 'imported',
      documents,
      ...(unendedBytes === undefined ? {} : { unendedBytes }),
    }
  } finally {
    await file.close()
  }
}

/** Takes the last line of a file that is written to no more, where it is whole; else says how long it is. */
async function takeEnd(
  file: GrowingFile,
  path: string,
): Promise<{ readonly growth?: Growth; readonly unendedBytes?: number }> {
  const line = file.holds ? await unendedLine(path) : undefined
  if (line === undefined) return {}
  // Another size: somebody writes to it after all.
  return line.isWhole && line.bytes === file.heldBytes
    ? { growth: await file.takeHeld() }
    : { unendedBytes: line.bytes }
}
