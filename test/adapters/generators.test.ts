import { expect, onTestFinished, test } from 'vitest'

import { GuardedGenerator } from '../../src/adapters/generators/guarded-generator.ts'
import { openGenerator } from '../../src/adapters/generators/open-generator.ts'
import { PatientGenerator } from '../../src/adapters/generators/patient-generator.ts'
import { ProviderError } from '../../src/ports/provider-error.ts'
import { geminiError, retryInfo } from '../support/stand-ins/gemini.ts'
import type { Fault } from '../support/stand-ins/json-server.ts'
import { ChatStandIn, GeminiWriterStandIn } from '../support/stand-ins/writers.ts'

const request = { instructions: 'Answer in one word.', text: 'Which colour has the sky?', tokensMax: 20 }
const bounds = () => ({ signal: AbortSignal.timeout(10_000) })

function tooMany(retryDelay: string): Fault {
  const body = geminiError(429, 'RESOURCE_EXHAUSTED', [retryInfo(retryDelay)])
  return { kind: 'status', status: 429, body }
}

async function geminiWriter() {
  const standIn = await GeminiWriterStandIn.start()
  onTestFinished(() => standIn.stop())
  return { standIn, generator: openGenerator({ kind: 'gemini', apiKey: standIn.apiKey, baseUrl: standIn.url }) }
}

async function chatWriter(apiKey?: string) {
  const standIn = await ChatStandIn.start(apiKey)
  onTestFinished(() => standIn.stop())
  return {
    standIn,
    generator: openGenerator({ kind: 'openai-compatible', url: standIn.url, model: standIn.model, apiKey }),
  }
}

test.each([
  ['Gemini', geminiWriter],
  ['a chat server', () => chatWriter('sk-1')],
] as const)('%s: the answer is given trimmed, and calls with a key are paid ones', async (_, open) => {
  const { standIn, generator } = await open()
  standIn.says = ' Blue.\n'
  expect(await generator.generate(request, bounds())).toBe('Blue.')
  expect(generator.isPaid).toBe(true)
})

test.each([
  ['Gemini', geminiWriter, 'withheld'],
  ['a chat server', () => chatWriter(), 'malformed'],
] as const)('%s: an answer without text is no answer', async (_, open, failure) => {
  const { generator } = await open()
  await expect(generator.generate(request, bounds())).rejects.toMatchObject({ failure })
})

test('what a provider says of a failure is not repeated, and after three in a row it is left alone', async () => {
  const { standIn, generator: plain } = await chatWriter()
  const generator = new GuardedGenerator(plain)
  standIn.plan(
    ...Array.from({ length: 3 }, () => ({ kind: 'status' as const, status: 500, body: { error: 'secret' } })),
  )
  for (let at = 0; at < 3; at++)
    await expect(generator.generate(request, bounds())).rejects.toThrow(/^(?!.*secret)Cannot use openai-compatible/)
  standIn.says = 'Blue.'
  await expect(generator.generate(request, bounds())).rejects.toMatchObject({ failure: 'unavailable' })
  expect(standIn.requests).toHaveLength(3)
})

const failed = (status: number, retryAfter?: string): Fault => ({
  kind: 'status',
  status,
  ...(retryAfter === undefined ? {} : { headers: { 'retry-after': retryAfter } }),
})

/** What happens to the first calls, and what becomes of all: how often it is asked, and how that ends where not with an answer. */
const troubles: [string, readonly Fault[], number, string?][] = [
  ['has had too many calls', [failed(429, '0')], 2],
  ['has had too many calls for longer', [failed(429, '20')], 1, 'rate_limited'],
  ['has had too many calls, who knows for how long', [failed(429)], 1, 'rate_limited'],
  ['cannot be reached twice', [failed(502), failed(503)], 3],
  ['cannot be reached for long', [failed(502), failed(503), failed(504)], 3, 'unavailable'],
  ['wants to be left alone for long', [failed(503, '20')], 1, 'unavailable'],
  ['resets the connection twice', [{ kind: 'reset' }, { kind: 'reset' }], 3],
  ['begins to answer', [{ kind: 'truncated' }], 1, 'unavailable'],
  ['fails at it', [failed(500)], 1, 'unavailable'],
  ['gave up waiting', [failed(408)], 1, 'timeout'],
  ['does not take it', [failed(400)], 1, 'rejected'],
  ['knows no such key', [failed(401)], 1, 'refused'],
  ['forbids it', [failed(403)], 1, 'refused'],
  ['answers no JSON', [{ kind: 'text', text: '{' }], 1, 'malformed'],
]

test.each<(typeof troubles)[number]>(troubles)('a model that %s', async (...[, faults, requests, failure]) => {
  for (const { standIn, generator: plain } of [await geminiWriter(), await chatWriter()]) {
    const isHeaderRead = standIn instanceof ChatStandIn
    const generator = new PatientGenerator(plain)
    standIn.says = 'Blue.'
    standIn.plan(...(isHeaderRead ? faults : faults.map(asGeminis)))
    const answer = await generator
      .generate(request, bounds())
      .catch((error: unknown) => (error instanceof ProviderError ? error.failure : error))
    expect(answer).toBe(failure ?? 'Blue.')
    expect(standIn.requests).toHaveLength(requests)
  }
})

/** A failure as Gemini says it: in the body, when to come again too. */
function asGeminis(fault: Fault): Fault {
  if (fault.kind !== 'status') return fault
  const { status, headers } = fault
  const after = headers?.['retry-after']
  const details = after === undefined ? [] : [retryInfo(`${after}s`)]
  return { kind: 'status', status, body: geminiError(status, 'A_STATUS', details) }
}

test('a model is not waited for where there is no time', async () => {
  const { standIn, generator: plain } = await geminiWriter()
  const generator = new PatientGenerator(plain)
  standIn.plan(tooMany('4s'), tooMany('4s'), { kind: 'reset' })
  const short = { signal: AbortSignal.timeout(10_000), endsAtMs: performance.now() + 3_000 }
  await expect(generator.generate(request, short)).rejects.toMatchObject({ failure: 'rate_limited' })
  const given = { signal: AbortSignal.timeout(300) }
  await expect(generator.generate(request, given)).rejects.toMatchObject({ name: 'TimeoutError' })
  const none = { signal: AbortSignal.timeout(10_000), endsAtMs: performance.now() }
  await expect(generator.generate(request, none)).rejects.toMatchObject({ failure: 'unavailable' })
  expect(standIn.requests).toHaveLength(3)
})

test('the tries of one call are one failure to who counts them', async () => {
  const { standIn, generator: plain } = await chatWriter()
  const generator = new GuardedGenerator(new PatientGenerator(plain))
  standIn.plan(...Array.from({ length: 6 }, () => failed(503)))
  for (let at = 0; at < 2; at++)
    await expect(generator.generate(request, bounds())).rejects.toMatchObject({ failure: 'unavailable', status: 503 })
  standIn.says = 'Blue.'
  expect(await generator.generate(request, bounds())).toBe('Blue.')
  expect(standIn.requests).toHaveLength(7)
})

test('a wrong key is refused by name', async () => {
  const standIn = await ChatStandIn.start('sk-right')
  onTestFinished(() => standIn.stop())
  const generator = openGenerator({
    kind: 'openai-compatible',
    url: standIn.url,
    model: standIn.model,
    apiKey: 'sk-wrong',
  })
  await expect(generator.generate(request, bounds())).rejects.toMatchObject({ failure: 'refused' })
})

test('nobody waits longer than their signal says, and a used up budget does not count as a failure', async () => {
  const never = new GuardedGenerator({
    provider: 'slow',
    model: 'm',
    isPaid: false,
    generate: () => new Promise<never>(() => {}),
  })
  await expect(never.generate(request, { signal: AbortSignal.timeout(20) })).rejects.toMatchObject({
    name: 'TimeoutError',
  })
  const broke = new GuardedGenerator({
    provider: 'dear',
    model: 'm',
    isPaid: true,
    generate: () => Promise.reject(new ProviderError('dear', 'over_budget')),
  })
  for (let at = 0; at < 5; at++)
    await expect(broke.generate(request, bounds())).rejects.toMatchObject({ failure: 'over_budget' })
})

test('Gemini is held to a form, where one is asked for', async () => {
  const { standIn, generator } = await geminiWriter()
  standIn.says = '{"colour": "blue"}'
  const answer = { type: 'object', properties: { colour: { type: 'string' } }, required: ['colour'] }
  expect(await generator.generate({ ...request, answer }, bounds())).toBe('{"colour": "blue"}')
  expect(JSON.parse(standIn.requests[0]?.text ?? '')).toMatchObject({
    generationConfig: { responseMimeType: 'application/json', responseJsonSchema: answer },
  })
})

test('a chat server that refuses to say something is told from one that does not work', async () => {
  const { standIn, generator } = await chatWriter()
  const message = { role: 'assistant', content: null, refusal: 'I cannot help with that.' }
  standIn.plan({ kind: 'text', text: JSON.stringify({ choices: [{ index: 0, message, finish_reason: 'stop' }] }) })
  await expect(generator.generate(request, bounds())).rejects.toMatchObject({ failure: 'withheld' })
})

test.each([
  ['cat\nlion', 'cat'],
  ['cat\nlion\n', 'cat\nlion'],
  ['cat', 'cut_off'],
])('of %j, which broke off, the whole lines are of use: %j', async (content, expected) => {
  const chat = await chatWriter()
  const message = { role: 'assistant', content }
  const choices = [{ index: 0, message, finish_reason: 'length' }]
  chat.standIn.plan({ kind: 'text', text: JSON.stringify({ choices }) })
  const gemini = await geminiWriter()
  const candidates = [{ content: { parts: [{ text: content }] }, finishReason: 'MAX_TOKENS' }]
  gemini.standIn.plan({ kind: 'text', text: JSON.stringify({ candidates }) })
  for (const { generator } of [chat, gemini]) {
    const given = generator
      .generate({ ...request, mayBreakOff: 'after a line' }, bounds())
      .catch((error: unknown) => (error instanceof ProviderError ? error.failure : error))
    expect(await given).toBe(expected)
  }
})

test.each([
  ['length', undefined, 'cut_off'],
  ['length', true, 'Blue and'],
  ['content_filter', true, 'withheld'],
] as const)(
  'a chat server that ends with %s, where what breaks off is of use: %s',
  async (finish, mayBreakOff, expected) => {
    const { standIn, generator } = await chatWriter()
    const message = { role: 'assistant', content: 'Blue and' }
    standIn.plan({ kind: 'text', text: JSON.stringify({ choices: [{ index: 0, message, finish_reason: finish }] }) })
    const given = generator
      .generate({ ...request, ...(mayBreakOff === undefined ? {} : { mayBreakOff }) }, bounds())
      .catch((error: unknown) => (error instanceof ProviderError ? error.failure : error))
    expect(await given).toBe(expected)
  },
)
