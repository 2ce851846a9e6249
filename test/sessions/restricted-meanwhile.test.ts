import { afterAll, describe, expect, it } from 'vitest'

import { OpenAiCompatibleGenerator } from '../../src/adapters/generators/openai-compatible-generator.ts'
import { VerbatimError } from '../../src/errors.ts'
import { summarize } from '../../src/insight/summaries/summarize.ts'
import { changeRestriction } from '../../src/rights/restrict.ts'
import type { Database } from '../../src/store/database.ts'
import { repeatLast } from '../support/faithful-summary.ts'
import { ChatStandIn } from '../support/stand-ins/writers.ts'
import { caller, useStore } from './store.ts'

const chat = await ChatStandIn.start()
afterAll(() => chat.stop())
chat.says = (asked) => repeatLast(asked, 6)
const store = useStore({ VERBATIM_ROLLING_SUMMARIES: 'off', VERBATIM_LEARNING: 'off' })

const writers = {
  'by a model': new OpenAiCompatibleGenerator({ url: chat.url, model: chat.model }),
  'of its own sentences': undefined,
}
const targets = ['somebody who spoke in it', 'it'] as const

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

const session = () =>
  store.session(
    Array.from({ length: 12 }, (_, at) => ({
      content: `We decided that ship ${at} unloads at berth ${at * 3}.`,
      sender: `captain ${at % 3}`,
    })),
  )

describe.each(Object.entries(writers))('a summary of a session %s', (_, writer) => {
  it.each(targets)('has all that was said where %s was restricted for a while as it was made', async (target) => {
    const { database, archive } = store.open.stores
    const input = { style: 'decisions', maxTokens: 2_000, refresh: false, keep: true } as const
    let points = 0
    for (const lifted of [1, 2, 3]) {
      let isReached = true
      for (let at = 1; isReached; at++) {
        const sessionId = await session()
        const named = target === 'it' ? { session: sessionId } : { participant: 'captain 1' }
        const change = (isRestricted: boolean) =>
          changeRestriction(database, caller, { ...named, isRestricted, reason: 'asked' })
        const seen = { isReached: false, isRestricted: false }
        const watching = watched(database, async (runs) => {
          if (runs !== at && runs !== at + lifted) return
          seen.isReached = runs === at + lifted
          seen.isRestricted = runs === at
          await change(seen.isRestricted)
        })
        // Where it is restricted early, it is refused.
        await summarize({ database: watching, archive, writer }, caller, { ...input, sessionId }).catch(
          (error: unknown) => {
            if (!(error instanceof VerbatimError)) throw error
          },
        )
        if (seen.isRestricted) await change(false)
        isReached = seen.isReached
        const { coverage } = await summarize({ database, archive, writer }, caller, { ...input, sessionId })
        expect(coverage.messages_read, `restricted after ${at} for ${lifted}`).toBe(12)
        points++
      }
    }
    expect(points).toBeGreaterThan(10)
  })
})
