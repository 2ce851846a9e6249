import { looksLikeId } from '../../model/ids.ts'
import { entryMark, idMark, isKnownByEntries } from '../../model/tombstone.ts'
import type { Database } from '../../store/database.ts'
import { knownTombstones, tombstoneKeys } from '../../store/erasure/tombstones.ts'
import type { PreparedMessage } from '../large-payload.ts'

/**
 * Which entries were erased or anonymised, of files whose sessions have no name of their own: under another name, or beginning otherwise,
 * such a file is another session, and so is what was exported of one.
 */
export class ErasedEntries {
  readonly #database: Database
  readonly #tenantId: number
  readonly #isOfConcern: boolean

  constructor(database: Database, of: { readonly tenantId: number; readonly source: string }) {
    this.#database = database
    this.#tenantId = of.tenantId
    this.#isOfConcern = isKnownByEntries(of.source)
  }

  /**
   * Those of some entries of a session. One that has neither an id of ours nor a time may have been said anew in the same words:
   * it is one of them where half of the entries are, as in a copy.
   */
  async among(entries: readonly PreparedMessage[]): Promise<ReadonlySet<PreparedMessage>> {
    if (!this.#isOfConcern) return new Set()
    const marked = await this.#marked(entries)
    const isCopy = marked.size * 2 >= entries.length
    return new Set([...marked].filter((entry) => isCopy || entry.timestamp !== undefined || idOf(entry) !== undefined))
  }

  async #marked(entries: readonly PreparedMessage[]): Promise<ReadonlySet<PreparedMessage>> {
    return await this.#database.run(async (sql) => {
      const keys = await tombstoneKeys(sql, this.#tenantId)
      const marks = entries.map((entry) => marksOf(entry, keys))
      const known = await knownTombstones(sql, this.#tenantId, marks.flat())
      return new Set(entries.filter((_, at) => marks[at]?.some((mark) => known.has(mark))))
    })
  }
}

/** As an export of ours names it. */
function idOf({ externalId }: PreparedMessage): string | undefined {
  const id = externalId?.toLowerCase()
  return id !== undefined && looksLikeId(id) ? id : undefined
}

function marksOf(entry: PreparedMessage, keys: readonly Uint8Array[]): string[] {
  const id = idOf(entry)
  const ours = id === undefined ? [] : [idMark('message', id), idMark('anonymised', id)]
  return [...ours, ...keys.map((key) => entryMark(key, entry.sha256))]
}
