import { z } from 'zod'

import type { Queries } from './rows.ts'

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

/** Imported documents that have no manifest of their present state, with the version that it will have. */
export async function readUnarchivedFiles(
  sql: Queries,
  tenantId: number,
  limit: number,
): Promise<{ readonly file: ImportFileRecord; readonly version: number }[]> {
  const rows = await sql<{ record: Record<string, unknown>; layout: Uint8Array; version: string }[]>`
    select jsonb_build_object('id', f.id, 'path', f.path, 'document', f.document, 'format', f.format,
        'size_bytes', f.size_bytes, 'sha256', encode(f.sha256, 'hex'), 'counts', f.counts, 'session_ids', f.session_ids,
        'modified_at', to_char(f.modified_at at time zone 'UTC', ${sql.unsafe(iso)}),
        'imported_at', to_char(f.imported_at at time zone 'UTC', ${sql.unsafe(iso)})) as record,
      f.layout, ${versionOf(sql)} as version
    ${unarchived(sql, tenantId)} order by f.id limit ${limit}`
  return rows.map(({ record, layout, version }) => ({
    file: importFileRecordSchema.parse({ ...record, layout: Buffer.from(layout).toString('base64') }),
    version: Number(version),
  }))
}

export async function countUnarchivedFiles(sql: Queries, tenantId: number): Promise<number> {
  const [row] = await sql<{ count: number }[]>`select count(*)::int as count ${unarchived(sql, tenantId)}`
  return row?.count ?? 0
}

/** Stores what was known of an imported document; nothing where its path and document are known. */
export async function insertFileRecord(sql: Queries, tenantId: number, file: ImportFileRecord): Promise<boolean> {
  const { sha256, layout, ...head } = file
  const rows = await sql`
    insert into import_files (tenant_id, id, path, document, format, size_bytes, sha256, modified_at, imported_at, counts,
      session_ids, layout)
    select ${tenantId}, id, path, document, format, size_bytes, ${Buffer.from(sha256, 'hex')}, modified_at, imported_at, counts,
      session_ids, ${Buffer.from(layout, 'base64')}
    from jsonb_populate_record(null::import_files, ${JSON.stringify(head)}::text::jsonb)
    on conflict do nothing returning 1`
  return rows.length > 0
}

export async function hasFile(sql: Queries, tenantId: number, id: string): Promise<boolean> {
  const rows = await sql`select from import_files where tenant_id = ${tenantId} and id = ${id}`
  return rows.length > 0
}
