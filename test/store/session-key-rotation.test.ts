import { setTimeout as sleep } from 'node:timers/promises'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { archiveAll } from '../../src/archive/archive-all.ts'
import { restore } from '../../src/archive/restore/restore.ts'
import { verifyArchive } from '../../src/archive/verify-archive.ts'
import { verify } from '../../src/capture/verify.ts'
import { openVerbatim } from '../../src/compose.ts'
import { rotateSessionKey } from '../../src/keys/rotate-session-key.ts'
import { createLog } from '../../src/log.ts'
import { exportSession } from '../../src/sessions/exports/export-session.ts'
import type { Verbatim } from '../../src/verbatim.ts'
import { StoreFixture } from '../embedded/store-fixture.ts'
import { caller, contentsOf, messagesOf, useStore } from '../sessions/store.ts'
import { killedEverywhere, mortalStores, pointsApart } from '../support/mortal-stores.ts'
import { quietConfig } from '../support/quiet-config.ts'
import { isOnServer, makeDatabase } from '../support/test-store.ts'

const on = { VERBATIM_ENCRYPTION: 'on', VERBATIM_ROOT_KEY: 'c5'.repeat(32) }
const store = useStore(on)
const log = createLog('silent')
const nothing = () => undefined
const secret = 'the marzipan is under the lighthouse'
const large = `${secret} ${'z'.repeat(2 * 1024 * 1024)}`
const first = { content: secret, metadata: { note: secret }, messageId: 'first', sender: 'Ann', role: 'user' } as const
const closing: (() => Promise<unknown>)[] = []
let sessionId: string
let largeId: string
let exportBefore: string

beforeAll(async () => {
  const many = Array.from({ length: 250 }, (_, n) => ({ content: `${n}: ${secret}` }))
  sessionId = await store.session([first, { content: large }, { content: [{ type: 'text', text: secret }] }, ...many])
  await store.open.updateSession(caller, { sessionId, title: secret, summary: secret })
  await archiveAll({ ...store.open.stores, log }, caller, nothing)
  exportBefore = await exported(store.open)
  largeId = messagesOf(await store.pages(sessionId, { maxTokens: 8_000 }))[1]?.id ?? ''
})
afterAll(async () => {
  for (const close of closing.toReversed()) await close()
}, 60_000)

function open(): Promise<Verbatim> {
  return openVerbatim(quietConfig(store.fixture.home, store.databaseUrl, on))
}

async function exported({ stores }: Pick<Verbatim, 'stores'>): Promise<string> {
  let text = ''
  for await (const chunk of exportSession(stores, caller, { sessionId, format: 'jsonl' })) text += chunk
  return text
}

/** Sentiments come with the index, which is made in the background. */
function linesOf(text: string): string[] {
  return text.replaceAll(/"sentiment":[^,}]*/g, '').split('\n')
}

/** What is read of the first messages, title and summary by a process that has no key at hand. */
async function read(): Promise<void> {
  await using fresh = await open()
  const page = await fresh.getSession(caller, { sessionId, limit: 4, maxTokens: 8_000, view: 'full' })
  expect([page.title, page.context_summary]).toEqual([secret, secret])
  expect([...contentsOf([page]).values()][0]).toBe(JSON.stringify(secret))
  expect((await fresh.readMessage(caller, { sessionId, messageId: largeId })).message.content).toBe(large)
}

async function state() {
  const [row] = await store.open.stores.database.run(
    (sql) => sql<{ current: number; messages: number[]; summaries: number[]; live: number[] }[]>`
      select s.key_version as current,
        (select jsonb_agg(distinct key_version) from messages where session_id = s.id) as messages,
        (select jsonb_agg(distinct key_version) from summaries where session_id = s.id) as summaries,
        (select jsonb_agg(version) from encryption_keys where session_id = s.id and wrapped is not null) as live
      from sessions s where id = ${sessionId}`,
  )
  return row
}

describe('rotateSessionKey()', () => {
  it(
    'seals all of a session anew, killed wherever it may be, while it is read and saved to',
    { timeout: 240_000 },
    async () => {
      const over = new AbortController()
      const meanwhile = (async () => {
        for (let n = 0; !over.signal.aborted; n++) {
          await read()
          await sleep(500)
          const messages = [{ content: `meanwhile ${n}`, sender: 'Ann', role: 'user' as const }]
          await store.open.saveMessages(caller, { sessionId, messages })
        }
      })()
      await using rotating = await open()
      const key = { tenantId: caller.tenantId, sessionId }
      const kills = await killedEverywhere(
        (lives) => rotateSessionKey({ ...mortalStores(rotating.stores, lives), log }, key, { graceMs: 20 }),
        read,
        pointsApart,
      )
      over.abort()
      await meanwhile
      expect(kills).toBeGreaterThan(7)
      const { current = 0, ...versions } = (await state()) ?? {}
      expect(current).toBeGreaterThan(1)
      expect(versions).toEqual({ messages: [current], summaries: [current], live: [current] })
    },
  )

  it('changes nothing of what is read, found and proven', async () => {
    const before = linesOf(exportBefore).filter((line) => line.includes(secret.slice(0, 12)))
    const now = new Set(linesOf(await exported(store.open)))
    expect(before.length).toBeGreaterThan(250)
    // The first line is the session's own, whose totals have grown.
    expect(before.slice(1).filter((line) => !now.has(line))).toEqual([])
    const { messages } = await store.open.saveMessages(caller, { sessionId, messages: [first] })
    expect(messages[0]?.duplicate).toBe(true)
    const query = {
      query: '"under the lighthouse"',
      limit: 1,
      maxTokens: 2_000,
      mode: 'full_text',
      context: 0,
      format: 'json',
    } as const
    expect((await store.open.search(caller, query)).results[0]?.session_id).toBe(sessionId)
    await using fresh = await open()
    expect((await verify(fresh.stores, caller, nothing)).problems).toEqual([])
  })

  it('leaves an archive that only the new key opens, and from which the same is restored', async () => {
    const { stores } = store.open
    expect((await archiveAll({ ...stores, log }, caller, nothing)).problems).toEqual([])
    expect((await verifyArchive(stores, caller)).problems).toEqual([])
    const { current } = (await state()) ?? {}
    const names: string[] = []
    for await (const name of stores.archive.list('')) names.push(name)
    expect(names.filter((name) => name.startsWith('payloads/')).map((name) => name.replace(/^.*\./, ''))).toEqual([
      `k${current}`,
    ])
    expect(names.filter((name) => name.startsWith(`keys/1/${sessionId}/`))).toHaveLength(1)
    const database = isOnServer ? await makeDatabase() : undefined
    if (database !== undefined) closing.push(database.drop)
    const fixture = new StoreFixture()
    closing.push(() => fixture.dispose())
    const target = await openVerbatim(quietConfig(fixture.home, database?.url, on))
    closing.push(() => target[Symbol.asyncDispose]())
    const restored = { stores: { ...target.stores, archive: stores.archive } }
    expect((await restore({ ...restored.stores, log }, caller, nothing)).problems).toEqual([])
    const [there, here] = [linesOf(await exported(restored)), linesOf(await exported(store.open))]
    expect(there.filter((line, n) => line !== here[n]).map((line) => line.slice(0, 500))).toEqual([])
    expect(there).toHaveLength(here.length)
  })
})
