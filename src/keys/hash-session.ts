import { loadPayload } from '../capture/large-payload.ts'
import { describeForLog, VerbatimError } from '../errors.ts'
import { hashFacts } from '../indexing/hash-facts.ts'
import { makeUnits } from '../indexing/make-units.ts'
import type { TermHashers } from '../indexing/terms/term-hashers.ts'
import { unitTexts } from '../indexing/unit-texts.ts'
import { readableText } from '../sessions/document.ts'
import { flagsOfMessage } from '../sessions/message-flags.ts'
import { holdTerms } from '../store/keys/encryption-state.ts'
import type { TermKeys } from '../store/keys/search-key.ts'
import { hasVectors, renewTextHashes } from '../store/keys/text-hashes.ts'
import {
  digestOfRecord,
  levelsOfDigests,
  readRecordDigests,
  recordDigestOf,
  writeRecordDigests,
  type RecordDigest,
} from '../store/message-digests.ts'
import type { MessageRow, SessionKey } from '../store/messages.ts'
import { pagedMessages } from '../store/page-messages.ts'
import { levelOfTerms, writeUnits, type SearchUnit } from '../store/search/search-units.ts'
import { inTransaction } from '../store/transaction.ts'
import type { ResealStores } from './reseal-session.ts'

export interface ConvertStores extends ResealStores {
  readonly hashers: TermHashers
}

/**
 * Hashes anew what is hashed of the words of a session: into the index that is being made beside the one that searches look at,
 * and in place of what stands for texts that have a vector. Done twice it has the effect of once.
 */
export async function hashSession(stores: ConvertStores, key: SessionKey): Promise<void> {
  const { database, hashers } = stores
  const { tenantId } = key
  const terms = await database.vault.search.termsOf(tenantId)
  const { indexes, state } = await hashers.written(tenantId)
  const [looked, next] = indexes
  if (next !== undefined) await hashFacts(database, key, { hasher: next.hasher, state })
  const isEmbedded = await database.run((sql) => hasVectors(sql, key))
  if (next === undefined && !isEmbedded) return
  for await (const rows of pagedMessages(database, key, { fromSeq: 1 })) {
    if (isEmbedded) await hashTexts(stores, key, { rows, terms })
    if (next === undefined) continue
    const units: SearchUnit[] = []
    const records: RecordDigest[] = []
    const stretch = { fromSeq: rows[0]?.seq ?? 1, toSeq: rows.at(-1)?.seq ?? 0 }
    const digests = await database.run((sql) => readRecordDigests(sql, key, stretch))
    for (const row of rows) {
      const payload = await payloadOf(stores, row)
      if (payload === undefined) continue
      const read = { text: readableText(row, payload), flags: flagsOfMessage(row, payload) }
      const levels = looked === undefined ? [] : levelsOfDigests(looked.version)
      const taken = levels.flatMap((level) => digests.get(row.seq)?.get(level) ?? [])
      const wrong = taken.find((digest) => !digestOfRecord(row, looked?.key).equals(digest))
      const made = await makeUnits(row, read, next)
      // What was wrong before stays wrong.
      units.push(...(wrong === undefined ? made : made.map((unit) => withDigest(unit, wrong))))
      if (made.length === 0)
        records.push({ ...recordDigestOf(row, next.key), ...(wrong === undefined ? {} : { digest: wrong }) })
    }
    await database.run((sql) =>
      inTransaction(sql, async (transaction) => {
        // The index can be made again, and is where this is not known to be done.
        await transaction`set local synchronous_commit = off`
        await holdTerms(transaction, tenantId, state)
        await writeUnits(transaction, { tenantId, level: levelOfTerms(next.version) }, units)
        await writeRecordDigests(transaction, { tenantId, termsVersion: next.version }, records)
      }),
    )
  }
}

function withDigest(unit: SearchUnit, digest: Uint8Array): SearchUnit {
  return unit.digest === undefined ? unit : { ...unit, digest }
}

async function hashTexts(
  stores: ConvertStores,
  key: SessionKey,
  { rows, terms }: { readonly rows: readonly MessageRow[]; readonly terms: TermKeys },
): Promise<void> {
  const { database } = stores
  const textOf = async (row: MessageRow) => {
    const payload = await payloadOf(stores, row)
    return payload === undefined ? undefined : readableText(row, payload)
  }
  const source = { database, textOf }
  const hashes = (await unitTexts(source, key.tenantId, rows)).map(({ firstSeq, part, sha256 }) => {
    const known = [sha256, ...(terms.key === undefined ? [] : [terms.key.digestOfText(sha256)])]
    return { firstSeq, part, known, wanted: terms.texts?.digestOfText(sha256) ?? sha256 }
  })
  if (hashes.length > 0) await database.run((sql) => renewTextHashes(sql, key, hashes))
}

/** Undefined where the message is damaged, as whoever reads it is told: it has no words in any index. */
async function payloadOf({ archive, log }: ConvertStores, row: MessageRow): Promise<Uint8Array | undefined> {
  try {
    return await loadPayload(archive, row)
  } catch (error) {
    if (!(error instanceof VerbatimError)) throw error
    log.warn(`message ${row.id} has no words: ${describeForLog(error)}`)
    return undefined
  }
}
