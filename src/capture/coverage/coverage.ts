import { dirname, resolve, sep } from 'node:path'

import type { Caller } from '../../model/access.ts'
import type { LocalUser } from '../../model/local-user.ts'
import { listCapturedFiles, type CapturedFile } from '../../store/captured-files.ts'
import type { Database } from '../../store/database.ts'
import { lookAtPlaces } from '../../transcripts/registry.ts'
import { isSameState, stateIfThere } from '../documents/file-state.ts'
import { watchedPaths } from '../following/watched-files.ts'
import { writtenSince } from './written-since.ts'

/**
 * `complete`: everything is stored. `behind`: something was written that is not stored yet. `silent`: that has been so for
 * longer than it may, so whatever captured it has stopped. `never captured`: nothing of this client was ever imported.
 * `unknown`: its files do not tell.
 */
export type CoverageState = 'complete' | 'behind' | 'silent' | 'never captured' | 'unknown'

/** How much of what a client has written at one place of this machine is stored. */
export interface PlaceCoverage {
  readonly source: string
  readonly path: string
  readonly state: CoverageState
  /** Why the state is `unknown`. */
  readonly unknown_because?: string
  readonly files: number
  readonly bytes: number
  readonly files_stored: number
  readonly messages_stored: number
  readonly files_missing: number
  readonly bytes_missing: number
  /** Some of the files of which something is missing, the longest waiting first. */
  readonly missing: readonly string[]
  /** When the first of what is missing was written. */
  readonly missing_since?: string
  readonly last_written_at?: string
  readonly last_captured_at?: string
  /** Why part of the place could not be looked at. */
  readonly problems: readonly string[]
}

export interface CoverageOptions {
  readonly user: LocalUser
  /** Only these clients. */
  readonly sources?: readonly string[] | undefined
  /** Files and directories beside the known places. */
  readonly paths?: readonly string[] | undefined
  /** What is not stored after so long makes a place `silent`. */
  readonly graceMs: number
  readonly nowMs: number
}

interface Place {
  readonly source: string | undefined
  readonly path: string
  readonly files: readonly string[]
  readonly problems: readonly string[]
}

interface FoundFile {
  readonly path: string
  readonly sizeBytes: number
  readonly modifiedAtMs: number
  readonly captured: CapturedFile | undefined
  /** Whether what is stored is the file as it is now. */
  readonly isStored: boolean
}

/** What is not stored after so long is an alarm, unless somebody says another time. */
export const graceMs = 15 * 60_000

/** Clients whose files do not tell what is stored of them, and why: only a comparison of each session would. */
const untold: ReadonlyMap<string, string> = new Map([
  [
    'openclaw',
    'its rows are also stored one by one, by its plugin, without a word of the file, and its database changes when nothing was said',
  ],
])

const pageFiles = 10_000
const namedMax = 5
/** When what is missing was written stands in its first line; that of so many files of a place is read. */
const readMax = 100

/**
 * Compares what is on this machine with what is stored of it: places of clients that are there, the paths that are named, and
 * whatever else was imported and is still there. Beside names, sizes and times only a line is read, of files that are behind.
 */
export async function coverage(database: Database, caller: Caller, options: CoverageOptions): Promise<PlaceCoverage[]> {
  const captured = await capturedFiles(database, caller)
  const found: { readonly place: Place; readonly files: readonly FoundFile[] }[] = []
  for (const place of await placesOf(options, captured)) {
    const files = await filesOf(place, captured)
    if (files.length + place.problems.length > 0) found.push({ place, files })
  }
  // Also what has been removed since counts: clients clear up after themselves. And a client moves files from one place to
  // another, so that it is captured as a whole or not at all.
  const paths = [...captured.keys()]
  const isCaptured = ({ place, files }: (typeof found)[number]) =>
    files.some((file) => file.isStored || file.captured !== undefined) ||
    paths.some((path) => path.startsWith(`${place.path}${sep}`))
  const sources = new Set(found.filter(isCaptured).map(({ place }) => place.source ?? place.path))
  return await Promise.all(
    found.map(({ place, files }) =>
      coverPlace(place, files, { ...options, isCaptured: sources.has(place.source ?? place.path) }),
    ),
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
    named.push({ source: undefined, path: resolve(path), files: files.map((file) => file.path), problems })
  }
  const places = [...merged(known.map((place) => ({ ...place, source: place.format.name }))), ...named]
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
  return [...byFormat].map(([source, files]) => ({ source, path: commonDirectory(files), files, problems: [] }))
}

function commonDirectory(paths: readonly string[]): string {
  const [first = '', ...others] = paths
  let directory = dirname(first)
  while (directory !== dirname(directory) && !others.every((path) => path.startsWith(`${directory}${sep}`)))
    directory = dirname(directory)
  return directory
}

async function filesOf(place: Place, captured: ReadonlyMap<string, CapturedFile>): Promise<readonly FoundFile[]> {
  const files: FoundFile[] = []
  for (const path of place.files) {
    const state = await stateIfThere(path)
    if (state === undefined) continue
    const stored = captured.get(path)
    files.push({ ...state, path, captured: stored, isStored: stored !== undefined && isSameState(stored, state) })
  }
  return files
}

async function coverPlace(
  place: Place,
  files: readonly FoundFile[],
  options: CoverageOptions & { readonly isCaptured: boolean },
): Promise<PlaceCoverage> {
  const stored = files.flatMap((file) => file.captured ?? [])
  const missing = await datedFiles(files.filter(({ isStored }) => !isStored))
  const [first] = missing
  // Not Math.max(...): a place may have more files than a call takes arguments.
  const latest = (times: readonly number[]) => times.reduce((max, time) => Math.max(max, time), 0)
  const written = latest(files.map(({ modifiedAtMs }) => modifiedAtMs))
  const captured = latest(stored.map(({ importedAtMs }) => importedAtMs))
  const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0)
  const source = place.source ?? [...new Set(stored.map(({ format }) => format))].join(', ')
  const because = untold.get(source)
  return {
    source,
    path: place.path,
    ...(because === undefined
      ? { state: stateOf(first?.sinceMs, options) }
      : { state: 'unknown', unknown_because: because }),
    files: files.length,
    bytes: sum(files.map(({ sizeBytes }) => sizeBytes)),
    files_stored: files.length - missing.length,
    messages_stored: sum(stored.map(({ messages }) => messages)),
    files_missing: missing.length,
    bytes_missing: sum(missing.map(({ bytes }) => bytes)),
    missing: missing.slice(0, namedMax).map(({ path }) => path),
    ...(first === undefined ? {} : { missing_since: new Date(first.sinceMs).toISOString() }),
    ...(files.length === 0 ? {} : { last_written_at: new Date(written).toISOString() }),
    ...(stored.length === 0 ? {} : { last_captured_at: new Date(captured).toISOString() }),
    problems: place.problems,
  }
}

function stateOf(
  missingSinceMs: number | undefined,
  { isCaptured, graceMs, nowMs }: CoverageOptions & { readonly isCaptured: boolean },
): CoverageState {
  if (missingSinceMs === undefined) return 'complete'
  if (!isCaptured) return 'never captured'
  return nowMs - missingSinceMs > graceMs ? 'silent' : 'behind'
}

interface DatedFile {
  readonly path: string
  readonly bytes: number
  readonly sinceMs: number
}

/** Files of which something is missing, the longest waiting first. */
async function datedFiles(files: readonly FoundFile[]): Promise<readonly DatedFile[]> {
  const dated: DatedFile[] = []
  for (const [index, { path, sizeBytes, modifiedAtMs, captured }] of files.entries()) {
    // A file that became shorter is another one.
    const fromByte = captured === undefined || captured.sizeBytes > sizeBytes ? 0 : captured.sizeBytes
    const sinceMs = index < readMax ? await writtenSince({ path, fromByte, modifiedAtMs }) : modifiedAtMs
    dated.push({ path, bytes: sizeBytes - fromByte, sinceMs })
  }
  return dated.toSorted((left, right) => left.sinceMs - right.sinceMs)
}
