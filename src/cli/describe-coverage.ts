import type { CoverageState, PlaceCoverage } from '../capture/coverage/coverage.ts'
import type { OwedCapture } from '../capture/hooks/owed-captures.ts'
import type { StoredSource } from '../store/count-sources.ts'
import { commandName } from './command-name.ts'
import { table } from './output.ts'

const states: Readonly<Record<CoverageState, string>> = {
  complete: 'complete',
  behind: 'behind',
  silent: 'SILENT',
  'never captured': 'never captured',
  unknown: 'unknown',
}

function minuteOf(time: string | undefined): string {
  return time === undefined ? '' : time.slice(0, 16).replace('T', ' ')
}

/** What is stored of each source. */
export function renderSources(sources: readonly StoredSource[]): string {
  if (sources.length === 0) return ''
  const rows = sources.map((source) => [
    source.source,
    source.sessions,
    source.messages,
    minuteOf(source.last_active_at),
  ])
  return `${table(['source', 'sessions', 'messages', 'last active'], rows)}\n`
}

/** What is on this machine, and what of it is stored. */
export function renderCoverage(places: readonly PlaceCoverage[]): string {
  if (places.length === 0) return ''
  const rows = places.map((place) => [
    place.source,
    place.files,
    place.bytes,
    place.messages_stored,
    place.files_missing,
    place.bytes_missing,
    minuteOf(place.last_written_at),
    minuteOf(place.last_captured_at),
    states[place.state],
    place.path,
  ])
  const header = ['on this machine', 'files', 'bytes', 'messages stored', 'files missing', 'bytes missing']
  const reasons = new Map(places.map((place) => [place.source, place.unknown_because]))
  const unknown = [...reasons].flatMap(([source, because]) => (because === undefined ? [] : [[source, because]]))
  return [
    table([...header, 'last written', 'last captured', 'state', 'place'], rows),
    ...unknown.map(([source, because]) => `${source}: what is stored is unknown, as ${because}`),
    '',
  ].join('\n')
}

/** What somebody should look at, a line each. */
export function alarmsOf(
  places: readonly PlaceCoverage[],
  { overdue, damaged }: { readonly overdue: readonly OwedCapture[]; readonly damaged: readonly string[] },
): string[] {
  return [
    ...places.flatMap(({ source, path, problems }) => problems.map((problem) => `${source} ${path}: ${problem}`)),
    ...places.filter(({ state }) => state === 'silent').map(silence),
    ...(overdue.length === 0
      ? []
      : [
          `hooks: ${overdue.length} transcripts wait to be imported, the first since ${overdue[0]?.at}. Run: ${commandName()} hook pending`,
        ]),
    ...damaged.map(
      (note) => `hooks: the note ${note} cannot be read. Run: ${commandName()} import, and then remove the note`,
    ),
  ]
}

function silence(place: PlaceCoverage): string {
  const captured = place.last_captured_at === undefined ? 'never' : `last at ${place.last_captured_at}`
  return `${place.source} ${place.path}: ${place.files_missing} files with ${place.bytes_missing} bytes that are not stored, the first written at ${place.missing_since}; captured ${captured}. Run: ${commandName()} import`
}
