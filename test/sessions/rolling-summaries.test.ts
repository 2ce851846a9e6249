import { setTimeout as sleep } from 'node:timers/promises'

import { afterAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'

import { openWriter } from '../../src/background/open-writer.ts'
import { RollingSummaries } from '../../src/insight/summaries/rolling-summaries.ts'
import { createLog } from '../../src/log.ts'
import { unobserved } from '../../src/ports/observer.ts'
import { repeatLast } from '../support/faithful-summary.ts'
import { quietConfig } from '../support/quiet-config.ts'
import { ChatStandIn } from '../support/stand-ins/writers.ts'
import { isOnServer } from '../support/test-store.ts'
import { useStore } from './store.ts'

const chat = await ChatStandIn.start()
afterAll(() => chat.stop())
const store = useStore({ VERBATIM_ROLLING_SUMMARIES: 'off', VERBATIM_LEARNING: 'off' })
let logged = ''
beforeEach(() => {
  chat.says = (asked) => repeatLast(asked, 2)
  logged = ''
})

/** What a background thread has, with a model. */
function startRolling(): RollingSummaries {
  const { rolling, dailyTokens } = quietConfig(store.fixture.home, store.databaseUrl, {
    VERBATIM_ROLLING_SUMMARIES: 'model',
    VERBATIM_SUMMARIZER_URL: chat.url,
    VERBATIM_SUMMARIZER_MODEL: chat.model,
  })
  if (rolling?.writer === undefined) throw new Error('the settings name a model')
  const { database, archive } = store.open.stores
  const writer = openWriter(rolling.writer, { database, observer: unobserved, dailyTokens })
  const log = createLog('debug', { write: (text) => (logged += text) })
  const summaries = new RollingSummaries({ database, archive, log, writer, quietMs: 100 })
  summaries.start()
  onTestFinished(() => summaries.stop())
  return summaries
}

const ship = (name: string) =>
  store.session(Array.from({ length: 3 }, (_, at) => ({ content: `The ${name} moors at berth ${at + 1}.` })))

async function summariesOf(sessionIds: readonly string[]): Promise<string[]> {
  const rows = await store.open.stores.database.run(
    (sql) => sql<{ by: string }[]>`
      select made_by as by from summaries where level = 'session' and session_id in (select jsonb_array_elements_text(${JSON.stringify(sessionIds)}::text::jsonb)::uuid)`,
  )
  return rows.map(({ by }) => by)
}

/** The transactions in which somebody works for the tenant. */
async function holders(): Promise<string[]> {
  const rows = await store.open.stores.database.run(
    (sql) => sql<{ id: string }[]>`
      select virtualtransaction as id from pg_locks
      where locktype = 'advisory' and granted and classid = (hashtext('rolling_summaries')::bigint & 4294967295)::oid`,
  )
  return rows.map(({ id }) => id)
}

describe('RollingSummaries', () => {
  it.runIf(isOnServer)('opens a transaction for one session at a time', async () => {
    const ids = [await ship('Marguerite'), await ship('Albatros'), await ship('Esmeralda')]
    chat.plan(...ids.map(() => ({ kind: 'slow', ms: 400 }) as const))
    const summaries = startRolling()
    const seen = new Set<string>()
    const isDone = async () => {
      const held = await holders()
      expect(held.length).toBeLessThanOrEqual(1)
      for (const id of held) seen.add(id)
      return (await summariesOf(ids)).length
    }
    await expect.poll(isDone, { interval: 50, timeout: 20_000 }).toBe(ids.length)
    await summaries.stop()
    expect(seen.size).toBe(ids.length)
    expect(logged).toBe('')
  })

  it('leaves off at once where it is stopped: nothing is made in the place of a summary, and nothing is said', async () => {
    const id = await ship('Zephyr')
    chat.plan({ kind: 'slow', ms: 20_000 })
    const asked = chat.requests.length
    const summaries = startRolling()
    await expect.poll(() => chat.requests.length, { timeout: 20_000 }).toBe(asked + 1)
    const stopped = summaries.stop().then(() => 'stopped')
    expect(await Promise.race([stopped, sleep(5_000)])).toBe('stopped')
    expect(await summariesOf([id])).toEqual([])
    expect(logged).toBe('')
    startRolling()
    await expect.poll(() => summariesOf([id]), { timeout: 20_000 }).toEqual(['openai_compatible'])
  })
})
