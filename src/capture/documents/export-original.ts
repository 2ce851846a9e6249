import { createHash } from 'node:crypto'
import { resolve } from 'node:path'

import { InputError, NotFoundError, UnavailableError } from '../../errors.ts'
import type { Caller, Viewer } from '../../model/access.ts'
import { importFilesOfSession, type ImportFileRow } from '../../store/imports/import-files.ts'
import { pagedMessages } from '../../store/page-messages.ts'
import { loadPayload } from '../large-payload.ts'
import { requireSession } from '../session-reference.ts'
import { readLayout } from './file-layout.ts'
import type { ImportDependencies } from './imported-sessions.ts'

function incomplete(
  file: ImportFileRow,
  sessionId: string,
  missing: { readonly fromSeq: number; readonly toSeq: number },
): UnavailableError {
  return new UnavailableError(
    `Cannot put "${file.path}" together again as messages ${missing.fromSeq} to ${missing.toSeq} of session "${sessionId}" are missing`,
    { remedy: 'They were erased since the import; use --format json for what is left' },
  )
}

function others(file: ImportFileRow): UnavailableError {
  return new UnavailableError(`The bytes put together again differ from those imported from "${file.path}"`, {
    remedy:
      'Do not use what was written. Run the export again, as its messages may have been given other numbers meanwhile; where that does not help, "verbatim import --again" with the file, or --format json',
  })
}

/**
 * The exact bytes of an imported document, streamed; each entry is checked against its SHA-256, and at the end all of them. Throws
 * UnavailableError, after the last byte too.
 */
export async function* documentBytes(
  dependencies: ImportDependencies,
  { tenantId, call }: Pick<Viewer, 'tenantId' | 'call'>,
  file: ImportFileRow,
): AsyncIterable<Uint8Array> {
  if (file.damage !== undefined)
    throw new UnavailableError(`Cannot put "${file.path}" together again as ${file.damage}`, {
      remedy: 'Restore the table import_files from a backup; --format json exports the messages without it',
    })
  const hash = createHash('sha256')
  for await (const bytes of piecesOf(dependencies, { tenantId, call }, file)) {
    hash.update(bytes)
    yield bytes
  }
  if (Buffer.compare(hash.digest(), file.sha256) !== 0) throw others(file)
}

async function* piecesOf(
  dependencies: ImportDependencies,
  { tenantId, call }: Pick<Viewer, 'tenantId' | 'call'>,
  file: ImportFileRow,
): AsyncIterable<Uint8Array> {
  const { runs, after } = readLayout(file.layout)
  for (const run of runs) {
    const key = { tenantId, sessionId: run.sessionId }
    const toSeq = run.firstSeq + run.count - 1
    let next = run.firstSeq
    call?.showStretch(run.sessionId, { first: next, last: toSeq })
    for await (const rows of pagedMessages(dependencies.database, key, { fromSeq: next, toSeq })) {
      for (const row of rows) {
        if (row.seq !== next) throw incomplete(file, key.sessionId, { fromSeq: next, toSeq: row.seq - 1 })
        next++
        if (run.before.length > 0) yield run.before
        yield await loadPayload(dependencies.archive, row)
      }
    }
    if (next <= toSeq) throw incomplete(file, key.sessionId, { fromSeq: next, toSeq })
  }
  if (after.length > 0) yield after
}

/** The imported document that a session comes from: the newest one, or the one of a named file (a relative path is taken from here). */
export async function originalOf(
  dependencies: ImportDependencies,
  caller: Caller,
  choice: { readonly sessionId: string; readonly sourceFile?: string | undefined },
): Promise<ImportFileRow> {
  const session = await requireSession(dependencies.database, caller, choice.sessionId)
  const files = await importFilesOfSession(dependencies.database, caller.tenantId, session.id)
  const paths = [...new Set(files.map((file) => file.path))]
  if (files.length === 0) {
    throw new InputError(
      `Cannot export session "${session.id}" in its original format as it was not imported from a file`,
      {
        remedy: 'Use --format json, jsonl or markdown',
      },
    )
  }
  const sourceFile = choice.sourceFile === undefined ? undefined : resolve(choice.sourceFile)
  const chosen = sourceFile === undefined ? files : files.filter(({ path }) => path === sourceFile)
  // Of several files the transcript: a list of sessions holds events alone.
  const file = chosen.find(({ counts }) => (counts['message'] ?? 0) > 0) ?? chosen[0]
  if (file === undefined) {
    throw new NotFoundError(`Session "${session.id}" was not imported from "${sourceFile}"`, {
      remedy: `It came from: ${paths.join(', ')}`,
    })
  }
  return file
}
