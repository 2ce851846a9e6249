import { describe, expect, it } from 'vitest'

import { forget } from '../../src/erasure/forget.ts'
import { VerbatimError } from '../../src/errors.ts'
import { summarize, type SummarizeInput } from '../../src/insight/summaries/summarize.ts'
import { changeRestriction } from '../../src/rights/restrict.ts'
import type { Database } from '../../src/store/database.ts'
import { summariesOf } from '../../src/store/summaries/summaries.ts'
import { countReads } from './counted-reads.ts'
import { caller, useStore } from './store.ts'

const store = useStore({ VERBATIM_ROLLING_SUMMARIES: 'off', VERBATIM_LEARNING: 'off' })

const email = 'kanarie.k@posteo.de'

/** Of every tenth something was decided, with whom is an address. */
function talk(count: number) {
  return Array.from({ length: count }, (_, at) => ({
    content:
      at % 10 === 0
        ? `We decided that ship ${at} unloads at berth ${at * 3}, and ${email} has its papers.`
        : `Ship ${at} waits with ${at * 7} tons of salt behind the breakwater.`,
    sender: `captain ${at % 7}`,
  }))
}

const asked = { style: 'detailed', maxTokens: 6_000, refresh: true, keep: true } as const

async function summary(sessionId: string, change: Partial<SummarizeInput> = {}, over = store.open.stores.database) {
  const counted = countReads(over)
  const dependencies = { database: counted.database, archive: store.open.stores.archive }
  const reply = await summarize(dependencies, caller, { sessionId, ...asked, ...change })
  return { reply, read: counted.taken() }
}

const stored = (sessionId: string) => summariesOf(store.open.stores.database, { tenantId: 1, sessionId })

/** The same database; something is done after each thing that it does, and is told how many there were. */
function watched(database: Database, after: (runs: number) => Promise<void>): Database {
  let runs = 0
  return {
    ...database,
    run: async (work) => {
      const result = await database.run(work)
      runs++
      await after(runs)
      return result
    },
  }
}

describe('what stands for a segment that is anonymised', () => {
  it('is gone with the first of its messages that are, though others are not yet', { timeout: 60_000 }, async () => {
    const sessionId = await store.session(talk(500))
    await store.open.saveMessages(caller, { sessionId, messages: talk(150).map((said) => ({ ...said, role: 'user' })) })
    const { reply: before } = await summary(sessionId)
    expect(before.summary).toContain(email)
    const { database, archive } = store.open.stores
    const seen: { texts: string; summary: string }[] = []
    const watching = watched(database, async () => {
      const [row] = await database.run(
        (sql) => sql<{ done: string }[]>`
          select count(*) filter (where anonymized_at is not null) as done from messages where session_id = ${sessionId}`,
      )
      if (seen.length > 0 || row?.done !== '500') return
      const texts = (await stored(sessionId)).filter(({ firstSeq }) => (firstSeq ?? 0) <= 500).map(({ text }) => text)
      const { reply } = await summary(sessionId, { toSeq: 500, keep: false })
      seen.push({ texts: texts.join('\n'), summary: reply.summary })
    })
    const dependencies = { database: watching, archive, index: undefined, visible: database, waitMs: 60_000 }
    const chosen = { action: 'anonymise', sessionId } as const
    const preview = await forget(dependencies, caller, chosen)
    if (preview.status !== 'preview') throw new Error('no preview')
    await forget(dependencies, caller, { ...chosen, confirm: preview.confirm })
    expect(seen).toHaveLength(1)
    expect(seen[0]?.texts).not.toContain(email)
    expect(seen[0]?.summary).toContain('We decided that ship 10 unloads')
    expect(seen[0]?.summary).not.toContain(email)
  })

  it('is read again where it was stored before one of its messages was anonymised', async () => {
    const sessionId = await store.session(talk(150))
    await summary(sessionId)
    expect((await summary(sessionId)).read).toBe(50)
    await store.open.stores.database.run(
      (sql) => sql`update messages set anonymized_at = now() where session_id = ${sessionId} and seq = 51`,
    )
    expect((await summary(sessionId)).read).toBe(150)
    expect((await summary(sessionId)).read).toBe(50)
  })
})

describe('what stands for a segment that is restricted while it is read', () => {
  const restricted = { session: 'it is', participant: 'one who spoke in it' }
  it.each(Object.entries(restricted))(
    'is of all of its messages or is not stored, whenever the %s is',
    { timeout: 120_000 },
    async (what) => {
      const sessionId = await store.session(talk(120))
      const { database } = store.open.stores
      const { reply: whole } = await summary(sessionId, { keep: false })
      const target = what === 'session' ? { session: sessionId } : { participant: 'captain 3' }
      const change = (isRestricted: boolean) =>
        changeRestriction(database, caller, { ...target, isRestricted, reason: 'asked' })
      let points = 0
      for (const lifted of [1, Number.POSITIVE_INFINITY]) {
        let isReached = true
        for (let at = 1; isReached; at++) {
          let state: 'before' | 'restricted' | 'lifted' = 'before'
          const watching = watched(database, async (runs) => {
            if (runs === at) {
              state = 'restricted'
              await change(true)
            } else if (runs === at + lifted) {
              state = 'lifted'
              await change(false)
            }
          })
          // Where it is restricted early, it is refused.
          const [made] = await Promise.allSettled([summary(sessionId, {}, watching)])
          if (made?.status === 'rejected') expect(made.reason).toBeInstanceOf(VerbatimError)
          isReached = state !== 'before'
          if (what === 'session' && state === 'restricted')
            for (const { making } of await stored(sessionId)) expect(making?.messages_read).toBeOneOf([20, 100, 120])
          if (state === 'restricted') await change(false)
          points++
          const { reply } = await summary(sessionId, { keep: false })
          expect(reply.coverage.messages_read, `restricted after ${at} for ${lifted}`).toBe(120)
          expect(reply.summary).toBe(whole.summary)
          await database.run((sql) => sql`delete from summaries where session_id = ${sessionId}`)
        }
      }
      expect(points).toBeGreaterThan(10)
    },
  )
})
