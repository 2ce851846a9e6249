import { z } from 'zod'

import { sha256 } from '../../model/messages/payload.ts'
import type { ArchiveStore } from '../../ports/archive-store.ts'
import { addTombstoneKey, addTombstones, readTombstones, tombstoneKeys } from '../../store/erasure/tombstones.ts'
import type { Queries } from '../../store/rows.ts'

/** Where an archive says what was erased, so that a restore from it, or from an older copy beside it, brings nothing back. */
const place = 'erasures/'

export const tombstoneRecordSchema = z.object({
  version: z.literal(1),
  tenant: z.number().int(),
  erasure: z.uuid(),
  erased_at: z.string(),
  /** Whether it is for the store alone that it is of. Records of before do not say it. */
  local: z.boolean().default(true),
  /** Keys of the hashes of names, in base64. */
  keys: z.array(z.string()),
  /** Hashes in hexadecimal: see `model/tombstone.ts`. */
  tombstones: z.array(
    z.object({
      hash: z.string().regex(/^[0-9a-f]{64}$/),
      kind: z.enum(['session', 'message', 'part', 'anonymised', 'name', 'entry']),
    }),
  ),
})
export type TombstoneRecord = z.infer<typeof tombstoneRecordSchema>

/** The record of an erasure, as the archive has it. */
export async function tombstoneRecord(
  sql: Queries,
  { tenantId, id }: { readonly tenantId: number; readonly id: string },
): Promise<TombstoneRecord> {
  const keys = (await tombstoneKeys(sql, tenantId)).map((key) => Buffer.from(key).toString('base64'))
  const { erasedAt, isLocal, tombstones } = await readTombstones(sql, tenantId, id)
  return { version: 1, tenant: tenantId, erasure: id, erased_at: erasedAt, local: isLocal, keys, tombstones }
}

/** Writes a record; the name holds its hash, so that an erasure that goes on later adds another one. */
export async function putTombstones(archive: ArchiveStore, record: TombstoneRecord): Promise<void> {
  const bytes = Buffer.from(JSON.stringify(record))
  const digest = sha256(bytes).toString('hex').slice(0, 16)
  await archive.put(`${place}${record.tenant}/${record.erasure}/${digest}.json`, bytes)
}

/** Every record of an archive. One that cannot be read stops whoever needs them: without it, something would come back. */
export async function* archivedTombstones(archive: ArchiveStore): AsyncGenerator<TombstoneRecord> {
  for await (const key of archive.list(place)) {
    const bytes = await archive.get(key)
    if (bytes === undefined) continue
    yield tombstoneRecordSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')))
  }
}

/** Makes a store know what a record says. */
export async function learnTombstones(sql: Queries, record: TombstoneRecord): Promise<void> {
  for (const key of record.keys) await addTombstoneKey(sql, record.tenant, Buffer.from(key, 'base64'))
  await addTombstones(
    sql,
    {
      tenantId: record.tenant,
      erasureId: record.erasure,
      erasedAt: record.erased_at,
      isLocal: record.local,
    },
    record.tombstones,
  )
}
