import type { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { expect, onTestFinished, test, vi } from 'vitest'
import { z } from 'zod'

import { ChatStandIn } from '../support/stand-ins/writers.ts'
import { useHome } from './support/home.ts'
import { Tools } from './support/tools.ts'

// What is learned is waited for.
vi.setConfig({ testTimeout: 120_000 })

const home = useHome()
const profileSchema = z.object({ facts: z.array(z.object({ text: z.string(), made_by: z.string() })) })

/** What is known to a client, as lines. */
async function factsOf(client: Client): Promise<string[]> {
  const [profile] = (await client.readResource({ uri: 'memory://profile' })).contents
  const { facts } = profileSchema.parse(JSON.parse(profile !== undefined && 'text' in profile ? profile.text : ''))
  return facts.map(({ text, made_by: by }) => `${by}: ${text}`).toSorted()
}

test('what a model learns is listed, forgotten by a reset, and learned again when learning is on', async () => {
  const standIn = await ChatStandIn.start()
  onTestFinished(() => standIn.stop())
  const quote = 'Our harbour ledger moved to PostgreSQL 17 in March'
  const text = 'The harbour ledger runs on PostgreSQL 17'
  const fact = { kind: 'fact', message: 1, quote }
  const unsupported = [
    'Ada likes forty hosts',
    'The harbour ledger is at src/other/place.ts',
    'The harbour ledger has 7 hosts',
  ]
  // Nothing of what it writes is in the form that was asked for and borne out, but for one.
  standIn.says = JSON.stringify([
    { kind: 'opinion' },
    ...unsupported.map((one) => ({ ...fact, text: one })),
    { ...fact, text },
  ])
  const on = {
    VERBATIM_EMBEDDER: 'none',
    VERBATIM_SUMMARIZER_URL: standIn.url,
    VERBATIM_SUMMARIZER_MODEL: standIn.model,
  }
  home.settings = on
  // A model does not wait for the end of a conversation of which so much waits.
  const messages = Array.from({ length: 41 }, (_, at) => `${at === 0 ? quote : 'I live in Porto'}.`)
  const client = await home.connect()
  await new Tools(client).saveAll({
    session_id: 'harbour',
    messages: messages.map((content) => ({ content, sender: 'Ada' })),
  })
  const known = [`openai-compatible: ${text}`, 'patterns: I live in Porto']
  await expect.poll(() => factsOf(client), { timeout: 30_000, interval: 100 }).toEqual(known)

  await home.endDaemon()
  home.settings = { ...on, VERBATIM_LEARNING: 'off' }
  expect((await home.cli(['facts', 'reset'])).stderr).toMatch(/what a model learned of messages older than a day/)
  expect((await home.cli(['facts', 'reset', '--yes'])).stdout).toMatch(
    /^41 facts are forgotten; 41 messages are read anew when VERBATIM_LEARNING is on again, and not before\n$/,
  )
  expect((await home.cli(['facts', 'list'])).stdout).toBe('Nothing was learned.\n')

  await home.endDaemon()
  home.settings = on
  const again = await home.connect()
  await expect.poll(() => factsOf(again), { timeout: 30_000, interval: 100 }).toEqual(known)
})

test('of what a model learns what is told last holds, also beside what patterns find', async () => {
  const standIn = await ChatStandIn.start()
  onTestFinished(() => standIn.stop())
  home.settings = {
    VERBATIM_EMBEDDER: 'none',
    VERBATIM_SUMMARIZER_URL: standIn.url,
    VERBATIM_SUMMARIZER_MODEL: standIn.model,
  }
  await home.endDaemon()
  const client = await home.connect()
  const tools = new Tools(client)
  const saysOf = async (place: string) => {
    const quotes = [
      `Home for Ben is ${place} these days, where a cousin of Max has a boat`,
      `A sister of Ada has her flat in ${place}`,
      `The map on the wall shows ${place}`,
      `Our pick to hold the tides was ${place === 'Munich' ? 'Redis' : 'Valkey'}`,
    ]
    standIn.says = JSON.stringify([
      { kind: 'fact', text: `Ben lives in ${place}`, message: 1, quote: quotes[0], answers: 'Home' },
      // The same words may say two things.
      { kind: 'fact', text: `Max has a cousin in ${place}`, message: 1, quote: quotes[0] },
      { kind: 'fact', text: `Ada has a sister in ${place}`, message: 1, quote: quotes[1], answers: 'home' },
      { kind: 'fact', text: `Ben has a map of ${place}`, message: 1, quote: quotes[2], answers: 7 },
      { kind: 'decision', text: quotes[3], message: 1, quote: quotes[3], answers: 'the tides' },
    ])
    // A model does not wait for the end of a conversation of which so much waits.
    const messages = Array.from({ length: 41 }, (_, at) =>
      at === 0 ? `${quotes.join('. ')}.` : `Berth ${at} is free.`,
    )
    await tools.saveAll({ session_id: place, messages: messages.map((content) => ({ content, sender: 'Ben' })) })
  }
  const known = async () => (await factsOf(client)).filter((fact) => !/Porto|ledger/u.test(fact))
  const beside = (...places: readonly string[]) =>
    places.flatMap((place) =>
      ['Ada has a sister in', 'Ben has a map of', 'Max has a cousin in'].map((fact) => `${fact} ${place}`),
    )
  const ofModel = (...texts: readonly string[]) => texts.map((text) => `openai-compatible: ${text}`).toSorted()
  const polled = { timeout: 40_000, interval: 100 }
  await saysOf('Munich')
  const pick = (database: string) => `Our pick to hold the tides was ${database}`
  await expect.poll(known, polled).toEqual(ofModel(...beside('Munich'), 'Ben lives in Munich', pick('Redis')))
  await saysOf('Hamburg')
  const others = beside('Hamburg', 'Munich')
  await expect.poll(known, polled).toEqual(ofModel(...others, 'Ben lives in Hamburg', pick('Valkey')))
  await tools.save({
    session_id: 'moved',
    content: 'I live in Bremen. We decided to use SQLite for the tides.',
    sender: 'Ben',
  })
  const found = ['patterns: I live in Bremen', 'patterns: We decided to use SQLite for the tides']
  await expect.poll(known, polled).toEqual([...ofModel(...others), ...found].toSorted())
})
