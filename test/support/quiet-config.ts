import { readConfig, type Config } from '../../src/config.ts'
import { withRootKey } from './root-key.ts'

/** A store that says nothing, leaves soon, and embeds nothing unless further settings say so. */
export function quietConfig(
  home: string,
  databaseUrl?: string,
  settings: Readonly<Record<string, string>> = {},
): Config {
  return readConfig(
    withRootKey({
      ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
      VERBATIM_HOME: home,
      VERBATIM_IDLE_MINUTES: '0.1',
      VERBATIM_LOG_LEVEL: 'silent',
      VERBATIM_EMBEDDER: 'none',
      ...settings,
    }),
  )
}
