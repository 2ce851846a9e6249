import type { Caller } from '../../model/access.ts'
import { recordedDataNotice } from '../../model/text/fence.ts'
import type { Database } from '../../store/database.ts'
import { readProfile, type StoreProfile } from '../../store/profile.ts'
import { listFacts, refuseView, type FactList } from './list-facts.ts'

/** Who and what the store knows, and what was learned. */
export interface Profile extends StoreProfile {
  readonly notice: string
  readonly facts: FactList['facts']
  /** Of how many these are a page. */
  readonly facts_total: number
  /** Absent on the last page. */
  readonly next_cursor?: string
}

const factsMax = 100

/** `cursor`: of the page of facts before. */
export async function readProfileOf(database: Database, caller: Caller, cursor: string | undefined): Promise<Profile> {
  refuseView(caller)
  const known = await database.run((sql) => readProfile(sql, caller))
  const { facts, total, ...more } = await listFacts(database, caller, { cursor, limit: factsMax })
  return { notice: recordedDataNotice, ...known, facts, facts_total: total, ...more }
}
