import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'

import { ArchiveWorker } from '../../src/archive/archive-worker.ts'
import { importFile } from '../../src/capture/documents/import-files.ts'
import { openVerbatim } from '../../src/compose.ts'
import { StandBack } from '../../src/indexing/stand-back.ts'
import { createLog } from '../../src/log.ts'
import { archiveTopic, queueArchive } from '../../src/store/archive/archive-queue.ts'
import { shippedMigrations } from '../../src/store/embedded/compiled.ts'
import { runDaemon } from '../../src/store/embedded/daemon/daemon.ts'
import type { Verbatim } from '../../src/verbatim.ts'
import { packageVersion } from '../../src/version.ts'
import { StoreFixture } from '../embedded/store-fixture.ts'
import { caller } from '../sessions/store.ts'
import { quietConfig } from '../support/quiet-config.ts'
import { temporaryDirectory } from '../support/transcripts.ts'

const { tenantId } = caller
const fixture = new StoreFixture()
const ending = new AbortController()
const opened: { served?: Promise<string>; verbatim?: Verbatim } = {}

function stores(): Verbatim['stores'] {
  if (opened.verbatim === undefined) throw new Error('the store is opened before the first test')
  return opened.verbatim.stores
}

/** A store in which nobody else archives: its daemon does no work. */
beforeAll(async () => {
  const migrationsFolder = shippedMigrations()
  opened.served = runDaemon({
    home: fixture.home,
    version: packageVersion(),
    migrationsFolder,
    signal: ending.signal,
  })
  await fixture.daemonReady()
  opened.verbatim = await openVerbatim(quietConfig(fixture.home))
})

afterAll(async () => {
  await opened.verbatim?.[Symbol.asyncDispose]()
  ending.abort()
  await opened.served
  await fixture.dispose()
})

const anHour = { quietMs: 3_600_000, longestMs: 3_600_000 } as const

class Watched extends StandBack {
  asked = 0

  constructor(isServed: boolean) {
    super(anHour)
    if (isServed) this.served()
  }

  override async turn(signal: AbortSignal): Promise<void> {
    this.asked += 1
    await super.turn(signal)
  }
}

function start(standBack: StandBack): ArchiveWorker {
  const worker = new ArchiveWorker({ ...stores(), log: createLog('silent'), idleMs: 0, standBack })
  onTestFinished(() => worker.stop())
  worker.wake()
  return worker
}

/** Sessions that are left to be archived now. */
async function leave(count: number): Promise<void> {
  const sessions: { tenantId: number; sessionId: string }[] = []
  for (let at = 0; at < count; at++) {
    const messages = [{ content: `A heron, number ${at}.`, sender: 'Ann', role: 'user' as const }]
    const saved = await opened.verbatim?.saveMessages(caller, { messages })
    sessions.push({ tenantId, sessionId: saved?.session_id ?? '' })
  }
  await stores().database.run((sql) => queueArchive(sql, sessions, 0))
}

const rowsOf = async (table: 'outbox' | 'archive_manifests', column: 'topic' | 'kind', value: string) => {
  const rows = await stores().database.run((sql) => sql`select from ${sql(table)} where ${sql(column)} = ${value}`)
  return rows.length
}
const left = () => rowsOf('outbox', 'topic', archiveTopic)
const filesArchived = () => rowsOf('archive_manifests', 'kind', 'file')

describe('archiving, while somebody is served', () => {
  it('stands back before each of many sessions', async () => {
    const many = 20
    await leave(many)
    const busy = new Watched(true)
    const worker = start(busy)
    await expect.poll(() => busy.asked, { timeout: 30_000 }).toBe(1)
    expect(await left()).toBe(many)
    await worker.stop()
    expect(await left()).toBe(many)

    const quiet = new Watched(false)
    start(quiet)
    await expect.poll(left, { timeout: 30_000 }).toBe(0)
    expect(quiet.asked).toBe(many)
  })

  it('goes on with a few', async () => {
    await leave(2)
    const busy = new Watched(true)
    start(busy)
    await expect.poll(left, { timeout: 30_000 }).toBe(0)
    expect(busy.asked).toBe(0)
  })

  it('stands back before each ten of many imported documents', async () => {
    const directory = await temporaryDirectory()
    const files = 11
    for (let at = 0; at < files; at++) {
      const path = join(directory, `${at}.jsonl`)
      await writeFile(path, `{"role":"user","content":"A coot, number ${at}."}\n`)
      await importFile(stores(), caller, { path })
    }
    const busy = new Watched(true)
    const worker = start(busy)
    await expect.poll(() => busy.asked, { timeout: 30_000 }).toBe(1)
    await worker.stop()
    expect(await filesArchived()).toBe(0)
    start(new Watched(false))
    await expect.poll(filesArchived, { timeout: 30_000 }).toBeGreaterThanOrEqual(files)
  })
})
