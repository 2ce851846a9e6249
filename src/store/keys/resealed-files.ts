import type { TransactionSql } from 'postgres'

import { BrokenSeal } from '../../crypto/aead.ts'
import type { RowSeal } from '../../crypto/row-seal.ts'
import { layoutPlace } from '../imports/import-files.ts'
import type { MessageSource } from '../messages.ts'

/** The private columns of an imported document, as they were before they were sealed. */
export interface OpenedFile {
  readonly path: string
  readonly document: string
  readonly layout: Uint8Array
  readonly sha256: Uint8Array
  /** As it is stored: the version of the key, and when it was imported. */
  readonly keyVersion: number
  readonly importedAt: string
}

/** Undefined where there is none. Throws BrokenSeal where it cannot be opened. */
export async function readOpenedFile(
  { run, vault }: MessageSource,
  tenantId: number,
  id: string,
): Promise<OpenedFile | undefined> {
  const [row] = await run(
    (sql) => sql<
      {
        path: string
        document: string
        layout: Uint8Array
        sha256: Uint8Array
        key_version: number
        imported_at: string
      }[]
    >`
    select path, document, layout, sha256, key_version, imported_at::text from import_files where tenant_id = ${tenantId} and id = ${id}`,
  )
  if (row === undefined) return undefined
  const { path, document, layout, sha256, key_version: keyVersion, imported_at: importedAt } = row
  const stored = { path, document, layout, sha256, keyVersion, importedAt }
  if (keyVersion === 0) return stored
  const seal = (await vault.sealsOfTenant(tenantId, [keyVersion]))(keyVersion)
  if (seal === undefined) throw new BrokenSeal('Cannot open a seal without its key')
  return { ...stored, layout: seal.open(layoutPlace(row), layout), sha256: seal.unmask(sha256) }
}

/**
 * Puts a document under another seal, or none, and forgets that it is archived. One that was imported again meanwhile is left
 * alone.
 */
export async function storeResealedFile(
  sql: TransactionSql,
  key: { readonly tenantId: number; readonly id: string },
  { file, seal }: { readonly file: OpenedFile; readonly seal: RowSeal | undefined },
): Promise<void> {
  const sha256 = seal === undefined ? file.sha256 : seal.mask(file.sha256)
  const layout = seal === undefined ? file.layout : seal.seal(layoutPlace(file), file.layout)
  await sql`
    update import_files set sha256 = ${Buffer.from(sha256)}, layout = ${Buffer.from(layout)}, key_version = ${seal?.version ?? 0}
    where tenant_id = ${key.tenantId} and id = ${key.id} and key_version = ${file.keyVersion}
      and imported_at = ${file.importedAt}::text::timestamptz`
  await sql`delete from archive_manifests where tenant_id = ${key.tenantId} and kind = 'file' and subject_id = ${key.id}`
}
