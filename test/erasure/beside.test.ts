import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { afterAll, expect, it } from 'vitest'

import { DirectoryArchive } from '../../src/adapters/archives/directory-archive.ts'
import { archiveAll } from '../../src/archive/archive-all.ts'
import { putTombstones, tombstoneRecord } from '../../src/archive/restore/archived-tombstones.ts'
import { restore } from '../../src/archive/restore/restore.ts'
import { removeUnused } from '../../src/capture/held-payloads.ts'
import { verify } from '../../src/capture/verify.ts'
import { forget } from '../../src/erasure/forget.ts'
import { workOffErasure } from '../../src/erasure/run-erasure.ts'
import { createLog } from '../../src/log.ts'
import { moveStore } from '../../src/move/move-store.ts'
import { caller, contentsOf, useStore, type Store } from '../sessions/store.ts'
import { instead } from './claimed.ts'

const directory = mkdtempSync(join(tmpdir(), 'verbatim-beside-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))
const older = join(directory, 'older')

const plain = { VERBATIM_ENCRYPTION: 'off' }
const first = useStore(plain)
const restored = useStore({ ...plain, VERBATIM_ARCHIVE: `file:${older}` })
const moved = useStore(plain)
const log = createLog('silent')
const lookMs = 100
const content = `of both ${'y'.repeat(1_100_000)}`

async function expectWhole(store: Store, sessionId: string, said = content): Promise<void> {
  expect(contentsOf(await store.pages(sessionId, { maxTokens: 25_000 })).get(1)).toBe(JSON.stringify(said))
  expect((await verify(store.open.stores, caller, () => undefined)).problems).toEqual([])
}

/** A store with two sessions that have one large payload, of which one message was erased after an archive was copied. */
async function erasedAfterCopy(): Promise<{ readonly erased: string; readonly whole: string }> {
  const { database, archive } = first.open.stores
  const copy = new DirectoryArchive(older)
  const erased = await first.session([{ content }, { content: 'stays' }])
  const whole = await first.session([{ content }])
  await archiveAll({ database, archive: copy, log }, caller, () => undefined)
  for await (const name of archive.list('payloads/')) {
    const bytes = await archive.get(name)
    if (bytes !== undefined) await copy.put(name, bytes)
  }
  const messageId = (await first.pages(erased, { maxTokens: 1_000 }))[0]?.messages[0]?.id
  const dependencies = { database, archive, index: undefined, visible: database }
  const preview = await forget(dependencies, caller, { sessionId: erased, messageId })
  if (preview.status !== 'preview') throw new Error('no preview')
  const receipt = await forget(dependencies, caller, { sessionId: erased, messageId, confirm: preview.confirm })
  if (receipt.status === 'preview') throw new Error('no receipt')
  const about = { tenantId: caller.tenantId, id: receipt.erasure_id }
  await putTombstones(copy, await database.run((sql) => tombstoneRecord(sql, about)))
  return { erased, whole }
}

it(
  'a restore brings a large payload back that an erasure meanwhile would take for one that nobody has',
  { timeout: 300_000 },
  async () => {
    const { erased, whole } = await erasedAfterCopy()
    const { database, archive } = restored.open.stores
    const isTried = async () => {
      const work = await database.run(
        (sql) => sql<{ last_error: string | null }[]>`select last_error from outbox where topic = 'erase'`,
      )
      const there = await database.run((sql) => sql`select from sessions where id = ${erased}`)
      return there.length > 0 && work.every(({ last_error: error }) => error !== null)
    }
    const untilTried = async () => {
      while (!(await isTried()))
        if (!(await workOffErasure({ database, archive, index: undefined }))) await sleep(lookMs)
    }
    // Those of the other one are read when this one is there and what is left of it was to be erased.
    const late = instead(archive, {
      get: async (key) => {
        if (key.startsWith(`${caller.tenantId}/${whole}/`) && key.endsWith('.vseg')) await untilTried()
        return await archive.get(key)
      },
    })
    const report = await restore({ database, archive: late, log }, caller, () => undefined)
    expect(report).toMatchObject({ sessions: 2, problem_count: 0 })
    await expectWhole(restored, whole)
    // Then it is done.
    await database.run((sql) => sql`update outbox set available_at = now(), last_error = null where topic = 'erase'`)
    await untilTried()
    expect(await database.run((sql) => sql`select last_error from outbox where topic = 'erase'`)).toEqual([])
    await expectWhole(restored, whole)
  },
)

it('a migration puts a large payload again that was erased at the target before its message was there', async () => {
  const { database, archive } = moved.open.stores
  // No other session has it, with which it would come again.
  const own = `of one ${'y'.repeat(1_100_000)}`
  const sessionId = await first.session([{ content: own }])
  const [row] = await first.open.stores.database.run(
    (sql) => sql<{ location: string }[]>`
    select payload_location as location from messages where session_id = ${sessionId}`,
  )
  let reads = 0
  const erasing = instead(archive, {
    get: async (key) => {
      const bytes = await archive.get(key)
      // It was put, and read back.
      if (bytes !== undefined && key === row?.location && reads++ === 0) await removeUnused({ database, archive }, key)
      return bytes
    },
  })
  const source = { database: first.open.stores.database, archives: [first.open.stores.archive] }
  const report = await moveStore({ source, target: { database, archive: erasing } }, caller, () => undefined)
  expect(reads).toBe(2)
  expect(report).toMatchObject({ problem_count: 0 })
  await expectWhole(moved, sessionId, own)
})

it('a migration goes on where a payload was erased at both ends before its message was there, and says so', async () => {
  const { database, archive } = moved.open.stores
  const own = `of none ${'y'.repeat(1_100_000)}`
  const sessionId = await first.session([{ content: own }, { content: 'the rest' }])
  const [row] = await first.open.stores.database.run(
    (sql) => sql<{ id: string; location: string }[]>`
    select id, payload_location as location from messages where session_id = ${sessionId} and seq = 1`,
  )
  let reads = 0
  const erasing = instead(archive, {
    get: async (key) => {
      const bytes = await archive.get(key)
      if (bytes !== undefined && key === row?.location && reads++ === 0) {
        await removeUnused({ database, archive }, key)
        await first.open.stores.archive.erase(key)
      }
      return bytes
    },
  })
  const source = { database: first.open.stores.database, archives: [first.open.stores.archive] }
  const report = await moveStore({ source, target: { database, archive: erasing } }, caller, () => undefined)
  expect(report.problems).toEqual([
    { session_id: sessionId, message_id: row?.id, problem: expect.stringContaining('is missing or altered') },
  ])
  expect(contentsOf(await moved.pages(sessionId, { maxTokens: 25_000 })).get(2)).toBe('"the rest"')
})
