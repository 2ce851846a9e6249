import { InputError, NotFoundError, UnavailableError } from '../errors.ts'
import type { Caller } from '../model/access.ts'
import { importFilesOfSession, type ImportFileRow } from '../store/import-files.ts'
import { readMessages } from '../store/messages.ts'
import { readLayout } from './file-layout.ts'
import type { ImportDependencies } from './import-document.ts'
import { loadPayload } from './large-payload.ts'
import { requireSession } from './session-reference.ts'

/** Messages read at once; a page of imported rows is small. */
const pageMessages = 200

/** The exact bytes of an imported document, streamed; each entry is checked against its SHA-256. */
export async function* documentBytes(
  dependencies: ImportDependencies,
  tenantId: number,
  file: ImportFileRow,
): AsyncIterable<Uint8Array> {
  const { runs, after } = readLayout(file.layout)
  for (const run of runs) {
    const end = run.firstSeq + run.count - 1
    for (let fromSeq = run.firstSeq; fromSeq <= end; fromSeq += pageMessages) {
      const toSeq = Math.min(end, fromSeq + pageMessages - 1)
      const rows = await dependencies.database.run((sql) =>
        readMessages(sql, { tenantId, sessionId: run.sessionId }, { fromSeq, toSeq, limit: pageMessages }),
      )
      if (rows.length !== toSeq - fromSeq + 1) {
        throw new UnavailableError(
          `Cannot put "${file.path}" together again as messages of session "${run.sessionId}" are missing between ${fromSeq} and ${toSeq}`,
          {
            remedy: 'They were erased since the import; use --format json for what is left',
          },
        )
      }
      for (const row of rows) {
        if (run.before.length > 0) yield run.before
        yield await loadPayload(dependencies.archive, row)
      }
    }
  }
  if (after.length > 0) yield after
}

/** The imported document that a session comes from: the newest one, or the one of a named file. */
export async function originalOf(
  dependencies: ImportDependencies,
  caller: Caller,
  choice: { readonly sessionId: string; readonly sourceFile?: string | undefined },
): Promise<ImportFileRow> {
  const session = await requireSession(dependencies.database, caller.tenantId, choice.sessionId)
  const files = await dependencies.database.run((sql) => importFilesOfSession(sql, caller.tenantId, session.id))
  const paths = [...new Set(files.map((file) => file.path))]
  if (files.length === 0) {
    throw new InputError(
      `Cannot export session "${session.id}" in its original format as it was not imported from a file`,
      {
        remedy: 'Use --format json, jsonl or markdown',
      },
    )
  }
  const chosen = choice.sourceFile === undefined ? files : files.filter((file) => file.path === choice.sourceFile)
  const file = chosen[0]
  if (file === undefined) {
    throw new NotFoundError(`Session "${session.id}" was not imported from "${choice.sourceFile}"`, {
      remedy: `It came from: ${paths.join(', ')}`,
    })
  }
  return file
}
