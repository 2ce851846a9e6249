import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { repeatLast } from '../support/faithful-summary.ts'
import { ChatStandIn } from '../support/stand-ins/writers.ts'
import { saveBerth } from './support/berth.ts'
import { useHome } from './support/home.ts'
import type { Tools } from './support/tools.ts'

const home = useHome()
const usual = { VERBATIM_EMBEDDER: 'none', VERBATIM_SUMMARY_IDLE_MINUTES: '0.01', VERBATIM_LEARNING: 'off' }

/** What a session shows as its summary, once it has one that `isWanted`. */
async function summaryOf(tools: Tools, sessionId: string, isWanted: (summary: string) => boolean = () => true) {
  const read = async () => (await tools.session(sessionId)).context_summary ?? ''
  await expect.poll(async () => isWanted(await read()) && (await read()) !== '', { timeout: 30_000 }).toBe(true)
  return await read()
}

/** The times of `saveBerth` are of last year: a session of today. */
const today = (sessionId: string, from = 1) => ({
  session_id: sessionId,
  messages: Array.from({ length: 3 }, (_, at) => ({
    content: `We decided that ship ${from + at} moors at berth ${from + at}.`,
    sender: 'Ada',
  })),
})

describe('without a model', () => {
  test('a session of today is summarized once it is quiet, and anew when it went on; neither history nor what is restricted is', async () => {
    home.settings = usual
    const tools = await home.tools()
    await saveBerth(tools, 'history')
    const { session_id: hidden } = await tools.saveAll(today('hidden'))
    await tools.update(hidden, { restricted: true })
    await tools.saveAll(today('rolling'))
    expect(await summaryOf(tools, 'rolling')).toContain('Ada: We decided that ship 1 moors at berth 1.')
    await tools.saveAll(today('rolling', 4))
    expect(await summaryOf(tools, 'rolling', (summary) => summary.includes('ship 6'))).toContain('berth 6')
    expect((await tools.session('history')).context_summary).toBeNull()
    const database = home.database()
    const stored = await database.sql`select from summaries where session_id = ${hidden}`
    await database.close()
    expect(stored).toHaveLength(0)
  })
})

describe('with VERBATIM_ROLLING_SUMMARIES=model', () => {
  let chat: ChatStandIn
  beforeAll(async () => {
    chat = await ChatStandIn.start('sk-paid')
    chat.says = (asked) => repeatLast(asked, 2)
  })
  afterAll(() => chat.stop())

  const settings = () => ({
    ...usual,
    VERBATIM_ROLLING_SUMMARIES: 'model',
    VERBATIM_SUMMARIZER_URL: chat.url,
    VERBATIM_SUMMARIZER_MODEL: chat.model,
    VERBATIM_SUMMARIZER_KEY: 'sk-paid',
  })

  test('the model is asked once for each time that a session went on, and not at all where the budget is used up', async () => {
    await home.endDaemon()
    home.settings = { ...settings(), VERBATIM_DAILY_TOKENS: '0' }
    const broke = await home.tools()
    await broke.saveAll(today('broke'))
    expect(await summaryOf(broke, 'broke')).toContain('Ada: We decided')
    expect(chat.requests).toEqual([])

    await home.endDaemon()
    home.settings = settings()
    const tools = await home.tools()
    await tools.saveAll(today('paid', 20))
    expect(await summaryOf(tools, 'paid')).toBe(
      'We decided that ship 21 moors at berth 21.\nWe decided that ship 22 moors at berth 22.',
    )
    const asked = () => chat.asked.filter((text) => text.includes('ship 22')).length
    expect(asked()).toBe(1)
    const { structured } = await tools.call('summarize', { session_id: 'paid', format: 'json' })
    expect(structured).toMatchObject({ made_by: 'openai_compatible' })
    expect(asked()).toBe(1)
  })

  test('a model that is not configured is said at the start', async () => {
    home.settings = { ...usual, VERBATIM_ROLLING_SUMMARIES: 'model' }
    const { code, stderr } = await home.cli(['status'])
    expect(code).not.toBe(0)
    expect(stderr).toContain('Cannot start as VERBATIM_ROLLING_SUMMARIES is "model" and there is no model to ask')
  })
})
