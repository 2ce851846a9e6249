import { describe, expect, it } from 'vitest'

import { summarize, type SummarizeInput } from '../../src/insight/summaries/summarize.ts'
import type { SummaryReply } from '../../src/insight/summaries/summary-reply.ts'
import { correctMessage } from '../../src/rights/correct.ts'
import { changeRestriction } from '../../src/rights/restrict.ts'
import { summariesOf } from '../../src/store/summaries/summaries.ts'
import { forgetMade } from '../../src/store/sync/forget-made.ts'
import { inTransaction } from '../../src/store/transaction.ts'
import { countReads } from './counted-reads.ts'
import { caller, useStore } from './store.ts'

const store = useStore({ VERBATIM_ROLLING_SUMMARIES: 'off', VERBATIM_LEARNING: 'off' })

const cargoes = ['oranges', 'timber', 'copper', 'salt', 'wool', 'coffee', 'glass', 'cement', 'horses', 'tobacco']

/** Each says something of its own; of every fifth something was decided. */
function talk(count: number, from = 0) {
  return Array.from({ length: count }, (_, index) => {
    const at = from + index
    const cargo = cargoes[at % cargoes.length] ?? ''
    const content =
      at % 5 === 0
        ? `We decided that ship ${at} unloads its ${cargo} at berth ${at * 3} before the tide turns.`
        : `Ship ${at} waits with ${at * 7} tons of ${cargo} behind the breakwater of the harbour.`
    return { content, sender: `captain ${at % 7}`, role: 'user' as const }
  })
}

async function talked(count: number): Promise<string> {
  const sessionId = await store.session(talk(Math.min(count, 500)))
  for (let from = 500; from < count; from += 500) await say(sessionId, talk(Math.min(500, count - from), from))
  return sessionId
}

const say = (sessionId: string, messages: ReturnType<typeof talk>) =>
  store.open.saveMessages(caller, { sessionId, messages })

interface Read {
  readonly reply: SummaryReply
  /** How many messages were read for it. */
  readonly read: number
}

async function summary(sessionId: string, change: Partial<SummarizeInput> = {}): Promise<Read> {
  const { database, archive } = store.open.stores
  const counted = countReads(database)
  const input = { sessionId, style: 'brief', maxTokens: 600, refresh: false, keep: true, ...change } as const
  const reply = await summarize({ database: counted.database, archive }, caller, input)
  return { reply, read: counted.taken() }
}

async function extracts(sessionId: string) {
  const all = await summariesOf(store.open.stores.database, { tenantId: 1, sessionId })
  return all
    .filter(({ style }) => style === 'extract')
    .map(({ id, firstSeq, lastSeq, text }) => ({ id, firstSeq, lastSeq, text }))
    .toSorted((a, b) => (a.firstSeq ?? 0) - (b.firstSeq ?? 0))
}

const everything = { style: 'detailed', maxTokens: 6_000, refresh: true } as const
const idOf = async (sessionId: string, seq: number) =>
  (await store.open.getSession(caller, { sessionId, fromSeq: seq, limit: 1, maxTokens: 4_000, view: 'full' }))
    .messages[0]?.id ?? ''

describe('summarize() of a session that goes on, without a model', () => {
  it('reads what is new, and of what is not at most the last segment again', async () => {
    const sessionId = await talked(950)
    const first = await summary(sessionId)
    expect(first.read).toBe(950)
    expect(first.reply.coverage).toMatchObject({ messages_read: 950, to_seq: 950 })
    let count = 950
    for (const more of [1, 30, 60, 200]) {
      await say(sessionId, talk(more, count))
      count += more
      const { reply, read } = await summary(sessionId)
      expect(read).toBeGreaterThanOrEqual(more)
      expect(read).toBeLessThan(more + 100)
      // It is of all of them nonetheless, and quotes the old ones.
      expect(reply.coverage).toMatchObject({ messages_read: count, to_seq: count })
      expect(Math.min(...reply.citations.map(({ seq }) => seq))).toBeLessThan(900)
    }
    const other = await summary(sessionId, { style: 'handoff' })
    expect(other.read).toBe(count - 1_200)
    expect(other.reply.coverage.messages_read).toBe(count)
  })

  it('says what it says when all of it is read at once', async () => {
    const grown = await talked(120)
    await summary(grown)
    for (const from of [120, 260, 350]) {
      await say(grown, talk(from === 350 ? 33 : 90 + (from === 120 ? 50 : 0), from))
      await summary(grown)
    }
    const atOnce = await talked(383)
    for (const style of ['brief', 'detailed', 'decisions', 'handoff'] as const) {
      const [one, other] = [await summary(grown, { style }), await summary(atOnce, { style, keep: false })]
      expect(one.reply.summary).toBe(other.reply.summary)
      expect(one.reply.citations.map(({ seq, text }) => ({ seq, text }))).toEqual(
        other.reply.citations.map(({ seq, text }) => ({ seq, text })),
      )
    }
    expect(await extracts(atOnce)).toEqual([])
    expect((await extracts(grown)).map(({ lastSeq }) => lastSeq)).toEqual([100, 200, 300, 383])
  })

  it('stores what stands for its segments under the key of the session', async () => {
    const sessionId = await talked(150)
    await summary(sessionId)
    const rows = await store.open.stores.database.run(
      (sql) => sql<{ body: Buffer; version: number }[]>`
        select body, key_version as version from summaries where session_id = ${sessionId} and level = 'segment'`,
    )
    expect(rows).toHaveLength(2)
    for (const { body, version } of rows) {
      expect(version).toBeGreaterThan(0)
      expect(body.toString('latin1')).not.toContain('berth')
    }
  })
})

describe('what stands for a segment', () => {
  it('is made anew where a message of it was corrected, and where the correction is erased', async () => {
    const sessionId = await talked(250)
    await summary(sessionId, everything)
    const before = await extracts(sessionId)
    expect(before[0]?.text).toContain('ship 50 unloads')
    const content = 'We decided that ship 50 goes back to Valparaiso.'
    const correction = { session: sessionId, message: '51', content, reason: 'asked' }
    const { message_id: messageId } = await correctMessage(store.open.stores, caller, correction)
    const { reply, read } = await summary(sessionId, everything)
    expect(reply.summary).not.toContain('ship 50 unloads')
    // The other 99 of its segment, and the last segment with the correction.
    expect(read).toBe(99 + 51)
    const after = await extracts(sessionId)
    expect(after[0]?.text).not.toContain('ship 50 unloads')
    expect(after[1]).toEqual(before[1])
    await erase(sessionId, messageId)
    // One of them is the empty row of the correction.
    expect((await summary(sessionId, everything)).read).toBe(100 + 51)
    expect((await extracts(sessionId))[0]?.text).toContain('ship 50 unloads')
  })

  it('goes with a message that is erased, at once; what stands for the others stays', async () => {
    const sessionId = await talked(250)
    await summary(sessionId, everything)
    const before = await extracts(sessionId)
    expect(before[0]?.text).toContain('ship 50 unloads')
    await erase(sessionId, await idOf(sessionId, 51))
    const stored = await summariesOf(store.open.stores.database, { tenantId: 1, sessionId })
    expect(stored.map(({ text }) => text).join()).not.toContain('ship 50 unloads')
    expect(await extracts(sessionId)).toEqual(before.slice(1))
    const { reply, read } = await summary(sessionId, everything)
    expect(reply.summary).not.toContain('ship 50 unloads')
    // One of the hundred is an empty row.
    expect(read).toBe(100 + 50)
  })

  it('is not stored where a message is erased while it is read', async () => {
    const sessionId = await talked(150)
    const { database, archive } = store.open.stores
    const counted = countReads(database)
    let erased: Promise<void> | undefined
    const meddling = {
      ...counted.database,
      run: async <T>(work: Parameters<typeof database.run<T>>[0]) => {
        const result = await counted.database.run(work)
        if (counted.taken() > 0) await (erased ??= erase(sessionId, await idOf(sessionId, 51)))
        return result
      },
    }
    const asked = { sessionId, style: 'brief', maxTokens: 600, refresh: false, keep: true } as const
    await summarize({ database: meddling, archive }, caller, asked)
    expect(erased).toBeDefined()
    expect(await extracts(sessionId)).toEqual([])
  })

  it('is out of use while somebody is restricted who spoke in it, and is used again afterwards', async () => {
    const sessionId = await talked(250)
    const { database } = store.open.stores
    const restrict = (isRestricted: boolean) =>
      changeRestriction(database, caller, { participant: 'captain 1', isRestricted, reason: 'asked' })
    const { reply: first } = await summary(sessionId, everything)
    expect(first.citations.map(({ sender }) => sender)).toContain('captain 1')
    const before = await extracts(sessionId)
    await restrict(true)
    const { reply } = await summary(sessionId, everything)
    expect(reply.citations.map(({ sender }) => sender)).not.toContain('captain 1')
    expect(await extracts(sessionId)).toEqual(before)
    await restrict(false)
    const { reply: again, read } = await summary(sessionId, everything)
    expect(again.summary).toBe(first.summary)
    expect(read).toBe(50)
  })

  it('is made anew where one of its messages is flagged by now, or has another number', async () => {
    const sessionId = await talked(250)
    const { database } = store.open.stores
    await expect.poll(async () => (await store.open.status(caller)).index.messages_behind, { timeout: 30_000 }).toBe(0)
    await summary(sessionId, everything)
    const flagged = await database.run(
      (sql) => sql`
        update search_units set flags = '{"instructions": ["override"]}' where session_id = ${sessionId} and first_seq = 51 and level in (0, 3)`,
    )
    expect(flagged.count).toBeGreaterThan(0)
    const { reply, read } = await summary(sessionId, everything)
    expect(reply.summary).not.toContain('ship 50 unloads')
    expect(read).toBe(100 + 50)
    expect(reply.coverage).toMatchObject({ messages_read: 249, messages_left_out: 1 })
    // What a sync does where it puts a message among those that are there.
    await database.run((sql) =>
      inTransaction(sql, (transaction) => forgetMade(transaction, { tenantId: 1, sessionId }, 120)),
    )
    expect((await extracts(sessionId)).map(({ firstSeq }) => firstSeq)).toEqual([1])
    expect((await summary(sessionId, everything)).read).toBe(150)
  })

  it('is made anew where an earlier version chose it, and so is the summary', async () => {
    const sessionId = await talked(250)
    const { database } = store.open.stores
    const first = await summary(sessionId)
    expect((await summary(sessionId)).read).toBe(0)
    const kept = (await extracts(sessionId)).map(({ id }) => id)
    await database.run((sql) => sql`update summaries set model = null where session_id = ${sessionId}`)
    const { reply, read } = await summary(sessionId)
    expect(read).toBe(250)
    expect(reply.summary).toBe(first.reply.summary)
    const made = (await extracts(sessionId)).map(({ id }) => id)
    expect(made).toHaveLength(kept.length)
    expect(made.filter((id) => kept.includes(id))).toEqual([])
    expect((await summary(sessionId)).read).toBe(0)
    expect((await summary(sessionId, everything)).read).toBe(50)
  })

  it('is not stored by who may only read', async () => {
    const sessionId = await talked(150)
    await summary(sessionId, { keep: false })
    expect(await extracts(sessionId)).toEqual([])
  })
})

async function erase(sessionId: string, messageId: string): Promise<void> {
  const preview = await store.open.erasures.forget(caller, { sessionId, messageId })
  const confirm = 'confirm' in preview ? preview.confirm : undefined
  await store.open.erasures.forget(caller, { sessionId, messageId, confirm })
}
