import type { Command } from 'commander'

import { VerbatimError } from '../../errors.ts'
import type { Caller } from '../../model/access.ts'
import { agreed, counted } from '../../model/text/counted.ts'
import { clockProblem } from '../../retention/decide.ts'
import type { StoreStatus } from '../../sessions/status.ts'
import type { Database } from '../../store/database.ts'
import { readSweep } from '../../store/erasure/retention.ts'
import { commandName } from '../command-name.ts'
import { CommandUnrecorded } from '../command-unrecorded.ts'
import { withStore, type CommandContext } from '../context.ts'
import { describeArchive } from '../describe-archive.ts'
import { checkNames } from '../describe-names.ts'
import { tellWarning } from '../tell-error.ts'
import { auditLogName, checkAudit } from './check-audit.ts'
import { checkEncryption } from './check-encryption.ts'
import { checkFlagged } from './check-flagged.ts'
import { checkSemantic } from './check-semantic.ts'
import { checkServer } from './check-server.ts'
import { problemOf, type Check } from './check.ts'

/** What is right and what is wrong with the store, as far as that can be seen. */
export async function checkStore(program: Command): Promise<Check[]> {
  const checks: Check[] = []
  try {
    await withStore(program, async (context) => {
      for await (const some of checksOf(context)) checks.push(...some)
    })
  } catch (error) {
    if (!(error instanceof VerbatimError)) throw error
    if (!(error instanceof CommandUnrecorded)) return [...checks, problemOf('store', error)]
    // That this command has no row is said as of any other; why the log takes none is a problem of the store, and told once.
    tellWarning(error)
    if (!checks.some(({ name, state }) => name === auditLogName && state === 'problem'))
      checks.push(problemOf(auditLogName, error))
  }
  return checks
}

/** One part after the other: what was seen is told also where the next one fails. */
async function* checksOf({ config, verbatim, caller }: CommandContext): AsyncGenerator<readonly Check[]> {
  const { database, archive: store } = verbatim.stores
  const { sessions, messages, index, flagged, archive, names, ...status } = await verbatim.status(caller)
  yield [
    { name: 'store', state: 'ok', message: `${counted(sessions, 'session')}, ${counted(messages, 'message')}` },
    ...checkIndex(index, database),
  ]
  yield await checkSweep(database, caller)
  yield [await checkAudit(database, caller)]
  await store.check()
  yield checkFlagged(flagged)
  yield await checkServer(database)
  yield [await checkEncryption(database, caller)]
  yield [...checkArchive(archive), ...checkSemantic(status.semantic_search, config), ...checkNames(names)]
}

function checkIndex(
  { messages_behind: behind, failed_for_good: failed }: StoreStatus['index'],
  { kind }: Pick<Database, 'kind'>,
): Check[] {
  const checks: Check[] = [
    behind === 0
      ? { name: 'index', state: 'ok', message: 'every message can be found' }
      : {
          name: 'index',
          state: 'note',
          message: `${counted(behind, 'message')} ${agreed(behind, 'is', 'are')} not searchable yet; this goes on in the background`,
        },
  ]
  if (failed > 0)
    checks.push({
      name: 'index failures',
      state: 'problem',
      message: `${counted(failed, 'piece')} of work failed for good`,
      remedy: `See ${kind === 'embedded' ? 'log/daemon.log in the home' : 'the log of the processes that serve this store'}, then run "${commandName()} verify"`,
    })
  return checks
}

async function checkSweep(database: Database, { tenantId }: Caller): Promise<Check[]> {
  const sweep = await database.run((sql) => readSweep(sql, tenantId))
  const jump = sweep === undefined ? undefined : clockProblem(sweep.sweptAtMs, sweep.nowMs)
  if (jump === undefined) return []
  return [
    {
      name: 'retention',
      state: 'problem',
      message: `nothing that has expired is erased, as ${jump}`,
      remedy: `Check the clock and "${commandName()} retention preview", then run: ${commandName()} retention apply --yes`,
    },
  ]
}

function checkArchive(archive: StoreStatus['archive']): Check[] {
  const name = 'archive'
  const checks: Check[] = [{ name, state: 'ok', message: `can be written; ${describeArchive(archive)}` }]
  if (archive.waits_for !== undefined)
    checks.push({
      name,
      state: 'problem',
      message: archive.waits_for,
      remedy: `It goes on by itself when the archive answers; or run: ${commandName()} archive --now`,
    })
  if (archive.failed_for_good > 0)
    checks.push({
      name,
      state: 'problem',
      message: `${counted(archive.failed_for_good, 'session')} could not be archived`,
      remedy: `Run: ${commandName()} archive --now (it says why, and tries them again)`,
    })
  return checks
}
