import { UnavailableError } from '../errors.ts'
import { giveReason } from '../model/reason.ts'
import type { Database } from '../store/database.ts'
import type { ConversionTarget } from '../store/keys/conversion-work.ts'
import { storeMade } from '../store/keys/resealed-rows.ts'
import { noteOldReason, readOldReasons } from '../store/rights/old-reasons.ts'
import { participantHash } from '../store/rights/participant.ts'
import { keepReason, openReasons, readReasons, reasonPlace } from '../store/rights/reasons.ts'
import { inTransaction } from '../store/transaction.ts'

/** Seals a reason that was given for no session, or stores it unsealed. */
export async function convertReason(
  database: Database,
  { tenantId, id }: { readonly tenantId: number; readonly id: string },
  target: ConversionTarget,
): Promise<void> {
  const seal = target === 'plain' ? undefined : await database.vault.sealOfTenant(tenantId)
  const version = seal?.version ?? 0
  const [row] = await database.run((sql) => readReasons(sql, tenantId, [id]))
  // It was erased since it was noted.
  if (row === undefined || row.keyVersion === version) return
  const plain = (await openReasons(database, tenantId, [row])).get(id)
  if (plain === undefined)
    throw new UnavailableError('Cannot open a reason that was given as it was altered or its key is missing', {
      remedy: 'Run "verbatim audit verify", which names the row of the audit log that it was given for',
    })
  const body = seal === undefined ? plain : seal.seal(reasonPlace(id), plain)
  const resealed = { table: 'reasons', id, body, formerly: row.keyVersion, version } as const
  await database.run((sql) => storeMade(sql, tenantId, resealed))
}

/** Takes the reasons that an older version wrote into rows of receipts and restrictions out of them, and seals them. */
export async function keepOldReasons(database: Database, tenantId: number): Promise<void> {
  const seal = await database.vault.sealOfTenant(tenantId)
  for (const old of await database.run((sql) => readOldReasons(sql, tenantId))) {
    const reason = giveReason(old.words)
    await database.run((sql) =>
      inTransaction(sql, async (own) => {
        if (!(await noteOldReason(own, tenantId, { old, note: reason.note }))) return
        const about = old.table === 'erasures' ? undefined : await participantHash(own, tenantId, old.name)
        await keepReason(own, { tenantId, ...(about === undefined ? {} : { about }) }, { reason, seal })
      }),
    )
  }
}
