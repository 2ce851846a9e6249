import type { CoverageState, PlaceCoverage } from '../capture/coverage/place-coverage.ts'
import type { SessionCoverage } from '../capture/coverage/session-comparison.ts'
import type { OwedCapture } from '../capture/hooks/owed-captures.ts'
import { agreed, counted } from '../model/text/counted.ts'
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
    place.entries_stored,
    place.files_missing,
    place.bytes_missing,
    minuteOf(place.last_written_at),
    minuteOf(place.last_captured_at),
    states[place.state],
    place.path,
  ])
  const header = ['on this machine', 'files', 'bytes', 'entries stored', 'files missing', 'bytes missing']
  return [
    table([...header, 'last written', 'last captured', 'state', 'place'], rows),
    '',
    ...places.flatMap(renderRows),
  ].join('\n')
}

/** Of a client whose rows are compared: each agent, and each session that was asked for or of which something is missing. */
function renderRows({ source, by_rows: compared }: PlaceCoverage): string[] {
  if (compared === undefined) return []
  const columns = ['rows', 'rows missing', 'missing since', 'last written', 'last captured']
  const cells = (of: Omit<SessionCoverage, 'session'>) => [
    of.rows,
    of.rows_missing,
    minuteOf(of.missing_since),
    minuteOf(of.last_written_at),
    minuteOf(of.last_captured_at),
  ]
  const agents = compared.agents.map((agent) => [
    agent.agent,
    agent.sessions,
    agent.sessions_incomplete,
    ...cells(agent),
  ])
  const sessions = compared.each ?? compared.incomplete
  const left = compared.each === undefined ? compared.sessions_incomplete - sessions.length : 0
  return [
    table([`agent of ${source}`, 'sessions', 'incomplete', ...columns], agents),
    '',
    ...(sessions.length === 0
      ? []
      : [
          table(
            [`session of ${source}`, ...columns],
            sessions.map((session) => [session.session, ...cells(session)]),
          ),
          ...(left === 0 ? [] : [`and ${counted(left, 'more incomplete one')}: --by-session`]),
          '',
        ]),
  ]
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
          `hooks: ${counted(overdue.length, 'transcript')} ${agreed(overdue.length, 'waits', 'wait')} to be imported, the first since ${overdue[0]?.at}. Run: ${commandName()} hook pending`,
        ]),
    ...damaged.map(
      (note) => `hooks: the note ${note} cannot be read. Run: ${commandName()} import, and then remove the note`,
    ),
  ]
}

function silence(place: PlaceCoverage): string {
  const captured = place.last_captured_at === undefined ? 'never' : `last at ${place.last_captured_at}`
  const { by_rows: rows } = place
  const missing =
    rows === undefined
      ? `${counted(place.files_missing, 'file')} with ${counted(place.bytes_missing, 'byte')}`
      : `${counted(rows.rows_missing, 'row')} of ${counted(rows.sessions_incomplete, 'session')} in ${counted(place.files_missing, 'file')}`
  return `${place.source} ${place.path}: ${missing} that are not stored, the first written at ${place.missing_since}; captured ${captured}. Run: ${commandName()} ${importOf(place)}`
}

/** What imports what is missing. Without paths an import looks at the known places alone. */
function importOf({ kind, path, source, missing, files_missing: count }: PlaceCoverage): string {
  if (kind === 'known') return 'import'
  if (kind === 'named') return `import ${quoted(path)}`
  // Not all that is below their directory: who imported some files of one may not want the others.
  const others = count - missing.length
  const rest = others === 0 ? '' : `, and so on with ${others} more, which "${commandName()} status" names then`
  return `import --format ${source} ${missing.map(quoted).join(' ')}${rest}`
}

/** A path as a shell reads it. */
function quoted(path: string): string {
  return `'${path.replaceAll("'", String.raw`'\''`)}'`
}
