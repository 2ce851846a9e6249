import { randomBytes } from 'node:crypto'
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { archiveAll } from '../../src/archive/archive-all.ts'
import { restore } from '../../src/archive/restore/restore.ts'
import { verify } from '../../src/capture/verify.ts'
import { openVerbatim } from '../../src/compose.ts'
import { readRootKey } from '../../src/crypto/root-key.ts'
import { rotateRootKey } from '../../src/keys/rotate-root-key.ts'
import { rotateTenantKey } from '../../src/keys/rotate-tenant-key.ts'
import { createLog } from '../../src/log.ts'
import { newId } from '../../src/model/ids.ts'
import type { Verbatim } from '../../src/verbatim.ts'
import { caller, messagesOf, useStore } from '../sessions/store.ts'
import { killedEverywhere, mortalStores, pointsApart } from '../support/mortal-stores.ts'
import { quietConfig } from '../support/quiet-config.ts'
import { isOnServer, makeDatabase } from '../support/test-store.ts'

const [first, second] = [randomBytes(32).toString('hex'), randomBytes(32).toString('hex')]
const old = { VERBATIM_ENCRYPTION: 'on', VERBATIM_ROOT_KEY: first }
const between = { ...old, VERBATIM_NEXT_ROOT_KEY: second }
const after = { VERBATIM_ENCRYPTION: 'on', VERBATIM_ROOT_KEY: second }
const store = useStore(between)
const directory = mkdtempSync(join(tmpdir(), 'verbatim-rotation-'))
const nothing = () => undefined
/** Whoever comes anew opens a store of its own, which takes more than what is tested. */
const betweenMs = 500
const killedOftenMs = 300_000
const secret = 'the marzipan is under the lighthouse'
const sessionIds: string[] = []
const closing: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  for (let n = 0; n < 3; n++) sessionIds.push(await store.session([{ content: `${n}: ${secret}` }]))
  // A second tenant's keys are under the same root key.
  await store.open.stores.database.vault.sealOfNew(2, newId())
  const stores = { ...store.open.stores, log: createLog('silent') }
  await archiveAll(stores, caller, nothing)
})
afterAll(async () => {
  for (const close of closing.toReversed()) await close()
  // A daemon that leaves may still write there: what blocks does not try again.
  await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 500 })
}, 60_000)

function openWith(settings: Readonly<Record<string, string>>): Promise<Verbatim> {
  return openVerbatim(quietConfig(store.fixture.home, store.databaseUrl, settings))
}

async function reads(open: Verbatim): Promise<void> {
  const read = await Promise.all(
    sessionIds.map((sessionId) => open.getSession(caller, { sessionId, limit: 10, maxTokens: 8_000, view: 'full' })),
  )
  for (const [n, page] of read.entries()) expect(messagesOf([page])[0]?.content).toBe(`${n}: ${secret}`)
}

/** Reads and saves, each time in a process that holds no key yet, until it is told to stop; how often. */
function useMeanwhile(settings: Readonly<Record<string, string>>) {
  const over = new AbortController()
  const work = (async () => {
    let times = 0
    for (; !over.signal.aborted; times++) {
      await sleep(betweenMs)
      await using fresh = await openWith(settings)
      await reads(fresh)
      // New sessions with new keys, but not without end: there must be an end to what is archived.
      const sessionId = `meanwhile ${times % 3}`
      await fresh.saveMessages(caller, { sessionId, messages: [{ content: `${times}`, sender: 'Ann', role: 'user' }] })
    }
    return times
  })()
  return {
    stop: () => {
      over.abort()
      return work
    },
  }
}

async function wrappings(purpose: 'tenant' | 'all'): Promise<Map<string, number>> {
  const rows = await store.open.stores.database.run(
    (sql) => sql<{ by: string; count: number }[]>`
      select wrapped_by as by, count(*)::int as count from encryption_keys
      where destroyed_at is null and (purpose = 'tenant') = ${purpose === 'tenant'} and tenant_id = 1 group by wrapped_by`,
  )
  return new Map(rows.map(({ by, count }) => [by, count]))
}

async function archivedKeyNames(): Promise<string[]> {
  const names: string[] = []
  for await (const name of store.open.stores.archive.list('keys/')) names.push(name)
  return names
}

describe('rotateRootKey()', () => {
  it(
    'puts all tenants under the next root key, killed wherever it may be, while others read and save',
    { timeout: killedOftenMs },
    async () => {
      await using rotating = await openWith(between)
      const { stores } = rotating
      const meanwhile = useMeanwhile(between)
      const kills = await killedEverywhere(
        (lives) => rotateRootKey(mortalStores(stores, lives)),
        async () => {
          await using fresh = await openWith(between)
          await reads(fresh)
        },
        pointsApart,
      )
      expect(kills).toBeGreaterThan(1)
      expect(await meanwhile.stop()).toBeGreaterThan(0)
      // Who has read its keys before goes on.
      await reads(store.open)
      const id = (await readRootKey({ kind: 'value', text: second }))?.id ?? ''
      expect([...(await wrappings('tenant')).keys()]).toEqual([id])
      const others = await store.open.stores.database.run(
        (sql) => sql`select from encryption_keys where purpose = 'tenant' and wrapped_by <> ${id}`,
      )
      expect(others).toHaveLength(0)
    },
  )

  it('makes the old root key useless, for the store and for its archive, and the new one opens both', async () => {
    await using fresh = await openWith(after)
    await reads(fresh)
    const oldId = (await readRootKey({ kind: 'value', text: first }))?.id ?? ''
    expect((await archivedKeyNames()).filter((name) => name.includes(oldId))).toEqual([])
    await using refused = await openWith(old)
    await expect(reads(refused)).rejects.toThrow('encrypted under the root key')
    const restored = await emptyStore(after)
    expect((await restore(restored, caller, nothing)).problems).toEqual([])
    await expect(restore(await emptyStore(old), caller, nothing)).rejects.toThrow('encrypted under the root key')
  })

  it('has nothing to do again, and says what it needs where no next one is named', async () => {
    await using again = await openWith(between)
    expect(await rotateRootKey(again.stores)).toMatchObject({ keys: 0, changeSettings: true })
    await using unnamed = await openWith(after)
    await expect(rotateRootKey(unnamed.stores)).rejects.toThrow('VERBATIM_ROOT_KEY cannot be written')
  })
})

describe('rotateTenantKey()', () => {
  let holder: Verbatim
  beforeAll(async () => {
    holder = await openWith(after)
    closing.push(() => holder[Symbol.asyncDispose]())
    await reads(holder)
  })

  it(
    'wraps all keys anew and destroys the old one, killed wherever it may be, while others read and save',
    { timeout: killedOftenMs },
    async () => {
      await using rotating = await openWith(after)
      const { stores } = rotating
      const [[oldKey] = []] = await wrappings('all')
      const meanwhile = useMeanwhile(after)
      const kills = await killedEverywhere(
        (lives) => rotateTenantKey(mortalStores(stores, lives), caller.tenantId, nothing),
        async () => {
          await using fresh = await openWith(after)
          await reads(fresh)
        },
        pointsApart,
      )
      expect(kills).toBeGreaterThan(4)
      expect(await meanwhile.stop()).toBeGreaterThan(0)
      const [[newKey] = [], ...others] = await wrappings('all')
      expect(newKey).not.toBe(oldKey)
      expect(others).toEqual([])
      const [destroyed] = await rotating.stores.database.run(
        (sql) =>
          sql<
            { wrapped: unknown; destroyed_at: unknown }[]
          >`select wrapped, destroyed_at from encryption_keys where id = ${oldKey ?? ''}`,
      )
      expect(destroyed).toEqual({ wrapped: null, destroyed_at: expect.anything() })
    },
  )

  it('is known to processes that held the old key, in the archive, and to verify', async () => {
    await reads(holder)
    // By a process that would wrap new keys by the one that was destroyed.
    const message = { content: `3: ${secret}`, sender: 'Ann', role: 'user' } as const
    sessionIds.push((await holder.saveMessages(caller, { messages: [message] })).session_id)
    await using fresh = await openWith(after)
    await reads(fresh)
    const query = {
      query: 'marzipan',
      limit: 9,
      maxTokens: 8_000,
      mode: 'full_text',
      context: 0,
      format: 'json',
    } as const
    await expect.poll(async () => (await fresh.search(caller, query)).results.length, { timeout: 10_000 }).toBe(4)
    expect((await verify(fresh.stores, caller, nothing)).problems).toEqual([])
    const [[newKey] = []] = await wrappings('all')
    const names = await archivedKeyNames()
    for (const sessionId of sessionIds.slice(0, 3))
      expect(
        names.filter((name) => name.startsWith(`keys/1/${sessionId}/`) && name.endsWith(`.${newKey}.vkey`)),
      ).toHaveLength(1)
    const report = await restore(await emptyStore(after), caller, nothing)
    expect(report).toMatchObject({ sessions: 3, messages: 3, problems: [] })
  })
})

async function emptyStore(settings: Readonly<Record<string, string>>) {
  const database = isOnServer ? await makeDatabase() : undefined
  if (database !== undefined) closing.push(database.drop)
  const open = await openVerbatim(quietConfig(join(directory, `home ${closing.length}`), database?.url, settings))
  closing.push(() => open[Symbol.asyncDispose]())
  return { ...open.stores, archive: store.open.stores.archive, log: createLog('silent') }
}
