import { describe, expect, it } from 'vitest'

import { forget } from '../../src/erasure/forget.ts'
import { UnavailableError, VerbatimError } from '../../src/errors.ts'
import { renderSummary } from '../../src/insight/summaries/render-summary.ts'
import { summarize, type SummarizeInput } from '../../src/insight/summaries/summarize.ts'
import type { ArchiveStore } from '../../src/ports/archive-store.ts'
import { correctMessage } from '../../src/rights/correct.ts'
import { changeRestriction } from '../../src/rights/restrict.ts'
import type { Database } from '../../src/store/database.ts'
import { latestSummary, summariesOf } from '../../src/store/summaries/summaries.ts'
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

interface Over {
  readonly database?: Database
  readonly archive?: ArchiveStore
}

async function summary(sessionId: string, change: Partial<SummarizeInput> = {}, over: Over = {}) {
  const { database, archive } = { ...store.open.stores, ...over }
  const counted = countReads(database)
  const dependencies = { database: counted.database, archive }
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
    // What renews the hold on the work asks in between.
    let isLooking = false
    const watching = watched(database, async () => {
      const [row] = await database.run(
        (sql) => sql<{ done: string }[]>`
          select count(*) filter (where anonymized_at is not null) as done from messages where session_id = ${sessionId}`,
      )
      if (isLooking || row?.done !== '500') return
      isLooking = true
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
    expect(seen[0]?.summary).toMatch(/We decided that ship \d+ unloads/u)
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
          const seen = { isRestricted: false, isReached: false }
          const watching = watched(database, async (runs) => {
            if (runs === at) {
              seen.isReached = true
              seen.isRestricted = true
              await change(true)
            } else if (runs === at + lifted) {
              seen.isRestricted = false
              await change(false)
            }
          })
          // Where it is restricted early, it is refused.
          await summary(sessionId, {}, { database: watching }).catch((error: unknown) => {
            if (!(error instanceof VerbatimError)) throw error
          })
          isReached = seen.isReached
          const kept = what === 'session' && seen.isRestricted ? await stored(sessionId) : []
          expect(kept.filter(({ making }) => ![20, 100, 120].includes(making?.messages_read ?? 0))).toEqual([])
          if (seen.isRestricted) await change(false)
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

describe('a summary of a session in which somebody is restricted while it is made', () => {
  it('has all that was said once they are not any more', async () => {
    const sessionId = await store.session(talk(20))
    const usual = { style: 'decisions', refresh: false } as const
    const change = (isRestricted: boolean) =>
      changeRestriction(store.open.stores.database, caller, {
        participant: 'captain 0',
        isRestricted,
        reason: 'asked',
      })
    await change(true)
    const { reply: lacking } = await summary(sessionId, usual)
    await change(false)
    const { reply: whole } = await summary(sessionId, usual)
    expect(lacking.coverage.messages_read).toBe(17)
    expect(whole.coverage.messages_read).toBe(20)
    expect(whole.summary).toContain('captain 0')
  })
})

describe('a summary of a session in which a message is corrected while it is made', () => {
  it('is not kept with the old words, whenever it is', { timeout: 120_000 }, async () => {
    const content = 'We decided that ship 50 unloads at no berth at all.'
    const outcomes: string[] = []
    for (let isReached = true; isReached;) {
      const sessionId = await store.session(talk(120))
      const seen = { isReached: false }
      const watching = watched(store.open.stores.database, async (runs) => {
        if (runs !== outcomes.length + 1) return
        seen.isReached = true
        const correction = { session: sessionId, message: '51', content, reason: 'asked' }
        await correctMessage(store.open.stores, caller, correction)
      })
      await summary(sessionId, { style: 'decisions' }, { database: watching })
      isReached = seen.isReached
      const shown = await latestSummary(store.open.stores.database, { tenantId: 1, sessionId })
      outcomes.push(shown?.text.includes('ship 50 unloads at berth 150') === true ? 'old words' : 'none')
    }
    // While the last one was made, nothing was corrected.
    expect(outcomes.pop()).toBe('old words')
    expect(new Set(outcomes)).toEqual(new Set(['none']))
    expect(outcomes.length).toBeGreaterThan(5)
  })
})

describe('a summary while the archive is away', () => {
  it('says that it lacks a message, and has it once the archive is back', async () => {
    const large = 'We decided that ship 50 unloads at berth 150, and the Marguerite has its papers.'
    const messages = talk(240)
      .filter((_, at) => at % 10 !== 0)
      .slice(0, 120)
      .map(({ content }) => ({ content }))
    messages[50] = { content: `${large}${' '.repeat(1_200_000)}` }
    const sessionId = await store.session(messages)
    const { archive } = store.open.stores
    const away: ArchiveStore = {
      ...archive,
      get: () => Promise.reject(new UnavailableError('Cannot reach the archive', { remedy: 'Wait' })),
    }
    const usual = { style: 'decisions', refresh: false } as const
    const { reply } = await summary(sessionId, usual, { archive: away })
    expect(reply.coverage.messages_read).toBe(119)
    expect(reply.degraded).toEqual([expect.stringMatching(/^messages that cannot be read: 1\./u)])
    expect(renderSummary(reply)).toMatch(/It lacks messages that cannot be read: 1\./u)
    // Of the other segment all was read.
    expect((await stored(sessionId)).filter(({ style }) => style === 'extract')).toMatchObject([{ firstSeq: 101 }])
    const { reply: whole } = await summary(sessionId, usual)
    expect(whole).not.toHaveProperty('degraded')
    expect(whole.coverage.messages_read).toBe(120)
    expect(whole.summary).toContain(large)
    expect((await summary(sessionId, usual)).read).toBe(0)
  })
})
