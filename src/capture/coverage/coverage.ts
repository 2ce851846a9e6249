import { dirname, resolve, sep } from 'node:path'

import { messageOf, VerbatimError } from '../../errors.ts'
import type { Caller } from '../../model/access.ts'
import type { LocalUser } from '../../model/local-user.ts'
import { listCapturedFiles, type CapturedFile } from '../../store/imports/captured-files.ts'
import type { Database } from '../../store/database.ts'
import type { TranscriptFormat } from '../../transcripts/format.ts'
import { detectFormat, lookAtPlaces, transcriptFormats } from '../../transcripts/registry.ts'
import { isSameState, stateIfThere, type FileAtPath } from '../documents/file-state.ts'
import { watchedPaths } from '../following/watched-files.ts'
import { coverPlace, type ComparedFile, type ComparedPlace, type PlaceCoverage, type PlaceKind } from './place-coverage.ts'
import { SessionComparison, UnreadableRows } from './session-comparison.ts'
import { writtenSince } from './written-since.ts'

export interface CoverageOptions {
  readonly user: LocalUser
  /** Only these clients. */
  readonly sources?: readonly string[] | undefined
  /** Files and directories beside the known places. */
  readonly paths?: readonly string[] | undefined
  /** Names each session whose rows are compared, and not only those of which something is missing. */
  readonly everySession?: boolean | undefined
  /** What is not stored after so long makes a place `silent`. */
  readonly graceMs: number
  readonly nowMs: number
}

interface Place {
  readonly source: string | undefined
  readonly path: string
  readonly kind: PlaceKind
  readonly files: readonly string[]
  readonly problems: readonly string[]
}

/** What is not stored after so long is an alarm, unless somebody says another time. */
export const graceMs = 15 * 60_000

const pageFiles = 10_000
/** When what is missing was written stands in its first line; that of so many files of a place is read. */
const readMax = 100

/**
 * Compares what is on this machine with what is stored of it: places of clients that are there, the paths that are named, and
 * whatever else was imported and is still there. Files are compared by names, sizes and times, and a line is read of those that
 * are behind; where rows are stored without their file, their ids are compared.
 */
export async function coverage(database: Database, caller: Caller, options: CoverageOptions): Promise<PlaceCoverage[]> {
  const captured = await capturedFiles(database, caller)
  const found: ComparedPlace[] = []
  for (const place of await placesOf(options, captured)) {
    const compared = await comparePlace(place, captured, { database, caller })
    if (compared.files.length + compared.problems.length > 0) found.push(compared)
  }
  // Also what has been removed since counts: clients clear up after themselves. And a client moves files from one place to
  // another, so that it is captured as a whole or not at all.
  const paths = [...captured.keys()]
  const isCaptured = ({ path, files, sessions }: ComparedPlace) =>
    files.some((file) => file.captured !== undefined) ||
    sessions.some((session) => session.last_captured_at !== undefined) ||
    paths.some((file) => file.startsWith(`${path}${sep}`))
  const sources = new Set(found.filter(isCaptured).map(({ source, path }) => source ?? path))
  const { graceMs: allowedMs, nowMs, everySession = false } = options
  return found.map((place) =>
    coverPlace(place, {
      isCaptured: sources.has(place.source ?? place.path),
      everySession,
      graceMs: allowedMs,
      nowMs,
    }),
  )
}

async function capturedFiles(database: Database, { tenantId }: Caller): Promise<Map<string, CapturedFile>> {
  const files = new Map<string, CapturedFile>()
  for (let after = ''; ;) {
    const page = { after, limit: pageFiles }
    const rows = await database.run((sql) => listCapturedFiles(sql, tenantId, page))
    for (const row of rows) files.set(row.path, row)
    const last = rows.at(-1)
    if (last === undefined || rows.length < pageFiles) return files
    after = last.path
  }
}

async function placesOf(
  { user, sources, paths = [] }: CoverageOptions,
  captured: ReadonlyMap<string, CapturedFile>,
): Promise<readonly Place[]> {
  const known = await lookAtPlaces(user, sources)
  const named: Place[] = []
  for (const path of paths) {
    const { files, passedOver } = await watchedPaths([path], undefined)
    const problems = passedOver.filter(({ status }) => status === 'failed').map(({ reason }) => reason)
    named.push({
      source: undefined,
      path: resolve(path),
      kind: 'named',
      files: files.map((file) => file.path),
      problems,
    })
  }
  const kept = known.map((place) => ({ ...place, source: place.format.name, kind: 'known' }) as const)
  const places = [...merged(kept), ...named]
  if (sources !== undefined) return places
  const placed = new Set(places.flatMap(({ files }) => files))
  return [...places, ...elsewhere([...captured.values()].filter(({ path }) => !placed.has(path)))]
}

/** A client that has two formats keeps both at the same place. */
function merged(places: readonly Place[]): readonly Place[] {
  const byPath = new Map<string, Place>()
  for (const place of places) {
    const before = byPath.get(place.path)
    byPath.set(
      place.path,
      before === undefined
        ? place
        : {
            ...place,
            files: [...before.files, ...place.files],
            problems: [...new Set([...before.problems, ...place.problems])],
          },
    )
  }
  return [...byPath.values()]
}

/** What was imported of other places and is still there, by client. */
function elsewhere(captured: readonly CapturedFile[]): readonly Place[] {
  const byFormat = new Map<string, string[]>()
  for (const { path, format } of captured) {
    const paths = byFormat.get(format)
    if (paths === undefined) byFormat.set(format, [path])
    else paths.push(path)
  }
  return [...byFormat].map(([source, files]) => ({
    source,
    path: commonDirectory(files),
    kind: 'imported',
    files,
    problems: [],
  }))
}

function commonDirectory(paths: readonly string[]): string {
  const [first = '', ...others] = paths
  let directory = dirname(first)
  while (directory !== dirname(directory) && !others.every((path) => path.startsWith(`${directory}${sep}`)))
    directory = dirname(directory)
  return directory
}

interface ComparedWith {
  readonly database: Database
  readonly caller: Caller
}

/** The only client whose rows are stored without their file, by its plugin. */
const byRows = transcriptFormats.find(({ sessionRows }) => sessionRows !== undefined)?.name ?? ''

async function comparePlace(
  place: Place,
  captured: ReadonlyMap<string, CapturedFile>,
  { database, caller }: ComparedWith,
): Promise<ComparedPlace> {
  const rows = new SessionComparison(database, caller, byRows)
  const files: ComparedFile[] = []
  const problems = [...place.problems]
  let read = 0
  const mayRead = () => read++ < readMax
  for (const path of place.files) {
    const state = await stateIfThere(path)
    if (state === undefined) continue
    const known = captured.get(path)
    const file = { path, sizeBytes: state.sizeBytes, modifiedAtMs: state.modifiedAtMs, captured: known }
    try {
      const compared = await compareRows({ place, path, state }, rows)
      files.push({ ...file, comparison: compared ?? (await compareFile({ path, state, known, mayRead })) })
    } catch (error) {
      if (!(error instanceof UnreadableRows)) throw error
      problems.push(messageOf(error.cause))
      files.push({ ...file, comparison: { by: 'nothing' } })
    }
  }
  const { source, kind } = place
  // Where files were that are gone says nothing of those that are there.
  const path = kind === 'imported' && files.length > 0 ? commonDirectory(files.map((file) => file.path)) : place.path
  return { source, path, kind, files, sessions: rows.sessions(), sessionsOf: byRows, problems }
}

/** Undefined where a file is to be compared as a whole. */
async function compareRows(
  { place, path, state }: { readonly place: Place; readonly path: string; readonly state: FileAtPath },
  rows: SessionComparison,
): Promise<ComparedFile['comparison'] | undefined> {
  if (place.source !== undefined && place.source !== byRows) return undefined
  const format = await formatOf(path, place.source)
  if (format?.sessionRows === undefined) return undefined
  const pages = format.sessionRows(path)
  if (pages === undefined) return { by: 'rows', missing: 0, sinceMs: undefined }
  return { by: 'rows', ...(await rows.compare(pages, state)) }
}

async function formatOf(path: string, among: string | undefined): Promise<TranscriptFormat | undefined> {
  try {
    return (await detectFormat(path, among))?.format
  } catch (error) {
    if (!(error instanceof VerbatimError)) throw error
    throw new UnreadableRows('The file cannot be read', { cause: error })
  }
}

interface WholeFile {
  readonly path: string
  readonly state: FileAtPath
  readonly known: CapturedFile | undefined
  /** Whether another file's line may be read. */
  readonly mayRead: () => boolean
}

async function compareFile({ path, state, known, mayRead }: WholeFile): Promise<ComparedFile['comparison']> {
  const { sizeBytes, modifiedAtMs } = state
  if (known !== undefined && isSameState(known, state)) return { by: 'file', isStored: true, bytes: 0, sinceMs: 0 }
  // A file that became shorter is another one.
  const fromByte = known === undefined || known.sizeBytes > sizeBytes ? 0 : known.sizeBytes
  const sinceMs = mayRead() ? await writtenSince({ path, fromByte, modifiedAtMs }) : modifiedAtMs
  return { by: 'file', isStored: false, bytes: sizeBytes - fromByte, sinceMs }
}
