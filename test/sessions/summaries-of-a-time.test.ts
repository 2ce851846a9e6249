import { describe, expect, it, onTestFinished } from 'vitest'

import { newTokenText, storeToken } from '../../src/access/access-tokens.ts'
import { grantAccess } from '../../src/access/session-access.ts'
import { TokenVerifier } from '../../src/access/token-verifier.ts'
import { TermHashers } from '../../src/indexing/terms/term-hashers.ts'
import { RollingSummaries } from '../../src/insight/summaries/rolling-summaries.ts'
import { summarizeRequest, type SummarizeRequest } from '../../src/insight/summaries/summarize-request.ts'
import { createLog } from '../../src/log.ts'
import type { Caller } from '../../src/model/access.ts'
import { countReads } from './counted-reads.ts'
import { caller, useStore } from './store.ts'

const store = useStore({ VERBATIM_ROLLING_SUMMARIES: 'off', VERBATIM_LEARNING: 'off' })
const { tenantId } = caller

const said = (timestamp: string, content: string) => ({ content, sender: 'Ann', role: 'user' as const, timestamp })

/** A message a minute from a time on; of every twentieth something was decided. */
function talk(count: number, about: { readonly from: string; readonly cargo: string; readonly first?: number }) {
  const { from, cargo, first = 0 } = about
  return Array.from({ length: count }, (_, at) => {
    const ship = first + at
    return said(
      new Date(Date.parse(from) + at * 60_000).toISOString(),
      at % 20 === 0
        ? `We decided that ship ${ship} unloads its ${cargo} at berth ${ship * 3} before the tide turns.`
        : `Ship ${ship} waits with ${ship * 7} tons of ${cargo} behind the breakwater.`,
    )
  })
}

async function summary(asked: Partial<SummarizeRequest>, as: Caller = caller) {
  const { database, archive } = store.open.stores
  const counted = countReads(database)
  const input = { style: 'decisions', maxTokens: 2_000, refresh: false, keep: true, ...asked } as const
  const stores = { database: counted.database, archive, hashers: new TermHashers(database.vault) }
  const reply = await summarizeRequest(stores, as, input)
  return { reply, read: counted.taken() }
}

async function countExtracts(sessionId: string): Promise<number> {
  const [row] = await store.open.stores.database.run(
    (sql) =>
      sql<{ count: string }[]>`select count(*) from summaries where session_id = ${sessionId} and style = 'extract'`,
  )
  return Number(row?.count)
}

async function principal(name: string): Promise<Caller> {
  const { database } = store.open.stores
  const token = newTokenText()
  await storeToken(database, caller, { token, name, principal: name, scopes: ['memory:read', 'memory:write'] })
  const { access } = await new TokenVerifier(database, createLog('silent')).verify(token)
  return { tenantId, principal: name, principalId: access?.principalId ?? '', client: 'test' }
}

describe('summarize() of a time', () => {
  it('reads sessions once, and afterwards what is new in those that went on', async () => {
    const day = { since: '2026-05-04', until: '2026-05-05' }
    const sessions: string[] = []
    for (const cargo of ['oranges', 'timber', 'copper'])
      sessions.push(await store.session(talk(130, { from: '2026-05-04T08:00:00Z', cargo })))
    const first = await summary(day)
    expect(first.read).toBe(390)
    expect(first.reply.coverage).toMatchObject({ sessions: 3, messages_read: 390 })
    const again = await summary(day)
    expect(again.read).toBe(0)
    expect(again.reply).toEqual(first.reply)
    const [news = said('', ''), ...others] = talk(10, { from: '2026-05-04T20:00:00Z', cargo: 'timber', first: 900 })
    const more = [{ ...news, content: 'It was agreed that the porcelain takes the night train to Vienna.' }, ...others]
    await store.open.saveMessages(caller, { sessionId: sessions[1], messages: more })
    const { reply, read } = await summary(day)
    // The last segment of the one session that went on.
    expect(read).toBe(40)
    expect(reply.coverage).toMatchObject({ sessions: 3, messages_read: 400 })
    expect(reply.summary).toContain('porcelain')
    // The summary of a session is made of the same.
    expect((await summary({ sessionId: sessions[0] })).read).toBe(30)
    const [page] = await store.pages(sessions[1] ?? '', { maxTokens: 4_000, limit: 1 })
    const messageId = page?.messages[0]?.id ?? ''
    const preview = await store.open.erasures.forget(caller, { sessionId: sessions[1], messageId })
    await store.open.erasures.forget(caller, {
      sessionId: sessions[1],
      messageId,
      confirm: 'confirm' in preview ? preview.confirm : undefined,
    })
    const erased = await summary(day)
    // The hundred that it was one of; its own row is empty.
    expect(erased.read).toBe(100)
    expect(erased.reply.coverage).toMatchObject({ messages_read: 399 })
  })

  it('reads nothing of sessions that were summarized in the background since', async () => {
    const since = new Date().toISOString()
    const messages = talk(130, { from: since, cargo: 'cement' })
    const sessionId = await store.session(messages.map(({ timestamp: _now, ...message }) => message))
    const { database, archive } = store.open.stores
    const summaries = new RollingSummaries({ database, archive, log: createLog('silent'), quietMs: 100 })
    summaries.start()
    onTestFinished(() => summaries.stop())
    await expect.poll(() => countExtracts(sessionId), { timeout: 20_000 }).toBe(2)
    const { reply, read } = await summary({ since })
    expect(read).toBe(0)
    expect(reply.coverage).toMatchObject({ sessions: 1, messages_read: 130 })
    expect(reply.summary).toContain('cement')
  })

  it('reads again of a segment that is of it in part, and quotes nothing of another time', async () => {
    const before = talk(20, { from: '2026-06-01T08:00:00Z', cargo: 'saffron' })
    const sessionId = await store.session([...before, ...talk(130, { from: '2026-06-02T08:00:00Z', cargo: 'salt' })])
    const day = { since: '2026-06-02', until: '2026-06-03' }
    expect((await summary(day)).read).toBe(130)
    const { reply, read } = await summary(day)
    expect(read).toBe(80)
    expect(reply.coverage).toMatchObject({ sessions: 1, messages_read: 130 })
    expect(reply.summary).not.toContain('saffron')
    expect(new Set(reply.citations.map(({ session_id: id }) => id))).toEqual(new Set([sessionId]))
  })

  it('shows nobody what they may not read, whoever has asked before, and stores nothing for who may only read', async () => {
    const day = { since: '2026-07-01', until: '2026-07-02' }
    const open = await store.session([said('2026-07-01T08:00:00Z', 'We decided that the wool is weighed twice.')])
    const secret = await store.session([
      said('2026-07-01T09:00:00Z', 'It was agreed that the myrrh stays below the chapel of Saint Anne.'),
    ])
    const [keeper, reader] = [await principal('keeper'), await principal('reader')]
    const { database } = store.open.stores
    for (const session of [open, secret])
      await grantAccess(database, caller, { session, principal: 'keeper', role: 'owner' })
    await grantAccess(database, caller, { session: open, principal: 'reader', role: 'reader' })
    expect((await summary(day, reader)).reply.summary).toContain('wool')
    expect(await countExtracts(open)).toBe(0)
    expect((await summary(day, keeper)).reply.summary).toMatch(/wool[\s\S]*myrrh|myrrh[\s\S]*wool/u)
    expect([await countExtracts(open), await countExtracts(secret)]).toEqual([1, 1])
    const { reply, read } = await summary(day, reader)
    expect(read).toBe(0)
    expect(reply.coverage).toMatchObject({ sessions: 1, messages_read: 1 })
    expect(JSON.stringify(reply)).not.toMatch(new RegExp(`myrrh|${secret}`, 'u'))
  })
})
