import { looksLikeId } from '../../model/ids.ts'
import { isKnownByEntries } from '../../model/messages/tombstone.ts'
import type { Database } from '../../store/database.ts'
import { erasedAt, marksOfNamed, tombstoneKeys, wereEntriesRemembered } from '../../store/erasure/tombstones.ts'

/** Which sessions of a source were erased; each is looked up once, and none where nothing was ever erased. */
export class ErasedSessions {
  readonly #database: Database
  readonly #tenantId: number
  readonly #source: string
  readonly #known = new Map<string, boolean>()
  #keys: Promise<readonly Uint8Array[]> | undefined

  constructor(database: Database, of: { readonly tenantId: number; readonly source: string }) {
    this.#database = database
    this.#tenantId = of.tenantId
    this.#source = of.source
  }

  async has(externalId: string): Promise<boolean> {
    const known = this.#known.get(externalId)
    if (known !== undefined) return known
    const marks = await this.marksOf(externalId)
    if (marks.length === 0) return false
    const isErased = (await this.#database.run((sql) => erasedAt(sql, this.#tenantId, marks))) !== undefined
    this.#known.set(externalId, isErased)
    return isErased
  }

  /** Whether its entries were remembered one by one when it was erased, so that what else stands in its file can be told. */
  async hasEntries(externalId: string): Promise<boolean> {
    if (!isKnownByEntries(this.#source) || looksLikeId(externalId.toLowerCase())) return false
    const marks = await this.marksOf(externalId)
    return await this.#database.run((sql) => wereEntriesRemembered(sql, this.#tenantId, marks))
  }

  /** The hashes that a session's tombstone would have. */
  async marksOf(externalId: string): Promise<string[]> {
    this.#keys ??= this.#database.run((sql) => tombstoneKeys(sql, this.#tenantId))
    return marksOfNamed(await this.#keys, { source: this.#source, externalId })
  }
}
