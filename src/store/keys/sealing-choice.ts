import { BoundedMap } from '../../model/bounded-map.ts'
import type { Database } from '../database.ts'
import type { Queries } from '../rows.ts'
import { readEncryptionState, sealsNew } from './encryption-state.ts'
import { hasRootKeyOfItsOwn, type RootKeySources } from './root-keys.ts'

export interface VaultSettings extends RootKeySources {
  /**
   * Whether what is begun anew is sealed, where no conversion has said so; undefined: as the store is, and where it holds nothing
   * yet it is sealed. What is sealed already is opened in any case.
   */
  readonly encrypts: boolean | undefined
}

const tenantsMax = 10_000

/**
 * Whether what is new of a tenant is sealed: as a conversion has decided, else as the settings say, else as the store is. A store
 * that holds nothing yet is sealed from its first save on.
 */
export class SealingChoice {
  readonly #run: Database['run']
  readonly #settings: VaultSettings
  /** As it was last looked at. */
  readonly #known = new BoundedMap<number, boolean>(tenantsMax)

  constructor(run: Database['run'], settings: VaultSettings) {
    this.#run = run
    this.#settings = settings
  }

  async sealsNew(tenantId: number): Promise<boolean> {
    const known = this.#known.get(tenantId)
    if (known !== undefined) return known
    const stored = await this.#run((sql) => readEncryptionState(sql, tenantId))
    const decided = stored === undefined ? this.#settings.encrypts : sealsNew(stored.state)
    const found = decided === undefined ? await this.#run((sql) => lookAtSessions(sql, tenantId)) : undefined
    // Not kept: somebody else may be the first to save, and with another setting.
    if (found === 'nothing') return await this.#sealsFirst()
    const encrypts = decided ?? found === 'sealed'
    this.#known.set(tenantId, encrypts)
    return encrypts
  }

  forget(tenantId: number): void {
    this.#known.delete(tenantId)
  }

  clear(): void {
    this.#known.clear()
  }

  /** A server that is used without keys goes on so for new tenants too, until a root key is named. */
  async #sealsFirst(): Promise<boolean> {
    return hasRootKeyOfItsOwn(this.#settings) || !(await this.#run(isPlainStore))
  }
}

/** What there is of a tenant: something sealed, or keys for it; else something that is not; or nothing. Uses sessions_by_activity. */
async function lookAtSessions(sql: Queries, tenantId: number): Promise<'sealed' | 'plain' | 'nothing'> {
  const [row] = await sql<{ keyed: boolean; sealed: boolean | null }[]>`
    select exists (
        select from encryption_keys where tenant_id = ${tenantId} and purpose = 'tenant' and destroyed_at is null) as keyed,
      (select key_version > 0 from sessions where tenant_id = ${tenantId} order by active_hour desc limit 1) as sealed`
  if (row?.keyed === true || row?.sealed === true) return 'sealed'
  return row?.sealed === false ? 'plain' : 'nothing'
}

/** Whether a store holds something of somebody, and no key. */
async function isPlainStore(sql: Queries): Promise<boolean> {
  const [row] = await sql<{ plain: boolean }[]>`
    select exists (select from sessions) and not exists (
      select from encryption_keys where purpose = 'tenant' and destroyed_at is null) as plain`
  return row?.plain === true
}
