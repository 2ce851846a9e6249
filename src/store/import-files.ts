import type { Sql } from 'postgres'

/** A document that was imported, with what is needed to give back its bytes. */
export interface ImportFileRow {
  readonly id: string
  readonly path: string
  readonly document: string
  readonly format: string
  readonly sizeBytes: number
  readonly sha256: Uint8Array
  /** Milliseconds since 1970: when the file was last modified as it was read. */
  readonly modifiedAtMs: number
  readonly counts: Readonly<Record<string, number>>
  readonly sessionIds: readonly string[]
  readonly layout: Uint8Array
}

interface RawImportFile {
  id: string
  path: string
  document: string
  format: string
  size_bytes: string
  sha256: Uint8Array
  modified_ms: string
  counts: Record<string, number>
  session_ids: string[]
  layout: Uint8Array
}

const columns = (sql: Sql) => sql`
  id, path, document, format, size_bytes, sha256, (extract(epoch from modified_at) * 1000)::bigint as modified_ms, counts,
  to_jsonb(session_ids) as session_ids, layout`

function fromRow(row: RawImportFile): ImportFileRow {
  return {
    id: row.id,
    path: row.path,
    document: row.document,
    format: row.format,
    sizeBytes: Number(row.size_bytes),
    sha256: row.sha256,
    modifiedAtMs: Number(row.modified_ms),
    counts: row.counts,
    sessionIds: row.session_ids,
    layout: row.layout,
  }
}

/** Stands in place of a document's name for the whole file, see `saveImportedState`. */
const wholeFile = '*'

/** Records that a document was imported; what was recorded of the same path and document before is replaced. */
export async function saveImportFile(sql: Sql, tenantId: number, file: ImportFileRow): Promise<void> {
  // A document may have any name, and must not be taken for the whole file.
  const document = file.document.startsWith(wholeFile) ? `${wholeFile}${file.document}` : file.document
  await upsert(sql, tenantId, { ...file, document })
}

async function upsert(sql: Sql, tenantId: number, file: ImportFileRow): Promise<void> {
  const modifiedAt = new Date(file.modifiedAtMs).toISOString()
  await sql`
    insert into import_files (tenant_id, id, path, document, format, size_bytes, sha256, modified_at, imported_at, counts,
      session_ids, layout)
    values (${tenantId}, ${file.id}, ${file.path}, ${file.document}, ${file.format}, ${file.sizeBytes}, ${Buffer.from(file.sha256)},
      ${modifiedAt}::text::timestamptz, now(), ${JSON.stringify(file.counts)}::text::jsonb,
      array(select jsonb_array_elements_text(${JSON.stringify(file.sessionIds)}::text::jsonb)::uuid), ${Buffer.from(file.layout)})
    on conflict (tenant_id, path, document) do update set format = excluded.format, size_bytes = excluded.size_bytes,
      sha256 = excluded.sha256, modified_at = excluded.modified_at, imported_at = excluded.imported_at, counts = excluded.counts,
      session_ids = excluded.session_ids, layout = excluded.layout`
}

/** A file as it was when it was last imported to its end. */
export interface ImportedState {
  readonly format: string
  /** Milliseconds since 1970. */
  readonly modifiedAtMs: number
  readonly sizeBytes: number
}

/**
 * Records that a file was imported to its end, after its last document. The documents' own rows cannot say it: a run that
 * was interrupted leaves those that it came to, and documents that have left the file keep theirs.
 */
export async function saveImportedState(
  sql: Sql,
  tenantId: number,
  file: ImportedState & { readonly id: string; readonly path: string },
): Promise<void> {
  const nothing = new Uint8Array()
  await upsert(sql, tenantId, {
    ...file,
    document: wholeFile,
    sha256: nothing,
    counts: {},
    sessionIds: [],
    layout: nothing,
  })
}

/** How a file was when it was last imported to its end; undefined where it never was. */
export async function importedState(sql: Sql, tenantId: number, path: string): Promise<ImportedState | undefined> {
  const rows = await sql<RawImportFile[]>`
    select ${columns(sql)} from import_files
    where tenant_id = ${tenantId} and path = ${path} and document = ${wholeFile}`
  return rows[0] === undefined ? undefined : fromRow(rows[0])
}

/** The documents that hold messages of a session, the newest import first. */
export async function importFilesOfSession(sql: Sql, tenantId: number, sessionId: string): Promise<ImportFileRow[]> {
  const rows = await sql<RawImportFile[]>`
    select ${columns(sql)} from import_files where tenant_id = ${tenantId} and ${sessionId}::uuid = any(session_ids)
    order by imported_at desc, path, document`
  return rows.map(fromRow)
}

/** All imported documents, a page at a time by path and document. */
export async function listImportFiles(
  sql: Sql,
  tenantId: number,
  page: { readonly after?: { readonly path: string; readonly document: string }; readonly limit: number },
): Promise<ImportFileRow[]> {
  const { after } = page
  const rows = await sql<RawImportFile[]>`
    select ${columns(sql)} from import_files where tenant_id = ${tenantId} and document <> ${wholeFile}
      ${after === undefined ? sql`` : sql`and (path, document) > (${after.path}, ${after.document})`}
    order by path, document limit ${page.limit}`
  return rows.map(fromRow)
}

/** What a source says of a session, for what is not known yet: a title or a parent that a user set is not replaced. */
export interface SourceDescription {
  readonly source: string
  readonly externalId: string
  readonly title?: string | undefined
  readonly metadata?: string | undefined
  readonly parentExternalId?: string | undefined
  readonly createdAt?: string | undefined
}

export async function describeSession(sql: Sql, tenantId: number, about: SourceDescription): Promise<void> {
  const bytes = (text: string | undefined) => (text === undefined ? null : Buffer.from(text, 'utf8'))
  await sql`
    update sessions set title = coalesce(title, ${bytes(about.title)}), metadata = coalesce(metadata, ${bytes(about.metadata)}),
      parent_external_id = coalesce(parent_external_id, ${about.parentExternalId ?? null}),
      created_at = least(created_at, coalesce(${about.createdAt ?? null}::text::timestamptz, created_at)), version = version + 1
    where tenant_id = ${tenantId} and source = ${about.source} and external_id = ${about.externalId}
      and ((title is null and ${about.title !== undefined}) or (metadata is null and ${about.metadata !== undefined})
        or (parent_external_id is null and ${about.parentExternalId !== undefined})
        or created_at > coalesce(${about.createdAt ?? null}::text::timestamptz, created_at))`
}

/** Links sessions to parents that arrived after them. */
export async function linkParents(sql: Sql, tenantId: number): Promise<void> {
  await sql`
    update sessions child set parent_session_id = parent.id, version = child.version + 1
    from sessions parent
    where child.tenant_id = ${tenantId} and child.parent_session_id is null and child.parent_external_id is not null
      and parent.tenant_id = child.tenant_id and parent.source = child.source and parent.external_id = child.parent_external_id`
}
