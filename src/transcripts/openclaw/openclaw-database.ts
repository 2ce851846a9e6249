import { chmod, constants, copyFile, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'

import type { Database } from 'node-sqlite3-wasm'

import { codeOf, InputError, messageOf, UnavailableError } from '../../errors.ts'
import { fileHead, unreadable } from '../bytes/file-bytes.ts'
import { countField, field } from '../fields.ts'

/** Schema 19 is 2026.8.1, 23 is 2026.9.6; those between add tables and change nothing that is read here. */
const openclawSchemaVersions: readonly number[] = [19, 20, 21, 22, 23]

const attemptsMax = 5

/** A private copy of an agent database. Disposing closes it and removes the copy. */
export interface OpenclawDatabase extends AsyncDisposable {
  readonly schemaVersion: number
  readonly agentId: string | undefined
  readonly tables: ReadonlySet<string>
  /** All rows of a query, each a record of its columns. */
  rows(sql: string, values?: readonly (string | number)[]): readonly unknown[]
}

/**
 * Opens a copy of an OpenClaw agent database with the content of its write-ahead log. OpenClaw may go on writing: the
 * original is only read. Throws `InputError` where the file is no such database or of a schema that is not known.
 */
export async function openOpenclawDatabase(path: string): Promise<OpenclawDatabase> {
  const directory = await mkdtemp(join(tmpdir(), 'verbatim-openclaw-'))
  let database: Database | undefined
  const close = async (): Promise<void> => {
    if (database?.isOpen === true) database.close()
    await rm(directory, { recursive: true, force: true })
  }
  try {
    const copy = await copyUnchanged(path, directory)
    await requireUtf8(path, copy)
    database = await openCopy(copy)
    return { ...describe(database, path), [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error instanceof InputError || error instanceof UnavailableError ? error : notADatabase(path, error)
  }
}

/** The library would read UTF-16 as if it were UTF-8; the file's header (bytes 56 to 59, SQLite file format §1.3) tells. */
async function requireUtf8(path: string, copy: string): Promise<void> {
  const head = Buffer.from(await fileHead(copy))
  const encoding = head.length < 60 ? 0 : head.readUInt32BE(56)
  if (encoding === 2 || encoding === 3) {
    throw new InputError(
      `Cannot read OpenClaw database ${JSON.stringify(path)} as its text encoding must be UTF-8: current value is UTF-16`,
      { remedy: 'Convert a copy with `sqlite3 old.sqlite .dump`, which writes UTF-8' },
    )
  }
}

function describe(database: Database, path: string): Omit<OpenclawDatabase, keyof AsyncDisposable> {
  const rows = (sql: string, values: readonly (string | number)[] = []): readonly unknown[] => {
    try {
      return database.all(sql, [...values])
    } catch (error) {
      throw notADatabase(path, error)
    }
  }
  const tables = new Set(
    rows(`select name from sqlite_master where type = 'table'`).map((row) => String(field(row, 'name'))),
  )
  if (!tables.has('schema_meta') || !tables.has('transcript_events')) throw refusedSchema(path, 'none')
  const [meta] = rows(`select schema_version, agent_id from schema_meta where meta_key = 'primary'`)
  const schemaVersion = countField(meta, 'schema_version')
  if (schemaVersion === undefined || !openclawSchemaVersions.includes(schemaVersion))
    throw refusedSchema(path, String(schemaVersion))
  const agentId = field(meta, 'agent_id')
  return { schemaVersion, agentId: typeof agentId === 'string' ? agentId : undefined, tables, rows }
}

/**
 * The library has no shared memory, which a write-ahead log needs; in exclusive mode SQLite keeps the log's index in its own
 * memory. That is safe here and only here: nobody else knows the copy.
 */
async function openCopy(copy: string): Promise<Database> {
  const sqlite = await import('node-sqlite3-wasm')
  const database = new sqlite.default.Database(copy, { fileMustExist: true })
  database.exec('pragma locking_mode = exclusive')
  database.exec('pragma temp_store = memory')
  return database
}

/**
 * Copies the database and then its log, and again where the database changed meanwhile. The log may grow during the copy:
 * SQLite ignores a torn end, and what was committed before stays whole as long as no checkpoint touched the database.
 */
async function copyUnchanged(path: string, directory: string): Promise<string> {
  const copy = join(directory, basename(path))
  for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
    const before = await state(path)
    for (const suffix of ['', '-journal', '-wal']) {
      await rm(`${copy}${suffix}`, { force: true })
      if (await copied(`${path}${suffix}`, `${copy}${suffix}`)) await chmod(`${copy}${suffix}`, 0o600)
    }
    if ((await state(path)) === before) return copy
  }
  throw new UnavailableError(
    `Cannot copy OpenClaw database ${JSON.stringify(path)} as it changed during ${attemptsMax} copies`,
    {
      remedy: 'Try again when OpenClaw is less busy',
    },
  )
}

async function copied(from: string, to: string): Promise<boolean> {
  try {
    await copyFile(from, to, constants.COPYFILE_FICLONE)
    return true
  } catch (error) {
    if (codeOf(error) === 'ENOENT' && (from.endsWith('-wal') || from.endsWith('-journal'))) return false
    throw unreadable(from, error)
  }
}

async function state(path: string): Promise<string> {
  return `${await fileState(path)} ${await fileState(`${path}-journal`)}`
}

async function fileState(path: string): Promise<string> {
  try {
    const { size, mtimeNs, ino } = await stat(path, { bigint: true })
    return `${size}:${mtimeNs}:${ino}`
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 'none'
    throw unreadable(path, error)
  }
}

function refusedSchema(path: string, version: string): InputError {
  return new InputError(
    `Cannot read OpenClaw database ${JSON.stringify(path)} as its schema version must be one of ${openclawSchemaVersions.join(', ')}: current value is ${version}`,
    { remedy: 'Update Verbatim, or let `openclaw doctor` migrate the database' },
  )
}

function notADatabase(path: string, cause: unknown): InputError {
  return new InputError(`Cannot read OpenClaw database ${JSON.stringify(path)}: ${messageOf(cause)}`, {
    cause,
    remedy: 'Check the file with `openclaw doctor`, or give a backup of it',
  })
}
