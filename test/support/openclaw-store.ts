import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'

import sqlite, { type Database } from 'node-sqlite3-wasm'
import { onTestFinished } from 'vitest'

const tables = (version: number): string => `
  create table schema_meta (meta_key text primary key, role text, schema_version integer, agent_id text);
  create table session_nodes (session_key text primary key, current_session_id text, entry_json text, fork_source_session_id text);
  create table session_windows (session_id text primary key, session_key text, created_at integer, channel text, chat_type text,
    display_name text, parent_session_key text, spawned_by text);
  create table session_participants (session_key text, actor_id text);
  create table transcript_events (session_id text, seq integer, event_json text, created_at integer
    ${version >= 23 ? ', event_zstd blob, event_utf8_bytes integer' : ''}, primary key (session_id, seq));
  create table transcript_event_identities (session_id text, event_id text, seq integer, event_type text, parent_id text,
    primary key (session_id, event_id));
  create table session_transcript_archives (session_id text, generation text, session_key text, encoding text, archive_blob blob,
    archive_sha256 text, archive_name text, created_at integer);`

/** The part of an OpenClaw agent database that an importer reads, with what a test puts into it. */
export class OpenclawStore {
  readonly database: Database
  #created = 0

  constructor(database: Database) {
    this.database = database
  }

  /** A session with its rows: objects are written as JSON, strings as they are, buffers into the compressed column. */
  session(
    sessionKey: string,
    sessionId: string,
    rows: readonly (object | string | { frame: Buffer; sizeBytes: number })[],
  ): void {
    this.#created += 1
    this.database.exec('begin')
    this.database.run(
      'insert or ignore into session_nodes (session_key, current_session_id, entry_json) values (?, ?, ?)',
      [sessionKey, sessionId, JSON.stringify({ sessionId })],
    )
    this.database.run('insert into session_windows (session_id, session_key, created_at) values (?, ?, ?)', [
      sessionId,
      sessionKey,
      this.#created,
    ])
    for (const [seq, row] of rows.entries()) this.#row(sessionId, seq, row)
    this.database.exec('commit')
  }

  archive(name: string, sessionKey: string, content: { blob: Buffer; encoding: string; sha256: string }): void {
    this.database.run('insert into session_transcript_archives values (?, ?, ?, ?, ?, ?, ?, ?)', [
      'archived',
      name,
      sessionKey,
      content.encoding,
      content.blob,
      content.sha256,
      name,
      1,
    ])
  }

  #row(sessionId: string, seq: number, row: object | string | { frame: Buffer; sizeBytes: number }): void {
    if (typeof row === 'object' && 'frame' in row) {
      this.database.run(
        'insert into transcript_events (session_id, seq, event_zstd, event_utf8_bytes) values (?, ?, ?, ?)',
        [sessionId, seq, row.frame, row.sizeBytes],
      )
      return
    }
    const json = typeof row === 'string' ? row : JSON.stringify(row)
    this.database.run('insert into transcript_events (session_id, seq, event_json) values (?, ?, ?)', [
      sessionId,
      seq,
      json,
    ])
    if (typeof row !== 'object' || !('id' in row)) return
    const parent = 'parentId' in row && typeof row.parentId === 'string' ? row.parentId : null
    this.database.run('insert into transcript_event_identities values (?, ?, ?, ?, ?)', [
      sessionId,
      String(row.id),
      seq,
      'message',
      parent,
    ])
  }
}

/** Makes a database; with `wal` everything after the tables stays in its write-ahead log, and the writer keeps it open. */
export async function openclawStore(
  path: string,
  options: { readonly version?: number; readonly wal?: boolean } = {},
): Promise<OpenclawStore> {
  await mkdir(dirname(path), { recursive: true })
  const database = new sqlite.Database(path)
  onTestFinished(() => {
    if (database.isOpen) database.close()
  })
  const version = options.version ?? 23
  database.exec(tables(version))
  database.run(`insert into schema_meta values ('primary', 'agent', ?, 'work')`, [version])
  if (options.wal === true) {
    database.exec('pragma locking_mode = exclusive')
    database.all('pragma journal_mode = wal')
    database.exec('pragma wal_autocheckpoint = 0')
  }
  return new OpenclawStore(database)
}
