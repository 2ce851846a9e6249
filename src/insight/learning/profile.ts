import type { Caller } from '../../model/access.ts'
import { recordedDataNotice } from '../../model/fence.ts'
import type { Database } from '../../store/database.ts'
import { readProfile, type StoreProfile } from '../../store/profile.ts'
import { listFacts, refuseView, type FactList } from './list-facts.ts'

/** Who and what the store knows, and what was learned. */
export interface Profile extends StoreProfile {
  readonly notice: string
  readonly facts: FactList['facts']
  /** Of how many these are the first. */
  readonly facts_total: number
}

const factsMax = 100

export async function readProfileOf(database: Database, caller: Caller): Promise<Profile> {
  refuseView(caller)
  const known = await database.run((sql) => readProfile(sql, caller))
  const { facts, total } = await listFacts(database, caller, { limit: factsMax })
  return { notice: recordedDataNotice, ...known, facts, facts_total: total }
}
