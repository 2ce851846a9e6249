import { tenantIdOf } from '../access/tenants.ts'
import { readConfig, readEnvFile, type Config } from '../config.ts'
import { localCaller, type Caller } from '../model/access.ts'
import type { Database } from '../store/database.ts'
import type { Verbatim } from '../verbatim.ts'

/** What every command has at hand. */
export interface CommandContext {
  readonly config: Config
  readonly caller: Caller
  readonly verbatim: Verbatim
}

function configOf(envFile: string | undefined): Config {
  return readConfig(envFile === undefined ? undefined : readEnvFile(envFile))
}

/** Opens the store for a command, on behalf of the tenant that the settings name, and closes it afterwards. */
export async function withStore<T>(
  envFile: string | undefined,
  work: (context: CommandContext) => Promise<T>,
): Promise<T> {
  const config = configOf(envFile)
  const { openVerbatim } = await import('../compose.ts')
  await using verbatim = await openVerbatim(config)
  const { database } = verbatim.stores
  const caller = localCaller('cli', await tenantIdOf(database, config.tenant))
  await database.vault.check(caller.tenantId)
  return await work({ config, caller, verbatim })
}

/** Opens the database alone, for what concerns no tenant. */
export async function withDatabase<T>(
  envFile: string | undefined,
  work: (database: Database) => Promise<T>,
): Promise<T> {
  const { openVerbatim } = await import('../compose.ts')
  await using verbatim = await openVerbatim(configOf(envFile))
  return await work(verbatim.stores.database)
}
