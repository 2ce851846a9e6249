import { z } from 'zod'

import { BrokenSeal } from '../../crypto/aead.ts'
import type { RowSeal } from '../../crypto/row-seal.ts'
import { layoutPlace, wholeFile } from '../imports/import-files.ts'
import type { MessageSource } from '../messages.ts'
import type { Queries } from '../rows.ts'

/**
 * An imported document as it is archived: every column of its row by its name, but for those that follow from where it is
 * stored (tenant, key version). Times are ISO 8601 in UTC, the SHA-256 is in hex, the layout in base64.
 */
export const importFileRecordSchema = z.object({
  id: z.string(),
  path: z.string(),
  document: z.string(),
  format: z.string(),
  size_bytes: z.number().int(),
  sha256: z.string(),
  modified_at: z.string(),
  imported_at: z.string(),
  counts: z.record(z.string(), z.number()),
  session_ids: z.array(z.string()),
  layout: z.string(),
})
export type ImportFileRecord = z.infer<typeof importFileRecordSchema>

const iso = `'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'`

/** The version of a document for its manifest: when it was imported last. */
const versionOf = (sql: Queries) => sql`(extract(epoch from f.imported_at) * 1000)::bigint`

const unarchived = (sql: Queries, tenantId: number) => sql`
  from import_files f
  left join archive_manifests a on a.tenant_id = f.tenant_id and a.kind = 'file' and a.subject_id = f.id
  where f.tenant_id = ${tenantId} and a.version is distinct from ${versionOf(sql)}`

export interface UnarchivedFile {
  readonly id: string
  readonly path: string
  readonly version: number
  /** Undefined where the document cannot be read: its layout was altered, or its key is missing. */
  readonly content: { readonly file: ImportFileRecord; readonly seal: RowSeal | undefined } | undefined
}

/** Imported documents that have no manifest of their present state, with the version that it will have, by their ids. */
export async function readUnarchivedFiles(
  database: MessageSource,
  tenantId: number,
  { after, limit }: { readonly after: string | undefined; readonly limit: number },
): Promise<UnarchivedFile[]> {
  const rows = await database.run(
    (sql) => sql<RawUnarchived[]>`
    select jsonb_build_object('id', f.id, 'path', f.path, 'document', f.document, 'format', f.format,
        'size_bytes', f.size_bytes, 'counts', f.counts, 'session_ids', f.session_ids,
        'modified_at', to_char(f.modified_at at time zone 'UTC', ${sql.unsafe(iso)}),
        'imported_at', to_char(f.imported_at at time zone 'UTC', ${sql.unsafe(iso)})) as record,
      f.id, f.path, f.document, f.sha256, f.layout, f.key_version, ${versionOf(sql)} as version
    ${unarchived(sql, tenantId)} and (${after ?? null}::uuid is null or f.id > ${after ?? null}::uuid)
    order by f.id limit ${limit}`,
  )
  const versions = rows.map((row) => row.key_version)
  const seals = await database.vault.sealsOfTenant(tenantId, versions)
  return rows.map((row) => {
    const seal = seals(row.key_version)
    const opened = openPrivate(row, seal)
    const { id, path } = row
    if (opened === undefined) return { id, path, version: Number(row.version), content: undefined }
    const layout = Buffer.from(opened.layout).toString('base64')
    const bytes = { layout, sha256: Buffer.from(opened.sha256).toString('hex') }
    const file = importFileRecordSchema.parse({ ...row.record, ...bytes })
    return { id, path, version: Number(row.version), content: { file, seal } }
  })
}

interface RawUnarchived {
  readonly record: Record<string, unknown>
  readonly id: string
  readonly path: string
  readonly document: string
  readonly sha256: Uint8Array
  readonly layout: Uint8Array
  readonly key_version: number
  readonly version: string
}

/** Undefined where the layout cannot be opened. */
function openPrivate(
  row: RawUnarchived,
  seal: RowSeal | undefined,
): { readonly layout: Uint8Array; readonly sha256: Uint8Array } | undefined {
  if (row.key_version === 0) return row
  if (seal === undefined) return undefined
  try {
    return { layout: seal.open(layoutPlace(row), row.layout), sha256: seal.unmask(row.sha256) }
  } catch (error) {
    if (error instanceof BrokenSeal) return undefined
    throw error
  }
}

export async function countUnarchivedFiles(sql: Queries, tenantId: number): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::int as count ${unarchived(sql, tenantId)} and f.document <> ${wholeFile}`
  return row?.count ?? 0
}

/** Stores what was known of an imported document; nothing where its path and document are known. */
export async function insertFileRecord(
  sql: Queries,
  tenantId: number,
  { file, seal }: { readonly file: ImportFileRecord; readonly seal: RowSeal | undefined },
): Promise<boolean> {
  const { sha256: hash, layout: bytes, ...head } = file
  const [sha256, layout] = [Buffer.from(hash, 'hex'), Buffer.from(bytes, 'base64')]
  const rows = await sql`
    insert into import_files (tenant_id, id, path, document, format, size_bytes, sha256, modified_at, imported_at, counts,
      session_ids, layout, key_version)
    select ${tenantId}, id, path, document, format, size_bytes, ${seal === undefined ? sha256 : seal.mask(sha256)}, modified_at, imported_at, counts,
      session_ids, ${seal === undefined ? layout : seal.seal(layoutPlace(file), layout)}, ${seal?.version ?? 0}::int
    from jsonb_populate_record(null::import_files, ${JSON.stringify(head)}::text::jsonb)
    on conflict do nothing returning 1`
  return rows.length > 0
}

/** Whether something is known of a file by its id: an imported document, or only that the whole file was imported. */
export async function knownFile(
  sql: Queries,
  tenantId: number,
  id: string,
): Promise<{ readonly isDocument: boolean } | undefined> {
  const [row] = await sql<{ is_document: boolean }[]>`
    select document <> ${wholeFile} as is_document from import_files where tenant_id = ${tenantId} and id = ${id}`
  return row === undefined ? undefined : { isDocument: row.is_document }
}
