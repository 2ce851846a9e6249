import { describe, expect, test } from 'vitest'

import { GeminiStandIn } from '../support/stand-ins/gemini.ts'
import type { Fault } from '../support/stand-ins/json-server.ts'
import { OpenAiStandIn } from '../support/stand-ins/openai.ts'
import { isOnServer, lacksVectors } from '../support/test-store.ts'
import { openHome } from './support/archived.ts'
import type { Home } from './support/home.ts'
import { until } from './support/semantic-status.ts'
import type { Tools } from './support/tools.ts'

const openAiSettings = (standIn: OpenAiStandIn): Home['settings'] => ({
  VERBATIM_EMBEDDER: 'openai-compatible',
  VERBATIM_EMBEDDER_URL: `${standIn.url}/v1`,
  VERBATIM_EMBEDDING_MODEL: standIn.model,
})

const faults = (count: number, status: number): Fault[] =>
  Array.from({ length: count }, () => ({ kind: 'status', status }))

const line = 'Our cat had three kittens.'
const byMeaning = { query: 'kittens', mode: 'semantic' } as const

const refusal = (tools: Tools) => tools.refusal('search_memory', byMeaning)

/** Until meaning is searched again; a search asks for the provider to be tried. */
const healed = (tools: Tools) =>
  expect.poll(async () => (await tools.search({ query: 'kittens' })).coverage.semantic, { timeout: 90_000 }).toBe('on')

describe.skipIf(lacksVectors)('an embedder that never said which its model is', () => {
  test.each([
    {
      status: 401,
      why: 'Cannot use openai-compatible as it refused the key, the model or the address',
      remedy: 'Check the settings of the provider',
    },
    {
      status: 503,
      why: 'Cannot use openai-compatible as it does not answer',
      remedy: 'check the network and the address',
    },
  ])('with status $status: a search by meaning says why, and what to do, until it answers', async (away) => {
    await using standIn = await OpenAiStandIn.start()
    standIn.plan(...faults(100, away.status))
    const home = await openHome(openAiSettings(standIn))
    const tools = await home.tools()
    await tools.save({ session_id: 'lost', content: line, sender: 'Ada' })
    // On a busy machine the first call may be over time, which is another reason, and is made again.
    const { waits_for: waits } = await until(tools, ({ waits_for: reason }) => reason?.includes(away.why) === true)
    expect(waits).toContain(away.why)
    const said = await refusal(tools)
    expect(said).toContain(`Cannot search by meaning: no message has a vector yet. ${away.why}`)
    expect(said).toContain(away.remedy)
    expect(said).toContain('Use mode "hybrid" or "full_text", or try again later')
    // The index of words begins with the first search, which on a busy machine may be over before it has.
    await expect
      .poll(async () => (await tools.search({ query: 'kittens' })).results, { timeout: 30_000 })
      .toHaveLength(1)
    const { coverage, degraded } = await tools.search({ query: 'kittens' })
    expect(coverage.semantic).toBe('unavailable')
    expect(degraded.join()).toContain(`semantic search: no message has a vector yet. ${away.why}`)
    const { stdout } = await home.cli(['doctor'])
    expect(stdout).toContain(`PROBLEM  semantic search: ${away.why}`)
    expect(stdout).toContain(away.remedy)
    standIn.answerAll()
    await healed(tools)
    expect(await tools.hits(byMeaning)).toEqual([line])
    expect((await until(tools, ({ waits_for: reason }) => reason === undefined)).waits_for).toBeUndefined()
  })

  test('after it did so in an earlier process, it is the one that the store has vectors of', async () => {
    await using standIn = await OpenAiStandIn.start()
    const home = await openHome(openAiSettings(standIn))
    const before = await home.tools()
    await before.save({ session_id: 'kept', content: line, sender: 'Ada' })
    await healed(before)
    await home.endDaemon()
    standIn.plan(...faults(100, 401))
    const tools = await home.tools()
    // The threads begin with the first search.
    await expect
      .poll(() => refusal(tools), { timeout: 30_000 })
      .toContain(
        'Cannot search by meaning: Cannot use openai-compatible as it refused the key, the model or the address',
      )
    standIn.answerAll()
    await healed(tools)
    expect(await tools.hits(byMeaning)).toEqual([line])
  })

  test('Gemini says so itself, and what refuses is told at once', async () => {
    await using standIn = await GeminiStandIn.start()
    standIn.plan(...faults(100, 403))
    const home = await openHome({
      GEMINI_API_KEY: standIn.apiKey,
      VERBATIM_EMBEDDER: 'gemini',
      VERBATIM_EMBEDDER_URL: standIn.url,
    })
    const tools = await home.tools()
    await tools.save({ session_id: 'lost', content: line, sender: 'Ada' })
    await until(tools, ({ waits_for: reason }) => reason !== undefined)
    expect(await refusal(tools)).toContain(
      'Cannot search by meaning: Cannot use gemini as it refused the key, the model or the address',
    )
  })
})

describe.skipIf(lacksVectors)('an embedder that fails while a store is used', () => {
  const shorter: Fault = { kind: 'vectors', change: (all) => all.map((vector) => vector.slice(1)) }
  const busy: Fault = { kind: 'status', status: 429, headers: { 'retry-after': '60' } }
  const all = (fault: Fault): Fault[] => Array.from({ length: 100 }, () => fault)

  test.each([
    { name: 'has had too many calls', fault: busy, why: 'it has had too many calls for now (status 429)' },
    { name: 'does not work', fault: { kind: 'status', status: 500 } as const, why: 'it does not answer' },
    { name: 'has another key', fault: { kind: 'status', status: 401 } as const, why: 'the address (status 401)' },
    { name: 'has another model', fault: shorter, why: 'its answer is not what its description says' },
  ])('which $name: a search says so, in its own words and with its own status', async ({ fault, why }) => {
    await using standIn = await OpenAiStandIn.start()
    const home = await openHome(openAiSettings(standIn))
    const tools = await home.tools()
    await tools.save({ session_id: 'known', content: line, sender: 'Ada' })
    await healed(tools)
    standIn.plan(...all(fault))
    const { coverage, degraded } = await tools.search({ query: 'a cat with kittens' })
    expect(coverage.semantic).toBe('unavailable')
    expect(degraded.join()).toContain(`semantic search: Cannot use openai-compatible as`)
    expect(degraded.join()).toContain(why)
    expect(await tools.refusal('search_memory', { query: 'another cat', mode: 'semantic' })).toContain(
      'Cannot search by meaning: Cannot use openai-compatible as',
    )
  })

  test('which asks to come again in two seconds: a search by meaning alone does', async () => {
    await using standIn = await OpenAiStandIn.start()
    const home = await openHome(openAiSettings(standIn))
    const tools = await home.tools()
    await tools.save({ session_id: 'known', content: line, sender: 'Ada' })
    await healed(tools)
    standIn.plan({ kind: 'status', status: 429, headers: { 'retry-after': '2' } })
    expect(await tools.hits({ query: 'a cat with kittens', mode: 'semantic' })).toEqual([line])
  })
})

test.skipIf(lacksVectors)(
  'doctor says of an embedded store that a model which was set is not the one in use',
  async () => {
    await using standIn = await OpenAiStandIn.start()
    const home = await openHome(openAiSettings(standIn))
    const tools = await home.tools()
    await tools.save({ session_id: 'known', content: line, sender: 'Ada' })
    await healed(tools)
    const note = 'note     semantic search: the settings of this command name another model than the one in use'
    const other = { VERBATIM_EMBEDDING_MODEL: 'another-model' }
    const told = await home.cli(['doctor'], { env: other })
    // On a server a worker makes the vectors, and a command need not have its settings.
    expect(told.stdout.includes(note)).toBe(!isOnServer)
    expect((await home.cli(['doctor'])).stdout).not.toContain(note)
    const none = { VERBATIM_EMBEDDER: 'none', VERBATIM_EMBEDDER_URL: '', VERBATIM_EMBEDDING_MODEL: '' }
    expect((await home.cli(['doctor'], { env: none })).stdout).not.toContain(note)
  },
)
