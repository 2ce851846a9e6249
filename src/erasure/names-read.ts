import { ConflictError } from '../errors.ts'
import type { NamesBy } from '../model/names.ts'
import type { Database } from '../store/database.ts'
import type { PlannedSession } from '../store/erasure/erasure-plan.ts'
import { coverageOfChosen } from '../store/names/name-coverage.ts'

interface Dependencies {
  readonly database: Database
  readonly namesBy?: NamesBy | undefined
}

type Chosen = readonly Pick<PlannedSession, 'id' | 'stretches'>[]

/** In how many of some messages a model has not looked for names; undefined where none is to. */
export async function namesUnread(
  { database, namesBy }: Dependencies,
  tenantId: number,
  sessions: Chosen,
): Promise<number | undefined> {
  if (namesBy === undefined) return undefined
  return (await database.run((sql) => coverageOfChosen(sql, tenantId, sessions))).unread
}

/** What is anonymised is so for good. Throws ConflictError where a model would find names that are not known yet. */
export async function requireNamesRead(dependencies: Dependencies, tenantId: number, sessions: Chosen): Promise<void> {
  const unread = await namesUnread(dependencies, tenantId, sessions)
  if (unread === undefined || unread === 0) return
  throw new ConflictError(
    `Cannot anonymise as ${unread} of these messages have not been read for names by the model yet, and what it would find in them would stay`,
    {
      remedy:
        'Wait until it has: "verbatim status" says how far it is, and "verbatim reindex --names --yes" has it read what is older than the setting VERBATIM_NAMES. To go on with the names that are known: verbatim anonymise --known-names',
    },
  )
}
