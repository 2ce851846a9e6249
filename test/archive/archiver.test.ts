import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, describe, expect, it } from 'vitest'

import { DirectoryArchive } from '../../src/adapters/archives/directory-archive.ts'
import { archiveAll, archiveAnew } from '../../src/archive/archive-all.ts'
import { Archiver } from '../../src/archive/archiver.ts'
import { sealOpener } from '../../src/archive/seal-opener.ts'
import { decodeSegment, segmentKey } from '../../src/archive/segment.ts'
import { verifyArchive } from '../../src/archive/verify-archive.ts'
import { workOffErasure } from '../../src/erasure/run-erasure.ts'
import { ConflictError, UnavailableError } from '../../src/errors.ts'
import { createLog } from '../../src/log.ts'
import type { ArchiveStore } from '../../src/ports/archive-store.ts'
import {
  forgetArchive,
  insertSegment,
  isUnerased,
  readManifest,
  readSegments,
} from '../../src/store/archive/archive-state.ts'
import type { Database } from '../../src/store/database.ts'
import { forgetArchived } from '../../src/store/keys/resealed-rows.ts'
import type { Queries } from '../../src/store/rows.ts'
import { inTransaction } from '../../src/store/transaction.ts'
import { caller, useStore } from '../sessions/store.ts'
import { isOnServer } from '../support/test-store.ts'

const store = useStore()
const directory = mkdtempSync(join(tmpdir(), 'verbatim-archiver-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))
const log = createLog('silent')
const archive = new DirectoryArchive(join(directory, 'archive'))

function dependencies(change: { archive?: ArchiveStore; database?: Database } = {}) {
  return { database: store.open.stores.database, archive, log, ...change }
}

async function save(sessionId: string, contents: readonly unknown[]) {
  const messages = contents.map((content) => ({ content, sender: 'Ann', role: 'user' as const }))
  const saved = await store.open.saveMessages(caller, { sessionId, messages })
  return { tenantId: 1, sessionId: saved.session_id }
}

const segmentsOf = (key: { tenantId: number; sessionId: string }) =>
  store.open.stores.database.run((sql) => readSegments(sql, key))

/** An archive that does something else once, where a key matches. */
function once(matches: RegExp, fault: (key: string, bytes: Uint8Array) => Promise<void>): ArchiveStore {
  let isDone = false
  return {
    get: (key) => archive.get(key),
    delete: (key) => archive.delete(key),
    erase: (name) => archive.erase(name),
    list: (prefix) => archive.list(prefix),
    check: () => archive.check(),
    async put(key, bytes) {
      if (isDone || !matches.test(key)) return await archive.put(key, bytes)
      isDone = true
      return await fault(key, bytes)
    },
  }
}

describe('archiving a session', () => {
  it('puts what is new into a segment after the last, and says so in a new manifest', async () => {
    const key = await save('grows', ['one', 'two'])
    await new Archiver(dependencies()).archiveSession(key)
    await save('grows', ['three'])
    await new Archiver(dependencies()).archiveSession(key)
    const segments = await segmentsOf(key)
    expect(segments).toMatchObject([
      { number: 1, firstSeq: 1, lastSeq: 2 },
      { number: 2, firstSeq: 3, lastSeq: 3 },
    ])
    const manifest = await store.open.stores.database.run((sql) =>
      readManifest(sql, 1, { kind: 'session', subjectId: key.sessionId }),
    )
    expect(manifest?.number).toBe(2)
  })

  it('writes nothing where nothing has changed', async () => {
    const key = await save('rests', ['one'])
    const keys: string[] = []
    const watched: ArchiveStore = {
      ...once(/never/, () => Promise.resolve()),
      put: (name, bytes) => {
        keys.push(name)
        return archive.put(name, bytes)
      },
    }
    await new Archiver(dependencies({ archive: watched })).archiveSession(key)
    // The key of the session, a segment and a manifest.
    expect(keys).toHaveLength(3)
    await new Archiver(dependencies({ archive: watched })).archiveSession(key)
    expect(keys).toHaveLength(3)
  })

  it('keeps the first manifest and the two newest', async () => {
    const key = await save('many', ['one'])
    for (let turn = 0; turn < 6; turn++) {
      await save('many', [`turn ${turn}`])
      await new Archiver(dependencies()).archiveSession(key)
    }
    const names: string[] = []
    for await (const name of archive.list(`1/${key.sessionId}/`)) names.push(name.replace(/.*\//, ''))
    expect(names.filter((name) => name.endsWith('.vmanifest'))).toEqual(
      [1, 5, 6].map((number) => `00000${number}.vmanifest`),
    )
  })

  it('cuts a long session into full segments', async () => {
    const key = await save(
      'long',
      Array.from({ length: 450 }, (_, index) => index),
    )
    for (let part = 1; part < 5; part++)
      await save(
        'long',
        Array.from({ length: 450 }, (_, index) => index),
      )
    await new Archiver(dependencies()).archiveSession(key)
    expect((await segmentsOf(key)).map(({ firstSeq, lastSeq }) => [firstSeq, lastSeq])).toEqual([
      [1, 1_000],
      [1_001, 2_000],
      [2_001, 2_250],
    ])
  })

  it('takes a segment for its own that was put by who died before it was recorded', async () => {
    const key = await save('orphan', ['one', 'two'])
    const dying = once(/000001\.vseg$/, async (name, bytes) => {
      await archive.put(name, bytes)
      throw new Error('killed')
    })
    await expect(new Archiver(dependencies({ archive: dying })).archiveSession(key)).rejects.toThrow('killed')
    expect(await segmentsOf(key)).toEqual([])
    await save('orphan', ['three'])
    await new Archiver(dependencies()).archiveSession(key)
    expect(await segmentsOf(key)).toMatchObject([{ lastSeq: 2 }, { firstSeq: 3, lastSeq: 3 }])
    expect((await verifyArchive(dependencies(), caller)).problems).toEqual([])
  })

  it('does the same with a manifest', async () => {
    const key = await save('orphan manifest', ['one'])
    const dying = once(/vmanifest$/, async (name, bytes) => {
      await archive.put(name, bytes)
      throw new Error('killed')
    })
    await expect(new Archiver(dependencies({ archive: dying })).archiveSession(key)).rejects.toThrow('killed')
    await new Archiver(dependencies()).archiveSession(key)
    const read = () =>
      store.open.stores.database.run((sql) => readManifest(sql, 1, { kind: 'session', subjectId: key.sessionId }))
    expect(await read()).toMatchObject({ number: 1 })
    // And goes on after those that it does not know of.
    await store.open.stores.database.run(
      (sql) => sql`delete from archive_manifests where subject_id = ${key.sessionId}`,
    )
    await save('orphan manifest', ['two'])
    await new Archiver(dependencies()).archiveSession(key)
    expect(await read()).toMatchObject({ number: 2 })
  })

  it.each(['segment', 'manifest'])(
    'leaves the %s that another has archived anew since it was put, read before that',
    async (kind) => {
      const { database } = store.open.stores
      const key = await save(`anew ${kind}`, ['one', 'two'])
      // Between what is put and what is noted of it: as a change of the session's key does, and as erasures do.
      const slow = once(new RegExp(`/000001\\.v${kind === 'segment' ? 'seg' : 'manifest'}$`), async (name, bytes) => {
        await archive.put(name, bytes)
        await database.run((sql) => inTransaction(sql, (own) => forgetArchived(own, key)))
        await archive.erase(`1/${key.sessionId}/`)
        await new Archiver(dependencies()).archiveSession(key)
      })
      await expect(new Archiver(dependencies({ archive: slow })).archiveSession(key)).rejects.toThrow(ConflictError)
      expect(await segmentsOf(key)).toMatchObject([{ firstSeq: 1, lastSeq: 2 }])
      expect((await verifyArchive(dependencies(), caller)).problems).toEqual([])
    },
  )

  it('leaves a segment that another has taken up since it was put', async () => {
    const { database } = store.open.stores
    const key = await save('taken up', ['one', 'two'])
    const slow = once(/000001\.vseg$/, async (name, bytes) => {
      await archive.put(name, bytes)
      // As an erasure does of another message, which looked through the archive before the object was there.
      await database.run((sql) => inTransaction(sql, (own) => forgetArchived(own, key)))
      await new Archiver(dependencies()).archiveSession(key)
    })
    await expect(new Archiver(dependencies({ archive: slow })).archiveSession(key)).rejects.toThrow(ConflictError)
    expect(await segmentsOf(key)).toMatchObject([{ firstSeq: 1, lastSeq: 2 }])
    expect((await verifyArchive(dependencies(), caller)).problems).toEqual([])
  })

  it.runIf(isOnServer)('does not remove a segment from under another who has just found it there', async () => {
    const { database } = store.open.stores
    const key = await save('found', ['one', 'two'])
    const name = segmentKey(key, 1)
    const putting = once(/000001\.vseg$/, async (location, bytes) => {
      await archive.put(location, bytes)
      await database.run((sql) => inTransaction(sql, (own) => forgetArchived(own, key)))
    })
    const waiting = () =>
      database.run(
        (sql) => sql`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      )
    let other: Promise<unknown> | undefined
    const removing: ArchiveStore = {
      ...putting,
      async get(location) {
        const found = await archive.get(location)
        if (location !== name || other !== undefined) return found
        // It was looked at, and is about to be removed.
        let isOver = false
        other = new Archiver(dependencies()).archiveSession(key).catch((error: unknown) => error)
        void other.then(() => (isOver = true))
        await expect.poll(async () => isOver || (await waiting()).length > 0, { timeout: 4_000 }).toBe(true)
        return found
      },
    }
    await expect(new Archiver(dependencies({ archive: removing })).archiveSession(key)).rejects.toThrow(ConflictError)
    await other
    expect((await verifyArchive(dependencies(), caller)).problems).toEqual([])
    expect((await archiveAll(dependencies(), caller, () => {})).problems).toEqual([])
    expect(await segmentsOf(key)).toMatchObject([{ firstSeq: 1, lastSeq: 2 }])
    expect((await verifyArchive(dependencies(), caller)).problems).toEqual([])
  })

  it('leaves to be erased what it has put of what was erased meanwhile, where the archive does not answer then', async () => {
    const { database } = store.open.stores
    const key = await save('put late, and no answer', ['one'])
    const putting = once(/000001\.vseg$/, async (name, bytes) => {
      await database.run((sql) => inTransaction(sql, (own) => forgetArchived(own, key)))
      await archive.put(name, bytes)
    })
    const silent: ArchiveStore = {
      ...putting,
      erase: () => Promise.reject(new UnavailableError('Cannot erase from the archive bucket: TimeoutError')),
    }
    // The background work of the store has another archive.
    const owned: Database = {
      ...database,
      run: async (work) => {
        const done = await database.run(work)
        await database.run(
          (sql) => sql`update outbox set available_at = now() + interval '1 hour' where topic = 'erase'`,
        )
        return done
      },
    }
    const archiver = new Archiver(dependencies({ archive: silent, database: owned }))
    await expect(archiver.archiveSession(key)).rejects.toThrow(ConflictError)
    await database.run((sql) => sql`update outbox set available_at = now() where topic = 'erase'`)
    while (await workOffErasure({ database, archive, index: undefined }));
    expect(await archive.get(segmentKey(key, 1))).toBeUndefined()
    expect((await archiveAll(dependencies(), caller, () => {})).problems).toEqual([])
    expect((await verifyArchive(dependencies(), caller)).problems).toEqual([])
  })

  it.each(['000002.vseg', '000002.vmanifest'])(
    'archives a session whole that was forgotten as archived while %s was put',
    async (name) => {
      const { database } = store.open.stores
      const session = `forgotten at ${name}`
      const key = await save(session, ['one', 'two'])
      await new Archiver(dependencies()).archiveSession(key)
      await save(session, ['three'])
      const slow = once(new RegExp(`${key.sessionId}/${name}$`), async (location, bytes) => {
        await archive.put(location, bytes)
        // The place has lost all of it, and is filled again.
        await database.run((sql) => inTransaction(sql, (own) => forgetArchive(own, key.tenantId)))
        await archive.erase(`1/${key.sessionId}/`)
      })
      await expect(new Archiver(dependencies({ archive: slow })).archiveSession(key)).rejects.toThrow(ConflictError)
      expect((await archiveAll(dependencies(), caller, () => {})).problems).toEqual([])
      expect((await segmentsOf(key)).map(({ firstSeq, lastSeq }) => [firstSeq, lastSeq])).toEqual([[1, 3]])
      expect((await verifyArchive(dependencies(), caller)).problems).toEqual([])
    },
  )

  it('names no segment in a manifest that was forgotten before', async () => {
    const { database } = store.open.stores
    const key = await save('forgotten before', ['one'])
    let isForgotten = false
    const forgetting: Database = {
      ...database,
      run: async (work) => {
        const done = await database.run(work)
        if (!isForgotten && (await segmentsOf(key)).length > 0) {
          isForgotten = true
          await database.run((sql) => inTransaction(sql, (own) => forgetArchive(own, key.tenantId)))
        }
        return done
      },
    }
    const archiving = new Archiver(dependencies({ database: forgetting })).archiveSession(key)
    await expect(archiving).rejects.toThrow(/was forgotten meanwhile/)
    expect((await archiveAll(dependencies(), caller, () => {})).problems).toEqual([])
    expect(await segmentsOf(key)).toMatchObject([{ firstSeq: 1, lastSeq: 1 }])
    expect((await verifyArchive(dependencies(), caller)).problems).toEqual([])
  })

  it.runIf(isOnServer)('forgets of a session also what is just being noted', async () => {
    const { database } = store.open.stores
    const key = await save('just noted', ['one'])
    const segment = { number: 1, firstSeq: 1, lastSeq: 1, location: segmentKey(key, 1), sha256: '00', chain: '00' }
    const waiting = (sql: Queries) =>
      sql`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
    const forgetting = { isOver: false, done: Promise.resolve() }
    await database.run((sql) =>
      inTransaction(sql, async (own) => {
        expect(await isUnerased(own, key, 0)).toBe(true)
        await insertSegment(own, key, { ...segment, sizeBytes: 1 })
        forgetting.done = database
          .run((other) => inTransaction(other, (transaction) => forgetArchived(transaction, key)))
          .finally(() => (forgetting.isOver = true))
        await expect.poll(async () => forgetting.isOver || (await waiting(own)).length > 0).toBe(true)
      }),
    )
    await forgetting.done
    expect(await segmentsOf(key)).toEqual([])
  })

  it('takes away what it has put itself of what was erased meanwhile', async () => {
    const { database } = store.open.stores
    const key = await save('put late', ['one'])
    const slow = once(/000001\.vseg$/, async (name, bytes) => {
      await database.run((sql) => inTransaction(sql, (own) => forgetArchived(own, key)))
      await archive.erase(`1/${key.sessionId}/`)
      await archive.put(name, bytes)
    })
    await expect(new Archiver(dependencies({ archive: slow })).archiveSession(key)).rejects.toThrow(ConflictError)
    expect(await archive.get(segmentKey(key, 1))).toBeUndefined()
  })

  it('refuses to go on from a segment that holds other messages, by name', async () => {
    const key = await save('mine', ['one'])
    const other = await save('another', ['two'])
    await new Archiver(dependencies()).archiveSession(other)
    const bytes = await archive.get(segmentKey(other, 1))
    await archive.put(segmentKey(key, 1), bytes ?? new Uint8Array())
    const error = await new Archiver(dependencies()).archiveSession(key).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(ConflictError)
    expect(error).toMatchObject({ message: expect.stringContaining('it holds other messages than the store') })
    const report = await archiveAll(dependencies(), caller, () => {})
    expect(report.problems).toMatchObject([{ session_id: key.sessionId }])
    await archive.delete(segmentKey(key, 1))
    expect((await archiveAll(dependencies(), caller, () => {})).problems).toEqual([])
  })

  it('lets two do the same at once', async () => {
    const key = await save(
      'twice',
      Array.from({ length: 400 }, (_, index) => `message ${index}`),
    )
    const both = [new Archiver(dependencies()), new Archiver(dependencies())]
    for (let turn = 0; turn < 5; turn++) {
      await Promise.all([...both.map((one) => one.archiveSession(key)), save('twice', [`turn ${turn}`])])
    }
    await new Archiver(dependencies()).archiveSession(key)
    expect((await segmentsOf(key)).at(-1)).toMatchObject({ lastSeq: 405 })
    expect((await verifyArchive(dependencies(), caller)).problems).toEqual([])
  })

  it('goes on when a lock of the bucket keeps an old manifest', async () => {
    const key = await save('locked', ['one'])
    const locked: ArchiveStore = {
      ...once(/never/, () => Promise.resolve()),
      delete: () => Promise.reject(new UnavailableError('Cannot write to the archive bucket: AccessDenied')),
    }
    for (let turn = 0; turn < 5; turn++) {
      await save('locked', [`turn ${turn}`])
      await new Archiver(dependencies({ archive: locked })).archiveSession(key)
    }
    expect(await archive.get(`1/${key.sessionId}/000002.vmanifest`)).toBeDefined()
    expect((await segmentsOf(key)).at(-1)).toMatchObject({ lastSeq: 6 })
  })
})

describe('archiveAnew()', () => {
  it('writes again what the archive has lost, and takes what is there for its own', async () => {
    const keys = [await save('lost', ['one']), await save('kept', ['two'])] as const
    await archiveAll(dependencies(), caller, () => {})
    await archive.delete(segmentKey(keys[0], 1))
    expect((await verifyArchive(dependencies(), caller)).problem_count).toBe(1)
    expect((await archiveAnew(dependencies(), caller, () => {})).problems).toEqual([])
    expect((await verifyArchive(dependencies(), caller)).problems).toEqual([])
    expect((await segmentsOf(keys[1])).map(({ number }) => number)).toEqual([1])
  })
})

describe('verifyArchive()', () => {
  it('names a segment that is missing, changed, or not what the store holds', async () => {
    const missing = await save('is missing', ['one'])
    const differs = await save('differs', ['one'])
    await archiveAll(dependencies(), caller, () => {})
    expect((await verifyArchive(dependencies(), caller)).problem_count).toBe(0)
    await archive.delete(segmentKey(missing, 1))
    await store.open.stores.database.run(
      (sql) => sql`update messages set payload_sha256 = ${Buffer.alloc(32)} where session_id = ${differs.sessionId}`,
    )
    const { problems } = await verifyArchive(dependencies(), caller)
    expect(problems).toEqual([
      { session_id: missing.sessionId, object: segmentKey(missing, 1), problem: 'it is missing' },
      {
        session_id: differs.sessionId,
        object: segmentKey(differs, 1),
        problem: 'message 1 is not the one that the store holds',
      },
    ])
  })

  it('reads segments that decode to what the store holds', async () => {
    const key = await save('decodes', [{ any: ['thing', null, 1.5] }])
    await new Archiver(dependencies()).archiveSession(key)
    const { messages } = await decodeSegment(
      (await archive.get(segmentKey(key, 1))) ?? new Uint8Array(),
      sealOpener(store.open.stores.database),
    )
    expect(Buffer.from(messages[0]?.payload ?? []).toString()).toBe('{"any":["thing",null,1.5]}')
  })
})
