import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'

import { documentBytes } from '../src/capture/documents/export-original.ts'
import { readLayout } from '../src/capture/documents/file-layout.ts'
import { importFile, type FileReport } from '../src/capture/documents/import-files.ts'
import { listFiles } from '../src/capture/documents/list-files.ts'
import { listImportFiles, type ImportFileRow } from '../src/store/imports/import-files.ts'
import { sharedData } from '../test/support/shared-data.ts'
import { BenchHome } from './bench-home.ts'
import type { Bench } from './bench.ts'
import { sizeBaseline, type Figure } from './figure.ts'
import { interleave, sum, timed } from './measure.ts'
import { RawTable } from './raw-table.ts'

interface SourceFile {
  readonly path: string
  readonly sizeBytes: number
}

const rowsPerInsert = 500
const bytesPerInsert = 4 * 1024 * 1024
const pageFiles = 100

const megabytesPerSecond = (sizeBytes: number, tookMs: number) => sizeBytes / 1e6 / (tookMs / 1000)

/** How fast some bytes were worked through, and the same by the bare minimum; the times are of one file each, in ms. */
function throughput(
  name: string,
  files: readonly { readonly sizeBytes: number }[],
  times: { readonly own: readonly number[]; readonly name: string; readonly baseline: readonly number[] },
): Figure {
  const speedOf = (tookMs: readonly number[]) =>
    megabytesPerSecond(sum(files.map(({ sizeBytes }) => sizeBytes)), sum(tookMs))
  const [own, baseline] = [speedOf(times.own), speedOf(times.baseline)]
  return {
    name,
    value: own,
    unit: 'MB/s',
    samples: files.length,
    baselines: [{ name: times.name, value: baseline, ratio: own / baseline, ratioOf: 'speeds' }],
  }
}

/** The lines of a file in statements of the size that an import uses. */
function lineBatches(bytes: Buffer): Buffer[][] {
  const batches: Buffer[][] = [[]]
  let size = 0
  for (let at = 0; at < bytes.length;) {
    const newline = bytes.indexOf(0x0a, at)
    const end = newline === -1 ? bytes.length : newline + 1
    const last = batches.at(-1)
    if (last === undefined || last.length >= rowsPerInsert || size >= bytesPerInsert) {
      batches.push([bytes.subarray(at, end)])
      size = 0
    } else last.push(bytes.subarray(at, end))
    size += end - at
    at = end
  }
  return batches
}

async function importAll(home: BenchHome, files: readonly SourceFile[], again = false): Promise<FileReport[]> {
  const { stores } = await home.verbatim()
  const reports: FileReport[] = []
  for (const { path } of files) reports.push(await importFile(stores, home.caller, { path, again }))
  return reports
}

/** Each file imported, and its lines written as raw rows, in turns; the index rests while either is timed. */
async function compareWithRawRows(files: readonly SourceFile[]): Promise<Figure> {
  await using home = new BenchHome()
  const { stores } = await home.verbatim()
  const raw = new RawTable(home.sql)
  await raw.create()
  const batches = await Promise.all(files.map(async ({ path }) => lineBatches(await readFile(path))))
  const prepare = () => home.waitUntilIndexed()
  const [own = [], baseline = []] = await interleave(
    [
      {
        name: 'import',
        prepare,
        run: (round) => importFile(stores, home.caller, { path: files[round]?.path ?? '' }),
      },
      {
        name: 'raw rows',
        prepare,
        run: async (round) => {
          for (const rows of batches[round] ?? []) await raw.insertMany(rows)
        },
      },
    ],
    { rounds: files.length },
  )
  return throughput('import, index at rest', files, { own, name: 'raw rows of the same lines', baseline })
}

async function importedDocuments(home: BenchHome): Promise<ImportFileRow[]> {
  const { database } = (await home.verbatim()).stores
  const documents: ImportFileRow[] = []
  for (;;) {
    const last = documents.at(-1)
    const after = last === undefined ? {} : { after: { path: last.path, document: last.document } }
    const page = await listImportFiles(database, home.caller.tenantId, { ...after, limit: pageFiles })
    documents.push(...page)
    if (page.length < pageFiles) return documents
  }
}

/** Every imported document put together again, and the same rows read by bare SQL, in turns. */
async function measureExport(home: BenchHome): Promise<Figure> {
  const { stores } = await home.verbatim()
  const { tenantId } = home.caller
  const documents = await importedDocuments(home)
  const ranges = documents.map(({ layout }) => {
    const bounds = new Map<string, { from: number; to: number }>()
    for (const { sessionId, firstSeq, count } of readLayout(layout).runs) {
      const known = bounds.get(sessionId) ?? { from: firstSeq, to: firstSeq }
      bounds.set(sessionId, { from: Math.min(known.from, firstSeq), to: Math.max(known.to, firstSeq + count - 1) })
    }
    return bounds
  })
  const exportDocument = async (document: ImportFileRow | undefined) => {
    if (document === undefined) return
    const hash = createHash('sha256')
    for await (const bytes of documentBytes(stores, { tenantId }, document)) hash.update(bytes)
    if (!hash.digest().equals(document.sha256)) throw new Error(`The export of "${document.path}" is not its original`)
  }
  const [own = [], baseline = []] = await interleave(
    [
      { name: 'export', run: (round) => exportDocument(documents[round]) },
      {
        name: 'bare SQL',
        run: async (round) => {
          for (const [sessionId, { from, to }] of ranges[round] ?? [])
            await home.sql`
              select payload from messages
              where tenant_id = ${tenantId} and session_id = ${sessionId} and seq between ${from} and ${to} order by seq`
        },
      },
    ],
    { rounds: documents.length },
  )
  return throughput('export of the originals', documents, { own, name: 'bare SQL of the same rows', baseline })
}

/** The whole home after a clean stop, in bytes a byte of input. An empty store, 40 MB of it the database's own, apart. */
async function measureDisk(home: BenchHome, inputBytes: number): Promise<Figure[]> {
  await home.sql`checkpoint`
  await home.endDaemon()
  const whole = home.sizeOnDisk()
  await using fresh = new BenchHome()
  await fresh.messagesBehind()
  await fresh.sql`checkpoint`
  await fresh.endDaemon()
  const empty = fresh.sizeOnDisk()
  return [
    {
      name: 'home on disk',
      value: whole / 1e6,
      unit: 'MB',
      baselines: [
        sizeBaseline('its input', { own: whole / 1e6, baseline: inputBytes / 1e6 }),
        sizeBaseline('an empty home', { own: whole / 1e6, baseline: empty / 1e6 }),
      ],
    },
    { name: 'bytes on disk a byte of input, beyond an empty home', value: (whole - empty) / inputBytes, unit: '' },
  ]
}

/** Imports everything as a user does, one file after another, and returns what the files held. */
async function measureImport(home: BenchHome, files: readonly SourceFile[]) {
  await home.messagesBehind()
  const startedAt = performance.now()
  const reports = await importAll(home, files)
  const importMs = performance.now() - startedAt
  await home.waitUntilIndexed()
  const indexedMs = performance.now() - startedAt
  const imported = files.filter((_, index) => reports[index]?.status === 'imported')
  const sizeBytes = sum(imported.map((file) => file.sizeBytes))
  const entries = sum(reports.flatMap(({ documents }) => documents.map(({ added }) => added)))
  const unchangedMs = await timed(() => importAll(home, files))
  const againMs = await timed(() => importAll(home, files, true))
  const rate = (name: string, tookMs: number): Figure => ({
    name,
    value: megabytesPerSecond(sizeBytes, tookMs),
    unit: 'MB/s',
    samples: imported.length,
  })
  const figures: Figure[] = [
    rate('import, index running', importMs),
    { name: 'entries imported', value: entries / (importMs / 1000), unit: 'a second', samples: entries },
    rate('import until all can be found', indexedMs),
    rate('import again, files unchanged', unchangedMs),
    rate('import again, every entry read and known', againMs),
  ]
  return { figures, imported, sizeBytes, left: files.length - imported.length }
}

export const importBench: Bench = {
  name: 'import',
  async run(options) {
    const directory = options.quick ? sharedData('transcripts', 'claude-code') : sharedData('transcripts')
    if (directory === undefined) {
      return { bench: 'import', figures: [], notes: ['Skipped: shared/data/transcripts is not beside the repository'] }
    }
    const files = await listFiles([directory])
    await using home = new BenchHome()
    const { figures, imported, sizeBytes, left } = await measureImport(home, files)
    options.say(`${imported.length} files imported`)
    figures.push(await measureExport(home))
    figures.push(...(await measureDisk(home, sizeBytes)))
    figures.unshift(await compareWithRawRows(imported))
    return {
      bench: 'import',
      figures,
      notes: [
        `${imported.length} files of ${(sizeBytes / 1e6).toFixed(1)} MB together; ${left} more in the folder are no transcripts. Every export was compared with its file's SHA-256.`,
      ],
    }
  },
}
