import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { describe, expect, it, onTestFinished, vi } from 'vitest'

import { InputError, UnavailableError } from '../../../src/errors.ts'
import type { TranscriptEntry } from '../../../src/transcripts/format.ts'
import { openclawSqlite } from '../../../src/transcripts/openclaw/openclaw-sqlite.ts'
import { detectFormat } from '../../../src/transcripts/registry.ts'
import { openclawStore } from '../../support/openclaw-store.ts'
import { jsonl, readOne, readTranscript, tally, temporaryDirectory } from '../../support/transcripts.ts'
import { zstdFrame } from '../../support/zstd-frame.ts'

const header = (id: string) => ({ type: 'session', version: 4, id, timestamp: '2026-01-01T00:00:00.000Z', cwd: '/w' })
const user = (id: string, content: string, parentId: string | null = null) => ({
  type: 'message',
  id,
  parentId,
  timestamp: '2026-01-01T00:00:01.000Z',
  message: { role: 'user', content },
})
const answer = (id: string, parentId: string) => ({
  type: 'message',
  id,
  parentId,
  timestamp: '2026-01-01T00:00:02.000Z',
  message: {
    role: 'assistant',
    model: 'm',
    content: [{ type: 'text', text: 'Yes' }],
    usage: { input: 5, output: 7, cacheRead: 1, cacheWrite: 0 },
  },
})

async function databasePath(): Promise<string> {
  return join(await temporaryDirectory(), 'agents', 'work', 'agent', 'openclaw-agent.sqlite')
}

/** Commits one row after the other, with a checkpoint now and then, until it is killed. */
const busyWriter = `
  import sqlite from 'node-sqlite3-wasm'
  const database = new sqlite.Database(process.argv[1])
  database.exec('pragma locking_mode = exclusive')
  database.all('pragma journal_mode = wal')
  database.exec('pragma wal_autocheckpoint = 50')
  for (let seq = 1; ; seq += 1) {
    const row = { type: 'message', id: String(seq), message: { role: 'user', content: 'x'.repeat(500) } }
    database.run('insert into transcript_events (session_id, seq, event_json) values (?, ?, ?)', ['s1', seq, JSON.stringify(row)])
    if (seq === 20) console.log('started')
    await new Promise((resolve) => setTimeout(resolve, 2))
  }`

/** A writer that is too busy may be refused, by name; anything else is a fault. */
function busyOnly(error: unknown): { readonly entries: readonly TranscriptEntry[] } {
  if (error instanceof UnavailableError) return { entries: [] }
  throw error
}

/** Where SQLite's file header says how text is encoded. */
const textEncodingOffset = 56
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

describe('openclawSqlite', () => {
  it('reads what stands only in the write-ahead log of a database in use, and leaves it as it was', async () => {
    const path = await databasePath()
    const store = await openclawStore(path, { wal: true })
    const rows = [header('s1'), user('a', 'héllo 🦞')]
    store.session('agent:work:main', 's1', rows)
    const before = await Promise.all(['', '-wal'].map(async (suffix) => (await stat(`${path}${suffix}`)).mtimeMs))
    const names = await readdir(dirname(path))
    const document = await readOne(path, openclawSqlite)
    expect(document.bytes.toString()).toBe(jsonl(rows))
    expect([...document.sessions.keys()]).toEqual(['work/s1'])
    expect(await Promise.all(['', '-wal'].map(async (suffix) => (await stat(`${path}${suffix}`)).mtimeMs))).toEqual(
      before,
    )
    expect(await readdir(dirname(path))).toEqual(names)
  })

  it('removes its copy, also when the reader stops early or the file is refused', async () => {
    const path = await databasePath()
    const store = await openclawStore(path)
    store.session('agent:work:main', 's1', [header('s1'), user('a', 'one')])
    const refused = await databasePath()
    await openclawStore(refused, { version: 42 })
    const directory = await temporaryDirectory()
    vi.stubEnv('TMPDIR', directory)
    try {
      for await (const document of openclawSqlite.documents(path)) {
        expect(document.name).toBe('s1')
        expect(await readdir(directory)).toHaveLength(1)
        break
      }
      await expect(readTranscript(refused, openclawSqlite)).rejects.toThrow(InputError)
      expect(await readdir(directory)).toEqual([])
    } finally {
      vi.unstubAllEnvs()
    }
  })

  it('reads schema 19, which has no compressed rows', async () => {
    const path = await databasePath()
    const store = await openclawStore(path, { version: 19 })
    store.session('agent:work:main', 's1', [header('s1'), user('a', 'one'), answer('b', 'a')])
    const document = await readOne(path)
    expect(tally(document.entries)).toEqual({
      event: 1,
      message: 2,
      user: 1,
      assistant: 1,
      input: 5,
      output: 7,
      cacheRead: 1,
    })
  })

  it('refuses another schema by its number and names those it knows', async () => {
    const path = await databasePath()
    await openclawStore(path, { version: 42 })
    await expect(readTranscript(path, openclawSqlite)).rejects.toThrow(
      /must be one of 19, 20, 21, 22, 23: current value is 42$/u,
    )
  })

  it('never gives an incognito session, from rows or archives', async () => {
    const path = await databasePath()
    const store = await openclawStore(path)
    const secret = 'agent:work:dashboard:incognito-12345678'
    store.session(secret, 's1', [header('s1'), user('a', 'secret')])
    store.session('agent:work:dashboard:12345678', 's2', [header('s2')])
    const blob = Buffer.from(jsonl([header('archived')]))
    store.archive('secret.jsonl', secret, { blob, encoding: 'identity', sha256: sha256(blob) })
    expect((await readTranscript(path)).map((document) => document.name)).toEqual(['s2'])
  })

  it('decodes compressed rows, and keeps the frames of those it cannot decode', async () => {
    const path = await databasePath()
    const store = await openclawStore(path)
    const text = JSON.stringify(user('a', 'x'.repeat(2_000)))
    const frame = zstdFrame(text)
    store.session('agent:work:main', 's1', [
      { frame, sizeBytes: text.length },
      { frame, sizeBytes: text.length + 1 },
      { frame: Buffer.from('no frame'), sizeBytes: 8 },
      '{"type":"message",',
    ])
    const document = await readOne(path)
    expect(document.entries.map((entry) => entry.problem)).toEqual([
      undefined,
      'The decompressed event has another size than the database says',
      'The compressed event does not decompress',
      'Not valid JSON',
    ])
    expect(document.bytes.subarray(0, text.length + 1).toString()).toBe(`${text}\n`)
    expect(document.bytes.includes(Buffer.concat([frame, Buffer.from('\nno frame\n')]))).toBe(true)
  })

  it('marks rows that an older session holds too, and no other', async () => {
    const path = await databasePath()
    const store = await openclawStore(path)
    store.session('agent:work:main', 's1', [header('s1'), user('a', 'one'), answer('b', 'a')])
    store.session('agent:work:rewound', 's2', [
      header('s2'),
      user('a', 'one'),
      answer('b', 'a'),
      user('c', 'two', 'a'),
      answer('d', 'c'),
    ])
    store.session('agent:work:other', 's3', [header('s3'), user('b', 'short ids may coincide', 'z')])
    const documents = await readTranscript(path)
    expect(
      documents.map(({ entries }) => entries.filter((entry) => entry.copied === true).map((entry) => entry.id)),
    ).toEqual([[], ['a', 'b'], []])
    expect(documents[1]?.entries.find((entry) => entry.id === 'c')?.contextSwitch).toBe('branch')
  })

  it('gives archived transcripts as documents of their own', async () => {
    const path = await databasePath()
    const store = await openclawStore(path)
    const content = jsonl([header('archived'), user('a', 'gone')])
    const blob = zstdFrame(content)
    store.archive('archived.jsonl.reset.1', 'agent:work:main', { blob, encoding: 'zstd', sha256: sha256(blob) })
    store.archive('broken.jsonl.deleted.2', 'agent:work:main', {
      blob,
      encoding: 'zstd',
      sha256: sha256(Buffer.from('else')),
    })
    const documents = await readTranscript(path)
    expect(documents.map((document) => document.name)).toEqual(['archived.jsonl.reset.1', 'broken.jsonl.deleted.2'])
    expect(documents[0]?.bytes.toString()).toBe(content)
    expect(documents[0]?.entries.map((entry) => [entry.session, entry.text])).toEqual([
      ['work/archived', ''],
      ['work/archived', 'gone'],
    ])
    expect(documents[1]?.entries.map((entry) => [entry.kind, entry.problem])).toEqual([
      ['damaged', 'The archive does not match its SHA-256'],
    ])
    expect(documents[1]?.bytes.equals(blob)).toBe(true)
  })

  it('pages through sessions longer than a page', async () => {
    const path = await databasePath()
    const store = await openclawStore(path)
    const rows = [header('s1'), ...Array.from({ length: 300 }, (_, index) => user(`m${index}`, `message ${index}`))]
    store.session('agent:work:main', 's1', rows)
    const document = await readOne(path)
    expect(document.bytes.toString()).toBe(jsonl(rows))
  })

  it('gives text that is no UTF-8 byte for byte', async () => {
    const path = await databasePath()
    const store = await openclawStore(path)
    store.session('agent:work:main', 's1', [header('s1')])
    store.database.exec(`update transcript_events set event_json = cast(x'22ff0022' as text)`)
    expect([...(await readOne(path)).bytes]).toEqual([0x22, 0xff, 0x00, 0x22, 0x0a])
  })

  it('refuses a database that keeps its text in UTF-16', async () => {
    const path = await databasePath()
    const store = await openclawStore(path)
    store.database.close()
    const bytes = await readFile(path)
    bytes.writeUInt32BE(2, textEncodingOffset)
    await writeFile(path, bytes)
    await expect(readOne(path, openclawSqlite)).rejects.toThrow(/text encoding must be UTF-8/u)
  })

  it('reads a consistent state while another process writes', { timeout: 60_000 }, async () => {
    const path = await databasePath()
    const store = await openclawStore(path)
    store.session('agent:work:main', 's1', [header('s1')])
    store.database.close()
    const writer = spawn(process.execPath, ['--input-type=module', '-e', busyWriter, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    onTestFinished(() => void writer.kill('SIGKILL'))
    await once(writer.stdout, 'data')
    let last = 0
    for (let reading = 0; reading < 8; reading += 1) {
      const { entries } = await readOne(path, openclawSqlite).catch(busyOnly)
      const ids = entries.slice(1).map((entry) => entry.id)
      expect(ids).toEqual(ids.map((_id, index) => String(index + 1)))
      expect(entries.filter((entry) => entry.kind === 'damaged')).toEqual([])
      last = Math.max(last, ids.length)
    }
    expect(last).toBeGreaterThan(10)
  })

  it('is detected by content, not by any SQLite file', async () => {
    const path = await databasePath()
    await openclawStore(path)
    expect((await detectFormat(path))?.format).toBe(openclawSqlite)
    expect(
      openclawSqlite.detect({
        path: '/x/store.db',
        head: Buffer.from('SQLite format 3\0 create table blobs'),
        sizeBytes: 40,
      }),
    ).toBe(0)
    expect(
      openclawSqlite.detect({
        path: '/x/copy.db',
        head: Buffer.from('SQLite format 3\0 create table transcript_events'),
        sizeBytes: 40,
      }),
    ).toBe(0.9)
  })
})
