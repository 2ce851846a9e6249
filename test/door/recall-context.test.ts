import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { untilIndexed } from './support/archived.ts'
import { useHome } from './support/home.ts'
import { HttpHome } from './support/http-home.ts'
import { scrapedValue } from './support/scrape.ts'
import type { Tools } from './support/tools.ts'

const home = useHome()
let tools: Tools

const replySchema = z.object({
  results: z.array(
    z.object({
      session_id: z.string(),
      messages: z.array(
        z.object({
          seq: z.number(),
          text: z.string(),
          hit: z.object({ why: z.object({ reasons: z.array(z.string()) }) }).optional(),
        }),
      ),
    }),
  ),
})

const namesSchema = z.object({
  names: z.array(
    z.object({ session_id: z.string(), message_id: z.string(), seq: z.number(), names: z.array(z.string()) }),
  ),
})

const factsSchema = z.object({ facts: z.array(z.object({ id: z.string() })) })

async function recalled(from: Tools, args: Readonly<Record<string, unknown>>) {
  const { structured } = await from.call('recall_context', { format: 'json', ...args })
  return replySchema.parse(structured).results.flatMap(({ messages }) => messages)
}

const textsOf = (messages: readonly { readonly text: string }[]) => messages.map(({ text }) => text)

beforeAll(async () => {
  tools = await home.tools()
  const say = async (session: string, ...contents: string[]) => {
    for (const [at, content] of contents.entries())
      await tools.save({ session_id: session, content, sender: at % 2 === 0 ? 'Ada' : 'clerk' })
  }
  await say(
    'spring',
    'The tide table is wrong: src/tides/parse-heights.ts throws RangeError for March.',
    'It read the month from zero. I corrected the offset, and the table is right again.',
    'Good. Now the flags of the pilots.',
  )
  await say('cooking', 'How long do mussels need in white wine?', 'Six minutes with the lid on.')
  await say('now', 'Something is off in src/tides/parse-heights.ts again, since the new year began.')
})

describe('recall_context', () => {
  test('brings what names the same file, and what followed it, and says why', async () => {
    const found = await recalled(tools, { session_id: 'now' })
    const [first] = found
    expect(first?.text).toContain('throws RangeError for March')
    expect(first?.hit?.why.reasons).toContain('names the same files, errors or names')
    const answer = found.find(({ text }) => text.startsWith('It read the month from zero'))
    expect(answer?.hit?.why.reasons).toContain('followed on something similar')
    expect(textsOf(found).join(' ')).not.toContain('mussels')
    expect(textsOf(found).join(' ')).not.toContain('since the new year began')
  })

  test('names what else is named near it, each with its message, and nothing that it shows already', async () => {
    const aside = ' The rest of the log of that watch is about weather, tea, gulls and the paint of the rail.'.repeat(6)
    const messages = ['lens', 'mirror', 'clockwork', 'shutter', 'bearing', 'burner', 'chimney', 'gallery'].map(
      (part) => ({
        content: `LampError again: src/lamp/flash-period.ts and then src/lamp/check-${part}.ts were at fault.${aside}`,
        sender: 'Ada',
      }),
    )
    const { session_id: lamp } = await tools.saveAll({ session_id: 'lamp', messages })
    await tools.save({ session_id: 'dark', content: 'It is dark: src/lamp/flash-period.ts failed?', sender: 'Ada' })
    const ask = { session_id: 'dark', max_tokens: 900 }
    const { structured } = await tools.call('recall_context', { ...ask, format: 'json' })
    const { names } = namesSchema.parse(structured)
    const shown = textsOf(replySchema.parse(structured).results.flatMap(({ messages: some }) => some)).join(' ')
    expect(names.map(({ session_id: id }) => id)).toContain(lamp)
    for (const { session_id: id, message_id: message, seq, names: some } of names) {
      const said = (await tools.session(id, { from_seq: seq, to_seq: seq })).messages[0]
      expect(said?.id).toBe(message)
      for (const name of some) {
        expect(said?.content).toContain(name)
        expect(shown).not.toContain(name)
        expect(name).not.toBe('src/lamp/flash-period.ts')
      }
    }
    const { text } = await tools.call('recall_context', ask)
    expect(text).toMatch(/<recorded[^>]*names[^>]*>[^]*check-\w+\.ts[^]*<\/recorded/u)
  })

  test('reads as a text, inside a fence', async () => {
    const { text } = await tools.call('recall_context', { session_id: 'now' })
    expect(text).toMatch(/boundary="[^"]+">[^]*throws RangeError[^]*<\/recorded/u)
    expect(text).toContain('names the same files, errors or names')
  })

  test('goes by words alone where no session is named, and by both where both are given', async () => {
    expect(textsOf(await recalled(tools, { text: 'We cook mussels tonight.' }))).toContain(
      'Six minutes with the lid on.',
    )
    const both = textsOf(await recalled(tools, { session_id: 'now', text: 'And mussels for dinner?' })).join(' ')
    expect(both).toContain('Six minutes')
    expect(both).toContain('RangeError')
  })

  test('recalls of its own session what was said long ago, and nothing of what was said just now', async () => {
    const messages = Array.from({ length: 60 }, (_, at) => ({
      content: at === 2 ? 'The spare key is under the third lobster pot.' : `Buoy ${at} is checked and well.`,
      sender: 'Ada',
    }))
    await tools.saveAll({ session_id: 'long', messages })
    await tools.save({
      session_id: 'long',
      content: 'Where was the spare key, under which lobster pot?',
      sender: 'Ada',
    })
    const found = await recalled(tools, { session_id: 'long' })
    expect(textsOf(found)).toContain('The spare key is under the third lobster pot.')
    expect(found.every(({ seq }) => seq <= 21 || seq > 61)).toBe(true)
  })

  test('is empty where nothing was said', async () => {
    const { session_id: id } = await tools.save({ content: '…', sender: 'probe' })
    expect(await recalled(tools, { session_id: id })).toEqual([])
  })

  test.each([
    [{}, 'neither a session nor a text with a word in it was given'],
    [{ text: ' ' }, 'neither a session nor a text with a word in it was given'],
    [{ session_id: 'nowhere' }, 'nowhere'],
  ])('says what is wrong with %j', async (args, message) => {
    const { text, isError } = await tools.call('recall_context', args)
    expect(isError).toBe(true)
    expect(text).toContain(message)
  })
})

describe('what a session needs', () => {
  let server: HttpHome
  beforeAll(async () => {
    server = await HttpHome.start(home, { keep: true })
  })
  afterAll(async () => {
    await server.stop()
  })

  test('is made after a save, for who has asked before, and shows nothing that was erased since', async () => {
    const client = await server.tools()
    await untilIndexed(home)
    const hits = () => scrapedValue(server, 'verbatim_cache_lookups_total', { cache: 'predictions', result: 'hit' })
    const bytes = () => scrapedValue(server, 'verbatim_cache_bytes', { cache: 'predictions' })
    await client.save({ session_id: 'plan', content: 'The harbour festival is in June.', sender: 'Ada' })
    expect(await bytes()).toBe(0)
    await recalled(client, { session_id: 'plan' })
    await client.save({
      session_id: 'menu',
      content: 'Mussels and samphire for the feast on the quay.',
      sender: 'Ada',
    })
    const before = await bytes()
    await client.save({
      session_id: 'plan',
      content: 'What do we eat at the feast, mussels and samphire?',
      sender: 'Ada',
    })
    await expect.poll(bytes, { timeout: 20_000 }).toBeGreaterThan(before)
    expect(await hits()).toBe(0)
    expect(textsOf(await recalled(client, { session_id: 'plan' })).join(' ')).toContain('feast on the quay')
    expect(await hits()).toBe(1)
    // It knows what it found then; what may be shown of it, it asks at each reply.
    const shown = async () => textsOf(await recalled(client, { session_id: 'plan' })).join(' ')
    expect((await home.cli(['restrict', 'menu', '--reason', 'asked for'])).code).toBe(0)
    expect(await shown()).not.toContain('feast on the quay')
    expect((await home.cli(['unrestrict', 'menu', '--reason', 'settled'])).code).toBe(0)
    expect(await shown()).toContain('feast on the quay')
    expect(await hits()).toBe(3)
    expect((await home.cli(['erase', '--session', 'menu', '--yes'])).code).toBe(0)
    expect(await shown()).not.toContain('feast on the quay')
    expect(await hits()).toBe(4)
  })

  test('is made anew when another process saves to a session that was recalled for', async () => {
    const client = await server.tools()
    await client.save({ session_id: 'moorings', content: 'Which berths of the marina are free?', sender: 'Ada' })
    await client.save({ session_id: 'pontoon', content: 'The pontoon of oak has rotten planks.', sender: 'Ada' })
    await untilIndexed(home)
    await recalled(client, { session_id: 'moorings' })
    const missesOf = (cache: string) => scrapedValue(server, 'verbatim_cache_lookups_total', { cache, result: 'miss' })
    const missed = { predictions: await missesOf('predictions'), recalls: await missesOf('recalls') }
    // It was saved by a process that nobody recalls in.
    await tools.save({ session_id: 'moorings', content: 'And are the planks of the pontoon oak?', sender: 'Ada' })
    await expect.poll(() => missesOf('recalls'), { timeout: 30_000 }).toBe(missed.recalls + 1)
    expect(textsOf(await recalled(client, { session_id: 'moorings' })).join(' ')).toContain('rotten planks')
    expect(await missesOf('predictions')).toBe(missed.predictions + 1)
  })

  test('is there when its subscribers are told that it has changed, whoever has changed it', async () => {
    await tools.save({ session_id: 'sails', content: 'The spinnaker tore at the clew in the gale.', sender: 'Ada' })
    const { session_id: id } = await tools.save({ session_id: 'loft', content: 'What is to mend?', sender: 'Ada' })
    await untilIndexed(home)
    const modern = await server.modern()
    const uri = `session://${id}/context`
    const kept = (cache: string) => scrapedValue(server, 'verbatim_cache_lookups_total', { cache, result: 'hit' })
    const read: { readonly text: string; readonly hits: number }[] = []
    modern.setNotificationHandler('notifications/resources/updated', async () => {
      const before = await kept('recalls')
      const [context] = (await modern.readResource({ uri })).contents
      read.push({
        text: context !== undefined && 'text' in context ? context.text : '',
        hits: (await kept('recalls')) - before,
      })
    })
    const subscription = await modern.listen({ resourceSubscriptions: [uri] })
    const content = 'Was it the spinnaker that tore, at the clew?'
    const heard = async () => {
      // What is saved before the server has begun to watch, nobody is told of.
      if (read.length === 0) await tools.save({ session_id: 'loft', content, sender: 'Ada' })
      return read.length
    }
    await expect.poll(heard, { timeout: 60_000, interval: 5_000 }).toBeGreaterThan(0)
    expect(read[0]?.text).toContain('in the gale')
    // Nothing was looked for when it was read.
    expect(read.map(({ hits }) => hits)).toContain(1)
    await subscription.close()
  })

  test('is as everything says now that it is made of, and each time a row of the audit log says what was shown', async () => {
    const client = await server.tools()
    const { session_id: guests } = await client.save({
      session_id: 'guests',
      content:
        'Guests of the regatta: orla@example.com brings the brass telescope. I prefer the brass telescope over binoculars.',
      sender: 'Ada',
    })
    const facts = async () => (await home.cli(['facts', 'list', '--json'])).stdout
    await expect.poll(facts, { timeout: 60_000, interval: 500 }).toContain('preference')
    await client.save({ session_id: 'race', content: 'Who brings a telescope of brass to the regatta?', sender: 'Ada' })
    const shown = async () =>
      JSON.stringify((await client.call('recall_context', { session_id: 'race', format: 'json' })).structured)
    const first = await shown()
    expect(first).toContain('orla@example.com')
    expect(first).toContain('"kind":"preference"')
    const kept = () => scrapedValue(server, 'verbatim_cache_lookups_total', { cache: 'recalls', result: 'hit' })
    const before = await kept()
    expect(await shown()).toBe(first)
    expect(await kept()).toBe(before + 1)
    await client.update('guests', { title: 'The list of guests' })
    expect(await shown()).toContain('The list of guests')
    const [fact] = factsSchema.parse(JSON.parse(first)).facts
    expect((await home.cli(['facts', 'delete', fact?.id ?? ''])).code).toBe(0)
    expect(await shown()).not.toContain('"kind":"preference"')
    expect((await home.cli(['anonymise', '--session', 'guests', '--yes'])).code).toBe(0)
    const last = await shown()
    expect(last).not.toContain('orla@example.com')
    expect(last).toContain('brass telescope')
    const { stdout } = await home.cli(['audit', 'who-accessed', guests, '--json'])
    expect(stdout.match(/recall_context/gu)?.length).toBeGreaterThanOrEqual(5)
  })
})
