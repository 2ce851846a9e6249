import type { CapturedFile } from '../../store/imports/captured-files.ts'
import { rowsCoverage, times, type RowsCoverage } from './rows-coverage.ts'
import type { SessionCoverage } from './session-comparison.ts'

/**
 * `complete`: everything is stored. `behind`: something was written that is not stored yet. `silent`: that has been so for
 * longer than it may, so whatever captured it has stopped. `never captured`: nothing of this client was ever imported.
 * `unknown`: some of it cannot be read.
 */
export type CoverageState = 'complete' | 'behind' | 'silent' | 'never captured' | 'unknown'

/**
 * Why a place is looked at. `known`: a client keeps its transcripts there. `named`: whoever asks has named it. `imported`: files that
 * were imported from elsewhere are there.
 */
export type PlaceKind = 'known' | 'named' | 'imported'

/** How much of what a client has written at one place of this machine is stored. */
export interface PlaceCoverage {
  readonly source: string
  readonly path: string
  readonly kind: PlaceKind
  readonly state: CoverageState
  readonly files: number
  readonly bytes: number
  readonly files_stored: number
  /** Of whatever kind, also those that are no messages; where rows are compared, those that are stored. */
  readonly entries_stored: number
  readonly files_missing: number
  /** Of files that are compared as a whole. */
  readonly bytes_missing: number
  /** Some of the files of which something is missing, the longest waiting first. */
  readonly missing: readonly string[]
  /** When the first of what is missing was written. */
  readonly missing_since?: string
  readonly last_written_at?: string
  readonly last_captured_at?: string
  /** Of a client whose rows are stored one by one, without a word of the file. */
  readonly by_rows?: RowsCoverage
  /** Why part of the place could not be looked at. */
  readonly problems: readonly string[]
}

export interface ComparedPlace {
  readonly source: string | undefined
  readonly path: string
  readonly kind: PlaceKind
  readonly files: readonly ComparedFile[]
  /** Of the files that were compared by their rows. */
  readonly sessions: readonly SessionCoverage[]
  /** The client that these are of. */
  readonly sessionsOf: string
  readonly problems: readonly string[]
}

/** A file, and what of it is stored. */
export interface ComparedFile {
  readonly path: string
  readonly sizeBytes: number
  readonly modifiedAtMs: number
  readonly captured: CapturedFile | undefined
  readonly comparison:
    | { readonly by: 'file'; readonly isStored: boolean; readonly bytes: number; readonly sinceMs: number }
    | { readonly by: 'rows'; readonly missing: number; readonly sinceMs: number | undefined }
    | { readonly by: 'nothing' }
}

interface CoverOptions {
  readonly isCaptured: boolean
  readonly everySession: boolean
  readonly graceMs: number
  readonly nowMs: number
}

const namedMax = 5

export function coverPlace(place: ComparedPlace, options: CoverOptions): PlaceCoverage {
  const { files, sessions } = place
  const stored = files.flatMap((file) => file.captured ?? [])
  const missing = files.flatMap(missingOf).toSorted((left, right) => left.sinceMs - right.sinceMs)
  const unread = files.filter(({ comparison }) => comparison.by === 'nothing').length
  const [first] = missing
  const rows = sessions.length === 0 ? undefined : rowsCoverage(sessions, options)
  const whole = files.filter(({ comparison }) => comparison.by === 'file')
  const entries = sum(whole.map(({ captured }) => captured?.entries ?? 0))
  const formats = [...stored.map(({ format }) => format), ...(rows === undefined ? [] : [place.sessionsOf])]
  return {
    source: place.source ?? [...new Set(formats)].join(', '),
    path: place.path,
    kind: place.kind,
    state: unread > 0 && first === undefined ? 'unknown' : stateOf(first?.sinceMs, options),
    files: files.length,
    bytes: sum(files.map(({ sizeBytes }) => sizeBytes)),
    files_stored: files.length - missing.length - unread,
    entries_stored: entries + (rows === undefined ? 0 : rows.rows - rows.rows_missing),
    files_missing: missing.length,
    bytes_missing: sum(missing.map(({ bytes }) => bytes)),
    missing: missing.slice(0, namedMax).map(({ path }) => path),
    ...(first === undefined ? {} : { missing_since: new Date(first.sinceMs).toISOString() }),
    ...lastTimes(files, sessions),
    ...(rows === undefined ? {} : { by_rows: rows }),
    problems: place.problems,
  }
}

/** Something of a file that is not stored. */
function missingOf({ path, modifiedAtMs, comparison }: ComparedFile) {
  switch (comparison.by) {
    case 'file':
      return comparison.isStored ? [] : [{ path, bytes: comparison.bytes, sinceMs: comparison.sinceMs }]
    case 'rows':
      return comparison.missing === 0 ? [] : [{ path, bytes: 0, sinceMs: comparison.sinceMs ?? modifiedAtMs }]
    case 'nothing':
      return []
    default:
      return comparison satisfies never
  }
}

/** A file that is compared by its rows was written when the last of them was: it changes when nothing was said. */
function lastTimes(files: readonly ComparedFile[], sessions: readonly SessionCoverage[]) {
  const ofRows = times(sessions)
  const whole = files.filter(({ comparison }) => comparison.by !== 'rows')
  const timesOf = (ms: readonly number[], time: string | undefined) => [
    ...ms,
    ...(time === undefined ? [] : [Date.parse(time)]),
  ]
  const written = latest(timesOf(whole.map(({ modifiedAtMs }) => modifiedAtMs), ofRows.last_written_at))
  const imported = files.flatMap(({ captured }) => captured?.importedAtMs ?? [])
  const captured = latest(timesOf(imported, ofRows.last_captured_at))
  return {
    ...(written === undefined ? {} : { last_written_at: new Date(written).toISOString() }),
    ...(captured === undefined ? {} : { last_captured_at: new Date(captured).toISOString() }),
  }
}

function stateOf(missingSinceMs: number | undefined, { isCaptured, graceMs, nowMs }: CoverOptions): CoverageState {
  if (missingSinceMs === undefined) return 'complete'
  if (!isCaptured) return 'never captured'
  return nowMs - missingSinceMs > graceMs ? 'silent' : 'behind'
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

/** Not Math.max(...): a place may have more files than a call takes arguments. */
function latest(ms: readonly number[]): number | undefined {
  return ms.length === 0 ? undefined : ms.reduce((max, time) => Math.max(max, time))
}
