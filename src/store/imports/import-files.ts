import type { Sql } from 'postgres'

import { BrokenSeal } from '../../crypto/aead.ts'
import type { RowSeal, SealPlace } from '../../crypto/row-seal.ts'
import type { MessageSource } from '../messages.ts'

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
  /** Why its layout could not be opened; then it is empty. */
  readonly damage?: string
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
  key_version: number
}

const columns = (sql: Sql) => sql`
  id, path, document, format, size_bytes, sha256, (extract(epoch from modified_at) * 1000)::bigint as modified_ms, counts,
  to_jsonb(session_ids) as session_ids, layout, key_version`

/** What a layout is bound to: what its row is unique by, since an import of the document again keeps the row's id. */
export function layoutPlace({ path, document }: { readonly path: string; readonly document: string }): SealPlace {
  return { field: 'layout', id: JSON.stringify([path, document]) }
}

/** The bytes around a document's entries, or why they cannot be had. */
function openLayout(row: RawImportFile, seal: RowSeal | undefined): Pick<ImportFileRow, 'layout' | 'damage'> {
  if (row.key_version === 0) return { layout: row.layout }
  const layout = new Uint8Array()
  if (seal === undefined) return { layout, damage: 'its key is missing or was altered' }
  try {
    return { layout: seal.open(layoutPlace(row), row.layout) }
  } catch (error) {
    if (error instanceof BrokenSeal) return { layout, damage: 'its encrypted layout was altered or moved' }
    throw error
  }
}

async function openRows({ vault }: MessageSource, tenantId: number, rows: readonly RawImportFile[]) {
  const versions = rows.map((row) => row.key_version)
  const seals = await vault.sealsOfTenant(tenantId, versions)
  return rows.map((row) => fromRow(row, seals(row.key_version)))
}

function fromRow(row: RawImportFile, seal: RowSeal | undefined): ImportFileRow {
  return {
    id: row.id,
    path: row.path,
    document: row.document,
    format: row.format,
    sizeBytes: Number(row.size_bytes),
    sha256: seal === undefined ? row.sha256 : seal.unmask(row.sha256),
    modifiedAtMs: Number(row.modified_ms),
    counts: row.counts,
    sessionIds: row.session_ids,
    ...openLayout(row, seal),
  }
}

/** `sessions.erasures` by the ids of sessions: while they stay, their messages have the numbers that they had. */
export type Numbering = ReadonlyMap<string, number>

/** Stands in place of a document's name for the whole file, see `saveImportedState`. It is no document, and counts as none. */
export const wholeFile = '*'

/**
 * Records that a document was imported; what was recorded of the same path and document before is replaced. False, and nothing is
 * recorded, where messages of one of its sessions were erased or given other numbers since: the layout names others by now.
 */
export async function saveImportFile(
  database: MessageSource,
  tenantId: number,
  { file, numbering }: { readonly file: ImportFileRow; readonly numbering: Numbering },
): Promise<boolean> {
  // A document may have any name, and must not be taken for the whole file.
  const document = file.document.startsWith(wholeFile) ? `${wholeFile}${file.document}` : file.document
  const row = { ...file, document }
  const seal = await database.vault.sealOfTenant(tenantId)
  const sealed =
    seal === undefined
      ? row
      : { ...row, sha256: seal.mask(row.sha256), layout: seal.seal(layoutPlace(row), row.layout) }
  return await database.run((sql) => upsert(sql, tenantId, { ...sealed, keyVersion: seal?.version ?? 0, numbering }))
}

async function upsert(
  sql: Sql,
  tenantId: number,
  file: ImportFileRow & { readonly keyVersion: number; readonly numbering: Numbering },
): Promise<boolean> {
  const modifiedAt = new Date(file.modifiedAtMs).toISOString()
  const numbering = JSON.stringify([...file.numbering].map(([i, e]) => ({ i, e })))
  // Whoever gives them other numbers is waited for, and waits until this is recorded.
  const rows = await sql`
    with kept as materialized (
      select s.erasures = r.e as is_same from jsonb_to_recordset(${numbering}::text::jsonb) as r(i uuid, e int)
        join sessions s on s.tenant_id = ${tenantId} and s.id = r.i order by s.id for key share of s
    )
    insert into import_files (tenant_id, id, path, document, format, size_bytes, sha256, modified_at, imported_at, counts,
      session_ids, layout, key_version)
    select ${tenantId}::int, ${file.id}::uuid, ${file.path}, ${file.document}, ${file.format}, ${file.sizeBytes}::bigint, ${Buffer.from(file.sha256)}::bytea,
      ${modifiedAt}::text::timestamptz, now(), ${JSON.stringify(file.counts)}::text::jsonb,
      array(select jsonb_array_elements_text(${JSON.stringify(file.sessionIds)}::text::jsonb)::uuid), ${Buffer.from(file.layout)}::bytea,
      ${file.keyVersion}::int
    where (select count(*) filter (where is_same) from kept) = ${file.numbering.size}::int
    on conflict (tenant_id, path, document) do update set format = excluded.format, size_bytes = excluded.size_bytes,
      sha256 = excluded.sha256, modified_at = excluded.modified_at, imported_at = excluded.imported_at, counts = excluded.counts,
      session_ids = excluded.session_ids, layout = excluded.layout, key_version = excluded.key_version
    returning 1`
  return rows.length > 0
}

/**
 * A document as it was last imported, with the numbering that its layout names messages by; undefined where it never was, or what was
 * needed to give it back is erased.
 */
export async function importedDocument(
  database: MessageSource,
  tenantId: number,
  { path, document }: { readonly path: string; readonly document: string },
): Promise<(ImportFileRow & { readonly numbering: Numbering }) | undefined> {
  const rows = await database.run(
    (sql) => sql<(RawImportFile & { numbering: Record<string, number> | null })[]>`
    select ${columns(sql)}, (select jsonb_object_agg(s.id, s.erasures) from sessions s
      where s.tenant_id = ${tenantId} and s.id = any(session_ids)) as numbering
    from import_files where tenant_id = ${tenantId} and path = ${path} and document = ${document}`,
  )
  const [row] = await openRows(database, tenantId, rows)
  return row === undefined ? undefined : { ...row, numbering: new Map(Object.entries(rows[0]?.numbering ?? {})) }
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
    keyVersion: 0,
    numbering: new Map(),
  })
}

/** How a file was when it was last imported to its end; undefined where it never was. */
export async function importedState(sql: Sql, tenantId: number, path: string): Promise<ImportedState | undefined> {
  const rows = await sql<RawImportFile[]>`
    select ${columns(sql)} from import_files
    where tenant_id = ${tenantId} and path = ${path} and document = ${wholeFile}`
  return rows[0] === undefined ? undefined : fromRow(rows[0], undefined)
}

/** How all files were when they were last imported to their ends, a page at a time by path. */
export async function listImportedStates(
  sql: Sql,
  tenantId: number,
  page: { readonly after: string; readonly limit: number },
): Promise<(ImportedState & { readonly path: string })[]> {
  const rows = await sql<Pick<RawImportFile, 'path' | 'format' | 'size_bytes' | 'modified_ms'>[]>`
    select path, format, size_bytes, (extract(epoch from modified_at) * 1000)::bigint as modified_ms from import_files
    where tenant_id = ${tenantId} and document = ${wholeFile} and path > ${page.after} order by path limit ${page.limit}`
  return rows.map((row) => ({
    path: row.path,
    format: row.format,
    modifiedAtMs: Number(row.modified_ms),
    sizeBytes: Number(row.size_bytes),
  }))
}

/** The documents that hold messages of a session, the newest import first. */
export async function importFilesOfSession(
  database: MessageSource,
  tenantId: number,
  sessionId: string,
): Promise<ImportFileRow[]> {
  const rows = await database.run(
    (sql) => sql<RawImportFile[]>`
    select ${columns(sql)} from import_files where tenant_id = ${tenantId} and ${sessionId}::uuid = any(session_ids)
    order by imported_at desc, path, document`,
  )
  return await openRows(database, tenantId, rows)
}

/** All imported documents, a page at a time by path and document. */
export async function listImportFiles(
  database: MessageSource,
  tenantId: number,
  page: { readonly after?: { readonly path: string; readonly document: string }; readonly limit: number },
): Promise<ImportFileRow[]> {
  const { after } = page
  const rows = await database.run(
    (sql) => sql<RawImportFile[]>`
    select ${columns(sql)} from import_files where tenant_id = ${tenantId} and document <> ${wholeFile}
      ${after === undefined ? sql`` : sql`and (path, document) > (${after.path}, ${after.document})`}
    order by path, document limit ${page.limit}`,
  )
  return await openRows(database, tenantId, rows)
}
