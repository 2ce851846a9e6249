import { readFile, utimes, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'

import { describe, expect, it } from 'vitest'

import { documentBytes, originalOf } from '../../src/capture/documents/export-original.ts'
import { DocumentImport } from '../../src/capture/documents/import-document.ts'
import { importFile, type FileReport } from '../../src/capture/documents/import-files.ts'
import type { ImportDependencies } from '../../src/capture/documents/imported-sessions.ts'
import { UnavailableError } from '../../src/errors.ts'
import type { Database } from '../../src/store/database.ts'
import { listImportFiles } from '../../src/store/imports/import-files.ts'
import { readMessages } from '../../src/store/messages.ts'
import { detectFormat } from '../../src/transcripts/registry.ts'
import { caller, useStore } from '../sessions/store.ts'
import { openclawStore, type OpenclawStore } from '../support/openclaw-store.ts'
import { temporaryDirectory } from '../support/transcripts.ts'

const store = useStore()

const user = (id: string, content: unknown, more: object = {}) =>
  JSON.stringify({
    type: 'user',
    uuid: id,
    sessionId: 'claude session',
    timestamp: '2026-01-01T00:00:00.000Z',
    message: { role: 'user', content },
    ...more,
  })

/** A Claude Code file; each has a session of its own, so that tests do not meet in the store. */
async function claudeFile(session: string, lines: readonly string[]): Promise<string> {
  const path = join(await temporaryDirectory(), `${session}.jsonl`)
  await writeFile(path, lines.map((line) => `${line.replaceAll('claude session', session)}\n`).join(''))
  return path
}

function openclawRow(id: string) {
  const message = { role: 'user', content: `Question ${id}` }
  return { type: 'message', id, parentId: null, timestamp: '2026-01-01T00:00:01.000Z', message }
}

/** An OpenClaw database, whose documents are its sessions. */
async function openclaw(sessions: readonly string[]): Promise<{ path: string; database: OpenclawStore }> {
  const path = join(await temporaryDirectory(), 'agents', 'work', 'agent', 'openclaw-agent.sqlite')
  const database = await openclawStore(path)
  for (const session of sessions) database.session(`key ${session}`, session, [openclawRow(`row of ${session}`)])
  return { path, database }
}

function run(
  path: string,
  options: { format?: string; again?: boolean; rowsOnly?: boolean } = {},
): Promise<FileReport> {
  return importFile(store.open.stores, caller, { path, ...options })
}

async function documentsOf(path: string): Promise<string[]> {
  const rows = await listImportFiles(store.open.stores.database, caller.tenantId, { limit: 1_000 })
  return rows.filter((row) => row.path === path).map(({ document }) => document)
}

/** The store as it is for a run that is cut off once the first document of a file is recorded. */
function interruptedAfterOne(path: string): ImportDependencies {
  const { database, archive } = store.open.stores
  const cut: Database = {
    ...database,
    run: async (work) => {
      if ((await documentsOf(path)).length > 0) throw new UnavailableError('Cannot go on as the test ends this run')
      return database.run(work)
    },
  }
  return { database: cut, archive }
}

describe('importFile()', () => {
  it('reads a file again whose import was interrupted between two documents', async () => {
    const { path } = await openclaw(['cut 1', 'cut 2'])
    const cut = await importFile(interruptedAfterOne(path), caller, { path })
    expect(cut).toMatchObject({ status: 'failed', documents: [{ added: 1 }] })
    expect(await run(path)).toMatchObject({ status: 'imported', documents: [{ added: 0, known: 1 }, { added: 1 }] })
    expect(await run(path)).toMatchObject({ status: 'unchanged' })
    expect(await documentsOf(path)).toEqual(['cut 1', 'cut 2'])
  })

  it('takes a file for unchanged also where a document has left it', async () => {
    const { path, database } = await openclaw(['stays', 'leaves'])
    await run(path)
    database.database.run('delete from transcript_events where session_id = ?', ['leaves'])
    await utimes(path, new Date(), new Date(Date.now() + 5_000))
    expect(await run(path)).toMatchObject({ status: 'imported', documents: [{ document: 'stays' }] })
    expect(await run(path)).toMatchObject({ status: 'unchanged' })
    expect(await documentsOf(path)).toEqual(['leaves', 'stays'])
  })

  it('keeps a document apart whose name is the one that stands for the whole file', async () => {
    const { path } = await openclaw(['*', 'other'])
    await run(path)
    expect(await documentsOf(path)).toHaveLength(2)
    expect(await run(path)).toMatchObject({ status: 'unchanged' })
  })

  it('keeps nothing of a file that is read for its rows, whose rows count once', async () => {
    const path = await claudeFile('passing', [user('a', 'one'), user('b', 'two')])
    const added = { status: 'imported', documents: [{ added: 2, known: 0 }] }
    expect(await run(path, { rowsOnly: true })).toMatchObject(added)
    expect(await documentsOf(path)).toEqual([])
    const known = { status: 'imported', documents: [{ added: 0, known: 2 }] }
    expect(await run(path, { rowsOnly: true })).toMatchObject(known)
    expect(await run(path)).toMatchObject(known)
    expect(await documentsOf(path)).toEqual([''])
  })

  it('sees a file that grew within one tick of its clock', async () => {
    const path = await claudeFile('grows', [user('a', 'one')])
    const tick = new Date('2026-01-01T00:00:00.000Z')
    await utimes(path, tick, tick)
    await run(path)
    await writeFile(path, `${user('b', 'two').replace('claude session', 'grows')}\n`, { flag: 'a' })
    await utimes(path, tick, tick)
    expect(await run(path)).toMatchObject({ status: 'imported', documents: [{ added: 1, known: 1 }] })
  })

  it('reads a file again in another format than it was taken for', async () => {
    const path = await claudeFile('other format', [user('a', 'one')])
    expect(await run(path)).toMatchObject({ status: 'imported', format: 'claude-code' })
    expect(await run(path, { format: 'claude-code' })).toMatchObject({ status: 'unchanged' })
    expect((await run(path, { format: 'codex' })).status).not.toBe('unchanged')
  })

  it('stores an entry whose token counts are no counts, and those that are', async () => {
    const usage = { input_tokens: 1.5, output_tokens: 3_000_000_000, cache_read_input_tokens: 7 }
    const answer = (id: string, counts: object) =>
      user(id, 'odd', { type: 'assistant', message: { role: 'assistant', id, content: 'odd', usage: counts } })
    const path = await claudeFile('odd counts', [answer('a', usage), answer('b', { ...usage, output_tokens: 5 })])
    const report = await run(path)
    expect(report).toMatchObject({ status: 'imported', documents: [{ added: 2 }] })
    const { tokens } = await store.open.getSession(caller, {
      sessionId: 'odd counts',
      view: 'full',
      limit: 2,
      maxTokens: 1_000,
    })
    expect(tokens).toMatchObject({ input: 0, output: 5 })
  })

  it('leaves a text beyond 8 MiB to be read out of the payload', async () => {
    const large = 'long '.repeat(2 * 1024 * 1024)
    const path = await claudeFile('large text', [user('a', large), user('b', 'short')])
    const [document] = (await run(path)).documents
    const sessionId = document?.sessionIds[0] ?? ''
    const key = { tenantId: caller.tenantId, sessionId }
    const rows = await readMessages(store.open.stores.database, key, { fromSeq: 1, limit: 2 })
    expect(rows.map(({ text }) => text)).toEqual([null, 'short'])
  })

  it('reports a file that has gone as failed', async () => {
    expect(await run(join(await temporaryDirectory(), 'gone.jsonl'))).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('ENOENT'),
    })
  })

  it('tells a defect and fails the file; the defect is thrown where nobody is to be told', async () => {
    const path = await claudeFile('defect', [user('a', 'one')])
    const defect = new TypeError('Expected a defect')
    const broken: ImportDependencies = {
      ...store.open.stores,
      database: { ...store.open.stores.database, run: () => Promise.reject(defect) },
    }
    const told: unknown[] = []
    const report = await importFile(broken, caller, { path, onDefect: (error) => told.push(error) })
    expect(report).toMatchObject({ status: 'failed', reason: 'internal error, a defect of Verbatim' })
    expect(told).toEqual([defect])
    await expect(importFile(broken, caller, { path })).rejects.toBe(defect)
  })
})

describe('originalOf()', () => {
  it('takes a relative path', async () => {
    const path = await claudeFile('relative', [user('a', 'one')])
    await run(path)
    const sourceFile = relative(process.cwd(), path)
    const file = await originalOf(store.open.stores, caller, { sessionId: 'relative', sourceFile })
    const parts: Uint8Array[] = []
    for await (const bytes of documentBytes(store.open.stores, caller, file)) parts.push(bytes)
    expect(Buffer.concat(parts).equals(await readFile(path))).toBe(true)
  })
})

describe('DocumentImport', () => {
  it('does not keep where entries are that were given other numbers while it read on', async () => {
    const { stores } = store.open
    const path = await claudeFile('renumbered meanwhile', [user('r1', 'one'), user('r2', 'two')])
    const source = { path, format: 'claude-code', modifiedAtMs: 1 }
    const reading = new DocumentImport(stores, { caller, source })
    const detected = await detectFormat(path)
    for await (const document of detected?.format.documents(path) ?? [])
      for await (const event of document.events) if (event.type !== 'end') await reading.add(event)
    const end = { document: '', after: Buffer.from('\n') }
    const { sessionIds } = await reading.settle(end)
    expect(await reading.areNumbersKept()).toBe(true)
    await stores.database.run(
      (sql) => sql`update sessions set erasures = erasures + 1 where id = ${sessionIds[0] ?? ''}`,
    )
    expect(await reading.areNumbersKept()).toBe(false)
    await expect(reading.settle(end)).rejects.toThrow('their sessions were changed meanwhile')
  })
})
