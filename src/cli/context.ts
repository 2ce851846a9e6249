import type { Command } from 'commander'

import { tenantIdOf } from '../access/tenants.ts'
import { readConfig, readEnvFile, type Config } from '../config.ts'
import { AuditUnwritten } from '../errors.ts'
import { localCaller, type Caller } from '../model/access.ts'
import type { Database } from '../store/database.ts'
import { refuseOtherSetting } from '../store/keys/refuse-other-setting.ts'
import type { Verbatim } from '../verbatim.ts'
import { CommandUnrecorded } from './command-unrecorded.ts'
import { tellWarning } from './tell-error.ts'

/** What every command has at hand. */
export interface CommandContext {
  readonly config: Config
  readonly caller: Caller
  readonly verbatim: Verbatim
}

/** The settings of a command, those of `--env-file` included. */
export function configOf(program: Command): Config {
  const { envFile } = program.opts<GlobalOptions>()
  return readConfig(envFile === undefined ? undefined : readEnvFile(envFile))
}

export interface GlobalOptions {
  readonly envFile?: string
  /** The command that runs, as `noteCommand` has it. */
  readonly running?: string
}

/** Keeps the name of the command that is about to run, for the audit log: `token create`. */
export function noteCommand(program: Command, command: Command): void {
  const parent = command.parent
  const name = parent === null || parent === program ? command.name() : `${parent.name()} ${command.name()}`
  program.setOptionValue('running', name)
}

/**
 * Does what a command does as one call, of which the audit log gets a row before the command ends. Where it takes none, that is said
 * after what the command says, and is an error of it where the setting refuses.
 */
async function recorded<T>(
  program: Command,
  { verbatim, caller, config }: CommandContext,
  work: (caller: Caller) => Promise<T>,
): Promise<T> {
  const tool = program.opts<GlobalOptions>().running ?? 'unknown'
  const cli = { ...caller, door: { origin: 'cli', auth: 'local' } } as const
  // Which commands write is for the rows of their deeds to say: what is done by hand is not refused.
  const call = { action: 'call.command', tool, writes: false } as const
  const [ended] = await Promise.allSettled([verbatim.recorded(cli, call, work)])
  const unwritten = await verbatim.settleRecords()
  const lost = unwritten === undefined ? undefined : new CommandUnrecorded(unwritten)
  if (ended.status === 'fulfilled') {
    if (lost === undefined) return ended.value
    if (config.audit.failure === 'refuse') throw lost
    tellWarning(lost)
    return ended.value
  }
  // That the log takes no rows is said already where the command failed of it.
  if (lost !== undefined && !(ended.reason instanceof AuditUnwritten)) tellWarning(lost)
  throw ended.reason
}

/** What makes a store another than the settings say. */
function isConversion(program: Command): boolean {
  return ['keys encrypt', 'keys decrypt'].includes(program.opts<GlobalOptions>().running ?? '')
}

/** Opens the store for a command, on behalf of the tenant that the settings name, and closes it afterwards. */
export async function withStore<T>(program: Command, work: (context: CommandContext) => Promise<T>): Promise<T> {
  const config = configOf(program)
  const { openVerbatim } = await import('../compose.ts')
  await using verbatim = await openVerbatim(config)
  const { database } = verbatim.stores
  const caller = localCaller('cli', await tenantIdOf(database, config.tenant))
  // A store that cannot be had is said here, and not by the row of the command as well.
  if (!isConversion(program)) await refuseOtherSetting(database)
  await database.vault.check(caller.tenantId)
  return await recorded(program, { verbatim, caller, config }, (recordedCaller) =>
    work({ config, caller: recordedCaller, verbatim }),
  )
}

/** Opens the database alone, for what concerns no tenant. */
export async function withDatabase<T>(program: Command, work: (database: Database) => Promise<T>): Promise<T> {
  const { openVerbatim } = await import('../compose.ts')
  const config = configOf(program)
  await using verbatim = await openVerbatim(config)
  return await recorded(program, { verbatim, caller: localCaller('cli'), config }, () => work(verbatim.stores.database))
}
