import { randomBytes } from 'node:crypto'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { DirectoryArchive } from '../../src/adapters/archives/directory-archive.ts'
import { archiveAll } from '../../src/archive/archive-all.ts'
import { restoreLostKeys } from '../../src/archive/restore/restore-lost-keys.ts'
import { restore } from '../../src/archive/restore/restore.ts'
import { verifyArchive } from '../../src/archive/verify-archive.ts'
import { importFile } from '../../src/capture/documents/import-files.ts'
import { verify } from '../../src/capture/verify.ts'
import { openVerbatim } from '../../src/compose.ts'
import { forget } from '../../src/erasure/forget.ts'
import { UnavailableError } from '../../src/errors.ts'
import { createLog } from '../../src/log.ts'
import type { ArchiveStore } from '../../src/ports/archive-store.ts'
import { exportSession } from '../../src/sessions/exports/export-session.ts'
import { readReceipts } from '../../src/store/erasure/receipts.ts'
import type { Verbatim } from '../../src/verbatim.ts'
import { caller, useStore } from '../sessions/store.ts'
import { endDaemonOf } from '../support/end-daemon.ts'
import { quietConfig } from '../support/quiet-config.ts'
import { isOnServer, makeDatabase } from '../support/test-store.ts'

const root = randomBytes(32).toString('hex')
const on = { VERBATIM_ENCRYPTION: 'on', VERBATIM_ROOT_KEY: root }
const store = useStore(on)
const directory = mkdtempSync(join(tmpdir(), 'verbatim-sealed-'))
const archive = new DirectoryArchive(join(directory, 'archive'))
const log = createLog('silent')
const secret = 'the marzipan is under the lighthouse'
const closing: (() => Promise<unknown>)[] = []
let sessionId: string

beforeAll(async () => {
  sessionId = await store.session([{ content: secret, metadata: { note: secret } }, { content: [{ text: secret }] }])
  await store.open.updateSession(caller, { sessionId, title: secret, summary: secret })
})
afterAll(async () => {
  for (const close of closing.toReversed()) await close()
  rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 500 })
}, 60_000)

const stores = (open: Verbatim) => ({ database: open.stores.database, archive, log })
const nothing = () => undefined

async function emptyStore(settings: Readonly<Record<string, string>>): Promise<Verbatim> {
  const database = isOnServer ? await makeDatabase() : undefined
  if (database !== undefined) closing.push(database.drop)
  const home = join(directory, `home ${closing.length}`)
  const open = await openVerbatim(quietConfig(home, database?.url, settings))
  closing.push(async () => {
    await open[Symbol.asyncDispose]()
    // It may be erasing something still.
    await endDaemonOf(home)
  })
  return open
}

async function exported(open: Verbatim): Promise<string> {
  let text = ''
  const choice = { sessionId, format: 'jsonl' } as const
  for await (const chunk of exportSession({ ...open.stores, archive }, caller, choice)) text += chunk
  return text
}

describe('the archive of an encrypted store', () => {
  it('tells nothing of what is in it, and verify proves it', async () => {
    expect((await archiveAll(stores(store.open), caller, nothing)).problems).toEqual([])
    const objects: string[] = []
    for await (const key of archive.list(''))
      objects.push(key, Buffer.from((await archive.get(key)) ?? []).toString('latin1'))
    expect(objects.length).toBeGreaterThan(6)
    expect(objects.join('\n')).not.toContain('marzipan')
    expect((await verifyArchive(stores(store.open), caller)).problems).toEqual([])
  })

  it('is restored by who has the root key alone, and gives identical exports', async () => {
    const target = await emptyStore(on)
    const report = await restore(stores(target), caller, nothing)
    expect(report).toMatchObject({ sessions: 1, messages: 2, problems: [] })
    // Sentiments come with the index, which both make in the background.
    await expect
      .poll(async () => (await exported(target)) === (await exported(store.open)), { timeout: 30_000 })
      .toBe(true)
    const [page] = (await target.listSessions(caller, { limit: 10 })).sessions
    expect(page?.title).toBe(secret)
    const rows = await target.stores.database.run((sql) => sql`select payload from messages where key_version > 0`)
    expect(rows).toHaveLength(2)
    expect((await verify({ ...target.stores, archive }, caller, nothing)).problems).toEqual([])
    // It goes on under the same key.
    await target.saveMessages(caller, { sessionId, messages: [{ content: 'more', sender: 'Ann', role: 'user' }] })
    expect((await archiveAll(stores(target), caller, nothing)).problems).toEqual([])
    expect((await verifyArchive(stores(target), caller)).problems).toEqual([])
  })

  it('is not restored under another root key: the restore says which it needs', async () => {
    const target = await emptyStore({ ...on, VERBATIM_ROOT_KEY: randomBytes(32).toString('hex') })
    await expect(restore(stores(target), caller, nothing)).rejects.toThrow('encrypted under the root key')
  })

  it('is restored where another store, with a root key and keys of its own, was archived to the same place', async () => {
    const shared = new DirectoryArchive(join(directory, 'shared'))
    cpSync(join(directory, 'archive'), join(directory, 'shared'), { recursive: true })
    const laptop = await emptyStore({ ...on, VERBATIM_ROOT_KEY: randomBytes(32).toString('hex') })
    const { session_id: other } = await laptop.saveMessages(caller, {
      messages: [{ content: 'hello', sender: 'Ann', role: 'user' }],
    })
    expect((await archiveAll({ ...stores(laptop), archive: shared }, caller, nothing)).problems).toEqual([])
    const target = await emptyStore(on)
    const { sessions, problems } = await restore({ ...stores(target), archive: shared }, caller, nothing)
    expect(sessions).toBe(1)
    expect((await target.listSessions(caller, { limit: 10 })).sessions.map(({ title }) => title)).toEqual([secret])
    const said = problems.map(({ session_id: id, object, problem }) => [id ?? object?.split('/')[0], problem])
    expect(said).toContainEqual(['keys', expect.stringContaining('a key of another store')])
    expect(said).toContainEqual([other, 'nothing of it can be read'])
    expect(said.every(([about]) => about === 'keys' || about === other)).toBe(true)
    const neither = await emptyStore({ ...on, VERBATIM_ROOT_KEY: randomBytes(32).toString('hex') })
    const refused = restore({ ...stores(neither), archive: shared }, caller, nothing)
    await expect(refused).rejects.toThrow('encrypted under the root key')
    expect(await neither.stores.database.run((sql) => sql`select from encryption_keys`)).toHaveLength(0)
  })

  it.runIf(isOnServer)(
    'is restored as that of the older store where another one with the same root key was archived to the same place',
    async () => {
      const shared = new DirectoryArchive(join(directory, 'one root'))
      cpSync(join(directory, 'archive'), join(directory, 'one root'), { recursive: true })
      const newer = await emptyStore(on)
      const { session_id: other } = await newer.saveMessages(caller, {
        messages: [{ content: 'hello', sender: 'Ann', role: 'user' }],
      })
      expect((await archiveAll({ ...stores(newer), archive: shared }, caller, nothing)).problems).toEqual([])
      const target = await emptyStore(on)
      const { sessions, problems } = await restore({ ...stores(target), archive: shared }, caller, nothing)
      expect(sessions).toBe(1)
      expect((await target.listSessions(caller, { limit: 10 })).sessions.map(({ title }) => title)).toEqual([secret])
      const keys = problems.flatMap(({ object }) => (object?.startsWith('keys/1/tenant/') === true ? [object] : []))
      expect(keys.length).toBeGreaterThan(0)
      expect(problems).toContainEqual({ session_id: other, problem: 'nothing of it can be read' })
      await expect(restoreLostKeys({ ...stores(target), archive: shared })).rejects.toThrow(
        'two stores with one root key were archived to it',
      )
      // As the guide says: without what was not named the other one is restored.
      for await (const key of shared.list('keys/1/tenant/')) if (!keys.includes(key)) await shared.delete(key)
      const second = await emptyStore(on)
      expect(await restore({ ...stores(second), archive: shared }, caller, nothing)).toMatchObject({ sessions: 1 })
      const [restored] = (await second.listSessions(caller, { limit: 10 })).sessions
      expect(restored?.session_id).toBe(other)
    },
  )

  it('names the session whose key is missing', async () => {
    for await (const key of archive.list(`keys/1/${sessionId}/`)) await archive.delete(key)
    const target = await emptyStore(on)
    const { sessions, problems } = await restore(stores(target), caller, nothing)
    expect(sessions).toBe(0)
    expect(JSON.stringify(problems)).toContain('the key that opens it is missing')
    expect(problems.every((problem) => problem.session_id === sessionId)).toBe(true)
  })

  it('takes in the other documents where one cannot be read, and names that one', async () => {
    const source = await emptyStore({ ...on, VERBATIM_ARCHIVE_IDLE_MINUTES: '1000' })
    const paths = ['a', 'b', 'c'].map((name) => join(directory, `${name}.jsonl`))
    for (const [index, path] of paths.entries()) {
      const row = { role: 'user', content: `document ${index}` }
      const line = { type: 'user', uuid: `${index}`, sessionId: `of ${index}`, timestamp: '2026-01-01T00:00:00.000Z' }
      writeFileSync(path, `${JSON.stringify({ ...line, message: row })}\n`)
      await importFile({ ...source.stores, archive }, caller, { path })
    }
    // The first in the order in which they are archived. Each file is a record beside its one document.
    const [damaged] = await source.stores.database.run(
      (sql) => sql<{ path: string }[]>`
        update import_files set layout = set_byte(layout, 20, get_byte(layout, 20) # 1)
        where id = (select min(id::text)::uuid from import_files where key_version > 0) returning path`,
    )
    const report = await archiveAll(stores(source), caller, nothing)
    expect(report).toMatchObject({ sessions: 3, files: 2 })
    expect(report.problems).toEqual([{ path: damaged?.path, problem: expect.stringContaining('was altered') }])
  })

  it('is cleaned of what was anonymised since, also where the restore was interrupted in between', async () => {
    const [email, place] = ['kanarie.k@posteo.de', join(directory, 'older')]
    const older = new DirectoryArchive(place)
    const source = await emptyStore({ ...on, VERBATIM_ARCHIVE_IDLE_MINUTES: '1000' })
    const said = { sender: 'Ann', role: 'user' } as const
    const { session_id: id } = await source.saveMessages(caller, { messages: [{ ...said, content: `ask ${email}` }] })
    await source.updateSession(caller, { sessionId: id, tags: [`of ${email}`, 'harbour'] })
    await archiveAll({ ...stores(source), archive: older }, caller, nothing)
    await source.saveMessages(caller, { sessionId: id, messages: [{ ...said, content: 'the lamp was lit' }] })
    await archiveAll({ ...stores(source), archive: older }, caller, nothing)
    cpSync(place, `${place} copy`, { recursive: true })
    const { database } = source.stores
    const dependencies = { database, archive: older, index: undefined, visible: database, waitMs: 60_000 }
    const chosen = { action: 'anonymise', sessionId: id } as const
    const preview = await forget(dependencies, caller, chosen)
    await forget(dependencies, caller, { ...chosen, confirm: 'confirm' in preview ? preview.confirm : '' })
    cpSync(`${place} copy`, place, { recursive: true, force: true })

    const target = await emptyStore(on)
    const torn: ArchiveStore = {
      put: (key, bytes) => older.put(key, bytes),
      delete: (key) => older.delete(key),
      erase: (name) => older.erase(name),
      list: (prefix) => older.list(prefix),
      check: () => older.check(),
      get: async (key) => {
        if (key.endsWith('2.vseg')) throw new UnavailableError('the archive is away')
        return await older.get(key)
      },
    }
    await expect(restore({ ...stores(target), archive: torn }, caller, nothing)).rejects.toThrow('the archive is away')
    expect(await target.stores.database.run((sql) => sql`select from messages`)).toHaveLength(1)
    const report = await restore({ ...stores(target), archive: older }, caller, nothing)
    expect(report).toMatchObject({ sessions: 1, messages: 2, erased: 2, problems: [] })
    const [page] = (await target.listSessions(caller, { limit: 10 })).sessions
    expect(page?.tags).toEqual(['of [email]', 'harbour'])
    const receipts = await target.stores.database.run((sql) => readReceipts(sql, caller.tenantId, { limit: 10 }))
    expect(receipts.map(({ action, scope }) => [action, scope])).toEqual([['anonymise', 'tombstones']])
  })
})
