import { promisify } from 'node:util'
import * as zlib from 'node:zlib'

import { z } from 'zod'

import type { RowPage } from './row-reader.ts'

const pageRows = 500

/** The part of Node's SQLite that is used: Node 20 has none, and OpenClaw does not run on it. */
export interface SqliteDatabase {
  prepare(sql: string): { all(...values: (string | number)[]): unknown[] }
  close(): void
}

const sqliteSchema = z.object({
  DatabaseSync: z.custom<new (path: string, options: { readOnly: boolean }) => SqliteDatabase>(isFunction),
})
const zstdSchema = z.object({
  zstdDecompress: z.custom<(frame: Uint8Array, done: (error: Error | null, bytes: Buffer) => void) => void>(isFunction),
})

const positionSchema = z.object({ seq: z.number(), generation: z.string().optional() })
const rowSchema = z.object({
  seq: z.number(),
  json: z.custom<Uint8Array>(isBytes).nullish(),
  zstd: z.custom<Uint8Array>(isBytes).nullish(),
})

function isFunction(value: unknown): boolean {
  return typeof value === 'function'
}

function isBytes(value: unknown): boolean {
  return value instanceof Uint8Array
}

async function findSqlite(): Promise<z.infer<typeof sqliteSchema> | undefined> {
  const place = 'node:sqlite'
  try {
    return sqliteSchema.parse(await import(place))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_UNKNOWN_BUILTIN_MODULE') return undefined
    throw error
  }
}

/** A database to be read only, which is to be closed. Undefined where this Node.js has no SQLite. */
export async function openDatabase(path: string): Promise<SqliteDatabase | undefined> {
  const sqlite = await findSqlite()
  return sqlite === undefined ? undefined : new sqlite.DatabaseSync(path, { readOnly: true })
}

/** The columns of a table; none where there is no such table. */
export function columnsOf(database: SqliteDatabase, table: string): readonly string[] {
  return database.prepare(`pragma table_info(${table})`).all().map(columnName)
}

/**
 * The rows of a session after a position, by their numbers in OpenClaw's database (schemas 16 to 23 and what is like
 * them). Undefined where the database does not hold the session.
 */
export async function readDatabase(
  path: string,
  sessionId: string,
  position: string | undefined,
): Promise<RowPage | undefined> {
  const database = await openDatabase(path)
  if (database === undefined) return undefined
  try {
    const { rows, generation } = selectRows(database, sessionId, position)
    if (rows === undefined) return undefined
    const lines: Uint8Array[] = []
    for (const { json, zstd } of rows) lines.push(json ?? (await decompressed(zstd)))
    const seq = rows.at(-1)?.seq ?? startOf(position, generation)
    return { lines, position: JSON.stringify({ seq, generation }), hasMore: rows.length === pageRows }
  } finally {
    database.close()
  }
}

type Row = z.infer<typeof rowSchema>

/** The number after which to read: a transcript that was written anew is read from its beginning. */
function startOf(position: string | undefined, generation: string | undefined): number {
  if (position === undefined) return -1
  const last = positionSchema.safeParse(JSON.parse(position))
  return last.success && last.data.generation === generation ? last.data.seq : -1
}

function selectRows(
  database: SqliteDatabase,
  sessionId: string,
  position: string | undefined,
): { readonly rows: readonly Row[] | undefined; readonly generation: string | undefined } {
  const columns = columnsOf(database, 'transcript_events')
  if (!columns.includes('event_json')) return { rows: undefined, generation: undefined }
  const generation = columnsOf(database, 'transcript_rewrite_watermarks').includes('generation')
    ? generationOf(database, sessionId)
    : undefined
  const zstd = columns.includes('event_zstd') ? 'event_zstd' : 'null'
  // The cast gives a text's exact bytes.
  const query = `select seq, cast(event_json as blob) as json, ${zstd} as zstd from transcript_events
    where session_id = ? and seq > ? order by seq limit ${pageRows}`
  const select = database.prepare(query)
  const rows = select.all(sessionId, startOf(position, generation)).map((row) => rowSchema.parse(row))
  const isKnown = position !== undefined || rows.length > 0
  return { rows: isKnown ? rows : undefined, generation }
}

function columnName(column: unknown): string {
  return z.object({ name: z.string() }).parse(column).name
}

function generationOf(database: SqliteDatabase, sessionId: string): string | undefined {
  const query = 'select generation from transcript_rewrite_watermarks where session_id = ?'
  const [row] = database.prepare(query).all(sessionId)
  return z.object({ generation: z.string() }).safeParse(row).data?.generation
}

async function decompressed(frame: Uint8Array | null | undefined): Promise<Uint8Array> {
  if (frame === null || frame === undefined) throw new Error('A row of the transcript holds no event')
  const { zstdDecompress } = zstdSchema.parse(zlib)
  return await promisify(zstdDecompress)(frame)
}
