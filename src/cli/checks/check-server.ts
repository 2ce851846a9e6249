import type { Database } from '../../store/database.ts'
import { lacksRowSecurityFixes, serverVersion, shownVersion } from '../../store/server/server-version.ts'
import type { Check } from './check.ts'

/** A server that lacks a fix which the walls between tenants need; nothing of an embedded store. */
export async function checkServer(database: Database): Promise<Check[]> {
  if (database.kind === 'embedded') return []
  const version = await database.run(serverVersion)
  const name = 'server'
  if (!lacksRowSecurityFixes(version)) return [{ name, state: 'ok', message: `PostgreSQL ${shownVersion(version)}` }]
  return [
    {
      name,
      state: 'problem',
      message: `PostgreSQL ${shownVersion(version)} lacks fixes of row level security (CVE-2024-10976, CVE-2025-8713)`,
      remedy: 'Upgrade it to the newest minor version of its major version',
    },
  ]
}
