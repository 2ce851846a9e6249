import { existsSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

import type { Command } from 'commander'

import { processEnvironment, readConfig, readEnvFile, type Config } from '../../config.ts'
import { InputError, NotFoundError } from '../../errors.ts'
import { localCaller } from '../../model/access.ts'
import { shownAddress } from '../../model/server-address.ts'
import { agreed, counted, countedOf, onlyCounted } from '../../model/text/counted.ts'
import type { MoveReport } from '../../move/report.ts'
import type { Database } from '../../store/database.ts'
import { homePathsOf } from '../../store/embedded/home.ts'
import { exitCodes, type ExitStatus } from '../exit-codes.ts'
import { print, printJson } from '../output.ts'
import { startProgress } from '../progress.ts'

interface Options {
  readonly from: string
  readonly to: string
  readonly toArchive?: string
  readonly json?: boolean
}

const namedMax = 5

type Environment = Readonly<Record<string, string | undefined>>

export function registerMigrate(program: Command, status: ExitStatus): void {
  program
    .command('migrate')
    .description(
      'copy everything to another store, a PostgreSQL server say, and prove that it is the same there; run again, it copies what came since',
    )
    .requiredOption(
      '--to <store>',
      'where to: postgres://user:password@host/database, or the home of an embedded store',
    )
    .option('--from <store>', 'where from, in the same forms; "embedded" is the home of the settings', 'embedded')
    .option(
      '--to-archive <place>',
      'where payloads above 1 MiB go: s3://bucket/prefix or file:/directory; default: VERBATIM_ARCHIVE, else the directory archive of the home',
    )
    .option('--json', 'machine-readable output')
    .action(async (options: Options) => {
      const { envFile } = program.opts<{ envFile?: string }>()
      const environment = envFile === undefined ? processEnvironment() : readEnvFile(envFile)
      const source = configOf(options.from, environment)
      const archive = options.toArchive === undefined ? {} : { VERBATIM_ARCHIVE: options.toArchive }
      const target = configOf(options.to, { ...environment, ...archive })
      await requireSource(source, options.from)
      const report = await move(source, target)
      if (report.problem_count > 0) status.code = exitCodes.problems
      if (options.json === true) return printJson({ from: nameOf(source), to: nameOf(target), ...report })
      return print(render(report, target))
    })
}

/** The settings for one of the two stores. Neither process does background work for it: that is for those who serve it. */
function configOf(store: string, environment: Environment): Config {
  const own = { ...environment, VERBATIM_ROLE: 'web' }
  if (/^postgres(ql)?:/.test(store)) return readConfig({ ...own, DATABASE_URL: store })
  if (store.includes('://'))
    throw new InputError(`Cannot move a store from or to "${store}" as it must be a PostgreSQL server or a directory`, {
      remedy: 'Write postgres://user:password@host:port/database, the path of a home, or "embedded"',
    })
  const home = store.startsWith('~/') ? join(homedir(), store.slice(2)) : resolve(store)
  return readConfig({ ...own, DATABASE_URL: '', ...(store === 'embedded' ? {} : { VERBATIM_HOME: home }) })
}

function nameOf({ store, home }: Config): string {
  return store.kind === 'server' ? shownAddress(store.url) : home
}

/** Opening a store makes one where there is none: a name that was mistyped would become an empty store. */
async function requireSource({ store, home }: Config, given: string): Promise<void> {
  const { holdsStore } = await import('../../store/server/move-lock.ts')
  const isThere =
    store.kind === 'embedded'
      ? existsSync(homePathsOf(home).database)
      : await holdsStore({ url: store.url, applicationName: 'verbatim', shownAddress: shownAddress(store.url) })
  if (isThere) return
  const place = store.kind === 'server' ? shownAddress(store.url) : `"${home}"`
  throw new NotFoundError(`Cannot move a store from ${place} as there is none`, {
    remedy:
      given === 'embedded'
        ? 'Set VERBATIM_HOME to its home, or give the home as --from'
        : 'Check --from; "embedded" is the home of the settings',
  })
}

async function move(source: Config, target: Config): Promise<MoveReport> {
  const sameHome =
    source.store.kind === 'embedded' &&
    target.store.kind === 'embedded' &&
    realPathOf(source.home) === realPathOf(target.home)
  if (sameHome) throw intoItself()
  const [{ archiveOf, openStores }, { moveStore }, { countMessages }] = await Promise.all([
    import('../../compose.ts'),
    import('../../move/move-store.ts'),
    import('../../store/copy/sessions-there.ts'),
  ])
  const from = await openStores(source)
  const to = await openStores(target)
  try {
    await to.archive.check()
    const release = await lockTarget(from.database, to.database)
    try {
      const caller = localCaller('cli')
      const messages = await from.database.run((sql) => countMessages(sql, caller.tenantId))
      const progress = await startProgress('moving', messages)
      // Settings of an archive may be those of either store: what a payload is named by is its hash, so both are good.
      const archives = [archiveOf({ ...source, archive: { kind: 'directory', path: undefined } }), from.archive]
      const report = await moveStore(
        { source: { database: from.database, archives }, target: to },
        caller,
        (messages) => progress.add(messages),
      )
      progress.stop()
      return report
    } finally {
      await release()
    }
  } finally {
    await from.database.close()
    await to.database.close()
  }
}

/** One move into a server at a time; and a lock that the source has too is that of one database under two names. */
async function lockTarget(source: Database, target: Database): Promise<() => Promise<void>> {
  if (target.kind === 'embedded') return async () => undefined
  const { releaseMoveLock, takeMoveLock } = await import('../../store/server/move-lock.ts')
  const lock = await target.run(takeMoveLock)
  if (lock === undefined)
    throw new InputError('Cannot move a store as another move into the same database is going on', {
      remedy: 'Wait until it is done, then run this again',
    })
  const release = () => releaseMoveLock(lock)
  if (source.kind === 'server') {
    const another = await source.run(takeMoveLock)
    if (another === undefined) {
      await release()
      throw intoItself()
    }
    await releaseMoveLock(another)
  }
  return release
}

function intoItself(): InputError {
  return new InputError('Cannot move a store into itself as --from and --to are the same', {
    remedy: 'Name another store as --to',
  })
}

function realPathOf(path: string): string {
  return existsSync(path) ? realpathSync(path) : path
}

function render(report: MoveReport, target: Config): string {
  const { messages, sessions, vectors } = report
  const rows = Object.entries(report.rows).map(([table, { copied, already_there: known }]) =>
    countedOf(copied + known, table),
  )
  const lines = report.problems.map(({ session_id: session, message_id: message, row, problem }) => {
    const where = [session, message, row].filter((part) => part !== undefined).join(' ')
    return `PROBLEM ${where}: ${problem}`
  })
  const untold = report.problem_count - report.problems.length
  if (untold > 0) lines.push(`PROBLEM ${onlyCounted(untold)}`)
  lines.push(
    `copied ${counted(messages.copied, 'message')} of ${counted(sessions.copied, 'session')}; ${counted(messages.already_there, 'message')} ${agreed(messages.already_there, 'was', 'were')} there already`,
    `also there: ${[...rows, counted(report.audit_rows, 'new audit row')].join(', ')}`,
    'made_anew' in vectors
      ? `vectors are made anew by the target: ${vectors.made_anew}`
      : `vectors of ${vectors.model}: ${vectors.copied} copied, ${vectors.already_there} there already`,
  )
  lines.push(...erasedLines(report.erased_at_target))
  const payloads = report.archived_payloads.copied + report.archived_payloads.already_there
  if (payloads > 0 && target.store.kind === 'server' && target.archive.kind === 'directory')
    lines.push(
      `NOTE ${counted(payloads, 'large payload')} ${agreed(payloads, 'is', 'are')} in a directory of this machine: every process that uses the server needs it; --to-archive s3://bucket/prefix puts them where all can read them`,
    )
  const { pseudonyms } = report.rows
  if (pseudonyms !== undefined)
    lines.push(
      `NOTE what ${countedOf(pseudonyms.copied + pseudonyms.already_there, 'pseudonyms')} ${agreed(pseudonyms.copied + pseudonyms.already_there, 'stands', 'stand')} for is told there with the key that they were made with: copy keys/pseudonym.key of the home, or the file that VERBATIM_PSEUDONYM_KEY_FILE names`,
    )
  if (report.came_since > 0)
    lines.push(`NOTE ${counted(report.came_since, 'message')} came since: run it again to take them along`)
  lines.push(
    report.problem_count === 0 ? 'all compared by SHA-256: identical' : counted(report.problem_count, 'problem'),
  )
  return `${lines.join('\n')}\n`
}

/** What did not come back, and of which sessions something else stays as it is at the target. */
function erasedLines({
  whole_sessions: whole,
  messages,
  session_ids: ids,
  rows,
}: MoveReport['erased_at_target']): string[] {
  if (whole === 0 && messages === 0) return []
  const made = Object.entries(rows).map(([table, count]) => `, ${countedOf(count, table)}`)
  const lines = [
    `NOTE not brought back, as it was erased or anonymised at the target: ${counted(whole, 'session')}, ${counted(messages, 'message')} of others${made.join('')}`,
  ]
  if (ids.length === 0) return lines
  const named = ids.slice(0, namedMax).join(', ')
  const more = ids.length > namedMax ? ' and others' : ''
  return [...lines, `NOTE sessions keep the title, metadata and tags that they have at the target: ${named}${more}`]
}
