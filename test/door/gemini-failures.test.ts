import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { geminiError, invalidKey, retryInfo } from '../support/stand-ins/gemini.ts'
import type { Fault } from '../support/stand-ins/json-server.ts'
import { GeminiWriterStandIn } from '../support/stand-ins/writers.ts'
import { saveBerth } from './support/berth.ts'
import { useHome } from './support/home.ts'
import { hitsOf, type Tools } from './support/tools.ts'

const home = useHome()
let gemini: GeminiWriterStandIn

const settingsOf = (more: Readonly<Record<string, string>>) => ({
  VERBATIM_EMBEDDER: 'none',
  VERBATIM_SUMMARIZER: 'gemini',
  VERBATIM_SUMMARIZER_URL: gemini.url,
  GEMINI_API_KEY: gemini.apiKey,
  ...more,
})

const answered = (body: object): Fault => ({ kind: 'text', text: JSON.stringify(body) })
const refused = (code: number, status: string, ...details: readonly object[]): Fault => ({
  kind: 'status',
  status: code,
  body: geminiError(code, status, details),
})
/** Of an answer, the beginning. */
const begun = '{"sentences": [{"text": "The ship lies at berth 14.", "messages": [3]}, {"text": "It lies the'
const content = (text: string) => ({ role: 'model', parts: [{ text }] })

/** What Gemini answers, what is said of it, and how often it is asked where that is not once. */
const failures: [string, Fault, string, number?][] = [
  [
    'has had too many calls',
    refused(429, 'RESOURCE_EXHAUSTED', retryInfo('20s')),
    'too many calls for now (status 429)',
  ],
  ['fails', refused(500, 'INTERNAL'), 'it does not answer (status 500)'],
  ['is overloaded', refused(503, 'UNAVAILABLE'), 'it does not answer (status 503)', 3],
  ['gives up itself', refused(504, 'DEADLINE_EXCEEDED'), 'it does not answer (status 504)', 3],
  [
    'knows no such key',
    refused(400, 'INVALID_ARGUMENT', invalidKey),
    'refused the key, the model or the address (status 400)',
  ],
  [
    'forbids it to this key',
    refused(403, 'PERMISSION_DENIED'),
    'refused the key, the model or the address (status 403)',
  ],
  ['has no such model', refused(404, 'NOT_FOUND'), 'refused the key, the model or the address (status 404)'],
  ['takes no such input', refused(400, 'INVALID_ARGUMENT'), 'it does not take this input (status 400)'],
  ['breaks the connection', { kind: 'reset' }, 'it does not answer', 3],
  ['breaks the connection within its answer', { kind: 'truncated' }, 'it does not answer'],
  ['answers no JSON', { kind: 'text', text: '{"candidates": [' }, 'its answer is not what its description says'],
  ['answers something else', answered({ candidates: 'none' }), 'its answer is not what its description says'],
  ['answers nothing', answered({ candidates: [] }), 'its answer is not what its description says'],
  [
    'writes another form',
    answered({ candidates: [{ content: content('The ship.'), finishReason: 'STOP' }] }),
    'its answer is not what',
  ],
  [
    'blocks the question',
    answered({ promptFeedback: { blockReason: 'SAFETY' } }),
    'it held its answer back, by rules of its own',
  ],
  [
    'blocks the answer',
    answered({ candidates: [{ finishReason: 'SAFETY' }] }),
    'it held its answer back, by rules of its own',
  ],
  [
    'stops at what it recites',
    answered({ candidates: [{ content: content(begun), finishReason: 'RECITATION' }] }),
    'it held its answer back',
  ],
  [
    'breaks off',
    answered({ candidates: [{ content: content(begun), finishReason: 'MAX_TOKENS' }] }),
    'its answer broke off at the length',
  ],
  [
    'thinks for too long',
    answered({ candidates: [{ content: { role: 'model' }, finishReason: 'MAX_TOKENS' }] }),
    'its answer broke off at the length',
  ],
]

beforeAll(async () => {
  gemini = await GeminiWriterStandIn.start()
})
afterAll(() => gemini.stop())

describe('a summary, where Gemini', () => {
  let tools: Tools
  beforeAll(async () => {
    home.settings = settingsOf({ VERBATIM_LEARNING: 'patterns' })
    tools = await home.tools()
  })

  test.each<(typeof failures)[number]>(failures)(
    "%s: is of the messages' own sentences, says why, and is asked for again",
    async (...[what, fault, why, tries = 1]) => {
      await saveBerth(tools, what)
      gemini.plan(...Array.from({ length: tries }, () => fault))
      const asked = gemini.requests.length
      const { text, isError } = await tools.call('summarize', { session_id: what })
      expect(isError).not.toBe(true)
      expect(text).toMatch(
        /clerk: Berth 14, until Friday\.[\s\S]*made by: extractive[\s\S]*Not by a model: Cannot use gemini as /u,
      )
      expect(text).toContain(why)
      // What the service says is not repeated.
      expect(text).not.toContain('provider text')
      gemini.says = '{"sentences": [{"text": "The ship lies at berth 14.", "messages": [3]}]}'
      const again = await tools.call('summarize', { session_id: what, format: 'json' })
      expect(again.structured).toMatchObject({ made_by: 'gemini', summary: 'The ship lies at berth 14.' })
      expect(gemini.requests).toHaveLength(asked + tries + 1)
    },
  )

  test.each<[string, ...Fault[]]>([
    [
      'has had too many calls and wants to be asked again at once',
      refused(429, 'RESOURCE_EXHAUSTED', retryInfo('0.5s')),
    ],
    ['is overloaded for a moment', refused(503, 'UNAVAILABLE')],
    ['breaks the connection, and then gives up itself', { kind: 'reset' }, refused(504, 'DEADLINE_EXCEEDED')],
  ])('%s: is by Gemini', async (what, ...faults) => {
    await saveBerth(tools, what)
    gemini.plan(...faults)
    gemini.says = '{"sentences": [{"text": "The ship lies at berth 14.", "messages": [3]}]}'
    const asked = gemini.requests.length
    const { structured } = await tools.call('summarize', { session_id: what, format: 'json' })
    expect(structured).toMatchObject({ made_by: 'gemini', summary: 'The ship lies at berth 14.' })
    expect(structured).not.toHaveProperty('degraded')
    expect(gemini.requests).toHaveLength(asked + faults.length + 1)
  })

  test('gives no answer to some, is asked about others all the same', async () => {
    for (let at = 0; at < 4; at++) {
      await saveBerth(tools, `withheld ${at}`)
      gemini.plan(answered({ promptFeedback: { blockReason: 'PROHIBITED_CONTENT' } }))
      await tools.call('summarize', { session_id: `withheld ${at}` })
    }
    await saveBerth(tools, 'not withheld')
    const reply = await tools.call('summarize', { session_id: 'not withheld', format: 'json' })
    expect(reply.structured).toMatchObject({ made_by: 'gemini' })
  })

  test('all of this is logged without a word of the messages, of the answers or of the key', () => {
    for (const secret of ['Marguerite', 'Berth 14', 'berth 14', 'provider text', gemini.apiKey])
      expect(home.complaints).not.toContain(secret)
  })
})

describe('a search whose words Gemini is asked for, where it', () => {
  test.each([
    ['blocks the question', answered({ promptFeedback: { blockReason: 'SAFETY' } }), 'it held its answer back'],
    ['has no such key', refused(400, 'INVALID_ARGUMENT', invalidKey), 'refused the key'],
    ['is slow', { kind: 'slow', ms: 4_000 } as const, 'gemini did not answer in time'],
  ] as const)('%s: finds what its own words find, and says why', async (what, fault, why) => {
    home.settings = settingsOf({ VERBATIM_QUERY_EXPANSION: 'on' })
    const tools = await home.tools()
    await tools.save({ session_id: 'report', content: 'The report is due on Friday.', sender: 'Ada' })
    gemini.plan(fault)
    const reply = await tools.search({ query: `When is the report due, if Gemini ${what}?`, context: 0 })
    expect(hitsOf(reply)[0]?.text).toBe('The report is due on Friday.')
    expect(reply.degraded.join()).toContain('query expansion: ')
    expect(reply.degraded.join()).toContain(why)
  })

  test('breaks off: takes the words that came', async () => {
    home.settings = settingsOf({ VERBATIM_QUERY_EXPANSION: 'on' })
    const tools = await home.tools()
    await tools.save({ session_id: 'pets', content: 'We took the small tabby from the shelter.', sender: 'Ada' })
    gemini.plan(answered({ candidates: [{ content: content('tabby\n'), finishReason: 'MAX_TOKENS' }] }))
    const reply = await tools.search({ query: 'Did they get a kitten?', context: 0 })
    expect(reply.coverage.expansion?.added).toEqual(['tabby'])
  })
})

describe('learning', () => {
  test('goes on by patterns where Gemini fails, and by Gemini when its time has come, with what came of an answer', async () => {
    await home.endDaemon()
    home.settings = settingsOf({})
    const quote = 'Our harbour ledger moved to PostgreSQL 17 in March'
    const fact = { kind: 'fact', message: 1, quote, text: 'The harbour ledger runs on PostgreSQL 17' }
    gemini.says = `[${JSON.stringify(fact)}, {"kind": "fa`
    const broken = { candidates: [{ content: content(gemini.says), finishReason: 'MAX_TOKENS' }] }
    gemini.plan(refused(429, 'RESOURCE_EXHAUSTED', retryInfo('1s')), answered(broken))
    const asked = gemini.requests.length
    const tools = await home.tools()
    // A model does not wait for the end of a conversation of which so much waits.
    const messages = Array.from({ length: 41 }, (_, at) => `${at === 0 ? quote : 'I live in Porto'}.`)
    await tools.saveAll({ session_id: 'harbour', messages: messages.map((one) => ({ content: one, sender: 'Ada' })) })
    const facts = async () => (await home.cli(['facts', 'list', '--session', 'harbour'])).stdout
    await expect.poll(facts, { timeout: 60_000, interval: 500 }).toContain('I live in Porto')
    await expect.poll(facts, { timeout: 60_000, interval: 500 }).toContain(fact.text)
    expect(gemini.requests.length).toBeGreaterThanOrEqual(asked + 2)
  })
})
