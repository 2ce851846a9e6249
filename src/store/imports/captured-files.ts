import type { Sql } from 'postgres'

/** What is stored of a file that was imported. */
export interface CapturedFile {
  readonly path: string
  readonly format: string
  /** As it was when it was last imported to its end. */
  readonly sizeBytes: number
  /** Milliseconds since 1970. */
  readonly modifiedAtMs: number
  readonly importedAtMs: number
  /** All that stand in it and are stored, of whatever kind. */
  readonly entries: number
}

interface RawFile {
  path: string
  format: string
  size_bytes: string
  modified_ms: string
  imported_ms: string
  entries: string
}

/** The files that were imported to their ends, a page at a time by path. Uses import_files_path. */
export async function listCapturedFiles(
  sql: Sql,
  tenantId: number,
  page: { readonly after: string; readonly limit: number },
): Promise<CapturedFile[]> {
  const rows = await sql<RawFile[]>`
    select whole.path, whole.format, whole.size_bytes, (extract(epoch from whole.modified_at) * 1000)::bigint as modified_ms,
      (extract(epoch from whole.imported_at) * 1000)::bigint as imported_ms,
      coalesce((select sum(kind.value::bigint) from import_files part, jsonb_each_text(part.counts) kind
        where part.tenant_id = whole.tenant_id and part.path = whole.path and part.document <> '*'), 0) as entries
    from import_files whole
    where whole.tenant_id = ${tenantId} and whole.document = '*' and whole.path > ${page.after}
    order by whole.path limit ${page.limit}`
  return rows.map((row) => ({
    path: row.path,
    format: row.format,
    sizeBytes: Number(row.size_bytes),
    modifiedAtMs: Number(row.modified_ms),
    importedAtMs: Number(row.imported_ms),
    entries: Number(row.entries),
  }))
}
