import { KeysMissing } from '../errors.ts'
import type { Database } from '../store/database.ts'
import type { SearchKey } from '../store/keys/search-key.ts'
import { digestOfRecord, levelsOfDigests, readRecordDigests, type TakenDigests } from '../store/message-digests.ts'
import { readMessages, type MessageRow, type SessionKey } from '../store/messages.ts'

/** Whether a message says beside its content what it said when the index read it; `untaken` where no digest of that is there. */
export type RecordProof = 'same' | 'altered' | 'untaken'

/** What digests were taken with, by the level that they are at. */
type DigestKeys = ReadonlyMap<number, SearchKey | undefined>

/** Compares messages of a tenant with the digests that the index worker took of them. */
export class RecordProofs {
  readonly #database: Database
  readonly #tenantId: number
  #keys: DigestKeys | undefined

  constructor(database: Database, tenantId: number) {
    this.#database = database
    this.#tenantId = tenantId
  }

  /** Of a page of messages of one session, in their order, by their ids. */
  async of(key: SessionKey, rows: readonly MessageRow[]): Promise<ReadonlyMap<string, RecordProof>> {
    const [first] = rows
    const last = rows.at(-1)
    if (first === undefined || last === undefined) return new Map()
    const keys = (this.#keys ??= await this.#readKeys())
    const taken = await this.#read(key, { fromSeq: first.seq, toSeq: last.seq })
    const proofs = new Map<string, RecordProof>()
    for (const row of rows) {
      const proof = proofOf(row, taken.get(row.seq), keys)
      proofs.set(row.id, proof === 'altered' ? await this.#again(key, row) : proof)
    }
    return proofs
  }

  /** It may have been anonymised, numbered or indexed anew after it was read and before its digest was. */
  async #again(key: SessionKey, { id, seq }: MessageRow): Promise<RecordProof> {
    this.#keys = await this.#readKeys()
    const [row] = await readMessages(this.#database, key, { fromSeq: seq, toSeq: seq, limit: 1 })
    if (row?.id !== id) return 'untaken'
    const taken = await this.#read(key, { fromSeq: seq, toSeq: seq })
    return proofOf(row, taken.get(seq), this.#keys)
  }

  async #read(key: SessionKey, stretch: { readonly fromSeq: number; readonly toSeq: number }) {
    return await this.#database.run((sql) => readRecordDigests(sql, key, stretch))
  }

  async #readKeys(): Promise<DigestKeys> {
    try {
      const { indexes } = await this.#database.vault.search.termsOf(this.#tenantId)
      return new Map(indexes.flatMap(({ version, key }) => levelsOfDigests(version).map((level) => [level, key])))
    } catch (error) {
      // Without its keys a store is told to be damaged by what cannot be read of it.
      if (!(error instanceof KeysMissing)) throw error
      return new Map()
    }
  }
}

function proofOf(row: MessageRow, taken: TakenDigests | undefined, keys: DigestKeys): RecordProof {
  let isTaken = false
  for (const [level, digest] of taken ?? []) {
    if (!keys.has(level)) continue
    isTaken = true
    if (!digestOfRecord(row, keys.get(level)).equals(digest)) return 'altered'
  }
  return isTaken ? 'same' : 'untaken'
}
