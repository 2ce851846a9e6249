import type { RowSeal } from '../crypto/row-seal.ts'
import { giveReason } from '../model/reason.ts'
import type { Database } from '../store/database.ts'
import type { ConversionTarget } from '../store/keys/conversion-work.ts'
import { storeMade } from '../store/keys/resealed-rows.ts'
import { participantHash } from '../store/rights/participant.ts'
import { keepReason, openReasons, readReasons, reasonPlace } from '../store/rights/reasons.ts'
import { noteOldReason, rowReasons, type RowReason } from '../store/rights/row-reasons.ts'
import { inTransaction } from '../store/transaction.ts'

/** Seals a reason, or stores it unsealed; false where it cannot be opened, and stays as it is. */
export async function convertReason(
  database: Database,
  { tenantId, id }: { readonly tenantId: number; readonly id: string },
  target: ConversionTarget,
): Promise<boolean> {
  const [row] = await database.run((sql) => readReasons(sql, tenantId, [id]))
  // It was erased since it was noted.
  if (row === undefined) return true
  const { sessionId, body: former, keyVersion } = row
  const seal = target === 'plain' ? undefined : await sealFor(database, tenantId, sessionId)
  const version = seal?.version ?? 0
  if (keyVersion === version) return true
  const plain = (await openReasons(database, tenantId, [row])).get(id)
  if (plain === undefined) return false
  const body = seal === undefined ? plain : seal.seal(reasonPlace(id), plain)
  const formerly = { body: former, version: keyVersion }
  await database.run((sql) => storeMade(sql, tenantId, { table: 'reasons', id, body, version, formerly }))
  return true
}

async function sealFor({ vault }: Database, tenantId: number, sessionId: string | null): Promise<RowSeal | undefined> {
  return sessionId === null ? await vault.sealOfTenant(tenantId) : await vault.sealOf(tenantId, sessionId)
}

/** Takes the reasons that an older version wrote into rows of receipts and restrictions out of them, and seals them. */
export async function keepOldReasons(database: Database, tenantId: number): Promise<void> {
  const seal = await database.vault.sealOfTenant(tenantId)
  for await (const page of rowReasons(database, tenantId, 'words'))
    for (const old of page) await keepOldReason(database, tenantId, { old, seal })
}

async function keepOldReason(
  database: Database,
  tenantId: number,
  { old, seal }: { readonly old: RowReason; readonly seal: RowSeal | undefined },
): Promise<void> {
  const reason = giveReason(old.reason)
  await database.run((sql) =>
    inTransaction(sql, async (own) => {
      if (!(await noteOldReason(own, tenantId, { old, note: reason.note }))) return
      const about = old.table === 'erasures' ? undefined : await participantHash(own, tenantId, old.id)
      await keepReason(own, { tenantId, ...(about === undefined ? {} : { about }) }, { reason, seal })
    }),
  )
}
