import { ConflictError } from '../errors.ts'
import type { NamesBy } from '../model/names.ts'
import { agreed } from '../model/text/counted.ts'
import type { Database } from '../store/database.ts'
import type { PlannedSession } from '../store/erasure/erasure-plan.ts'
import { coverageOfChosen, type NameCoverage } from '../store/names/name-coverage.ts'

interface Dependencies {
  readonly database: Database
  readonly namesBy?: NamesBy | undefined
}

type Chosen = readonly Pick<PlannedSession, 'id' | 'stretches'>[]

/** In how many of some messages a model has not looked for names yet, and in how many it will not; undefined where none is to. */
export async function namesUnread(
  { database, namesBy }: Dependencies,
  tenantId: number,
  sessions: Chosen,
): Promise<Pick<NameCoverage, 'waiting' | 'leftToRules'> | undefined> {
  if (namesBy === undefined) return undefined
  return await database.run((sql) => coverageOfChosen(sql, tenantId, sessions))
}

/**
 * What is anonymised is so for good. Throws ConflictError where a model would find names that are not known yet. What it is not given, or
 * gave no usable answer for, is left to the rules, as it would be for ever.
 */
export async function requireNamesRead(dependencies: Dependencies, tenantId: number, sessions: Chosen): Promise<void> {
  const { waiting } = (await namesUnread(dependencies, tenantId, sessions)) ?? { waiting: 0 }
  if (waiting === 0) return
  throw new ConflictError(
    `Cannot anonymise as ${waiting} of these messages ${agreed(waiting, 'has', 'have')} not been read for names by the model yet, and what it would find in them would stay`,
    {
      remedy:
        'Wait until it has: "verbatim status" says how far it is, and "verbatim reindex --names --yes" has it read what is older than the setting VERBATIM_NAMES. To go on with the names that are known, on the command line: verbatim anonymise --known-names',
    },
  )
}
