import { readConfig, readEnvFile, type Config } from '../config.ts'
import { localCaller, type Caller } from '../model/access.ts'
import type { Verbatim } from '../verbatim.ts'

/** What every command has at hand. */
export interface CommandContext {
  readonly config: Config
  readonly caller: Caller
  readonly verbatim: Verbatim
}

/** Opens the store for a command and closes it afterwards. */
export async function withStore<T>(
  envFile: string | undefined,
  work: (context: CommandContext) => Promise<T>,
): Promise<T> {
  const config = readConfig(envFile === undefined ? undefined : readEnvFile(envFile))
  const { openVerbatim } = await import('../compose.ts')
  await using verbatim = await openVerbatim(config)
  return await work({ config, caller: localCaller('cli'), verbatim })
}
