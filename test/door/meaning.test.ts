import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'

import { GeminiStandIn } from '../support/stand-ins/gemini.ts'
import { PineconeStandIn } from '../support/stand-ins/pinecone.ts'
import { lacksVectors } from '../support/test-store.ts'
import { openHome } from './support/archived.ts'
import { useHome, type Home } from './support/home.ts'
import { semanticStatus, until } from './support/semantic-status.ts'
import { searchSchema, type Tools } from './support/tools.ts'

/** Whether so many units have their vectors and nothing waits: either alone may hold for a moment before the work begins. */
const hasAll =
  (count: number) =>
  ({ state, vectors, messages_behind: behind }: { state: string; vectors: number; messages_behind: number }) =>
    state === 'on' && behind === 0 && vectors === count

const lines = [
  'Our cat had three kittens last night.',
  'The quarterly revenue grew by nine percent.',
  'I bought a new bicycle for commuting to work.',
  'The surgeon repaired the torn ligament in his knee.',
  'Grandmother baked bread with rye flour.',
  'The satellite lost contact with the ground station.',
  'They painted the kitchen walls light yellow.',
  'The jury found the defendant not guilty.',
]

async function saveLines(tools: Tools): Promise<void> {
  await tools.saveAll({ session_id: 'lines', messages: lines.map((content) => ({ content, sender: 'Ada' })) })
}

describe.skipIf(lacksVectors)('with the model on this machine', () => {
  const home = useHome()
  let tools: Tools

  beforeAll(async () => {
    home.settings = { VERBATIM_EMBEDDER: 'local' }
    tools = await home.tools()
    await saveLines(tools)
    await until(tools, hasAll(lines.length))
  })

  test.each([
    ['newborn pets', lines[0]],
    ['company earnings', lines[1]],
    ['operation on a leg', lines[3]],
    ['the court decided', lines[7]],
  ])('%j finds what means the same', async (query, line) => {
    expect((await tools.hits({ query, mode: 'semantic' }))[0]).toBe(line)
  })

  test('says that meaning was searched, and by what a hit was found', async () => {
    const reply = await tools.search({ query: 'newborn pets', mode: 'semantic', context: 0 })
    expect(reply.coverage).toMatchObject({ semantic: 'on', messages_searched: lines.length })
    expect(reply.degraded).toEqual([])
    const first = reply.results.flatMap(({ messages }) => messages).find(({ hit }) => hit?.rank === 1)
    expect(first?.hit?.why).toMatchObject({ semantic_rank: 1, terms: [] })
    const { text } = await tools.call('search_memory', { query: 'newborn pets', mode: 'semantic' })
    expect(text).toContain('hit 1, near in meaning')
  })

  test('obeys filters, and searches by words alone where that is asked for', async () => {
    expect(await tools.hits({ query: 'newborn pets', mode: 'semantic', participants: ['Bob'] })).toEqual([])
    expect(await tools.hits({ query: 'newborn pets', mode: 'semantic', until: '2001-01-01' })).toEqual([])
    expect((await tools.search({ query: 'newborn pets', mode: 'full_text' })).coverage.semantic).toBe('off')
    expect(await tools.hits({ query: 'newborn pets', mode: 'full_text' })).toEqual([])
  })

  test('the command line searches by meaning or by words alone too', async () => {
    const found = async (...mode: readonly string[]) => {
      const { code, stdout } = await home.cli(['search', 'newborn pets', '--json', '--context', '0', ...mode])
      expect(code).toBe(0)
      return searchSchema.parse(JSON.parse(stdout))
    }
    const near = await found('--mode', 'semantic')
    expect(near.coverage.semantic).toBe('on')
    expect(near.results.flatMap(({ messages }) => messages).map(({ text }) => text)).toContain(lines[0])
    expect(await found('--mode', 'full_text')).toMatchObject({ coverage: { semantic: 'off' }, results: [] })
    // On a server each command loads the model itself, which may take longer than words are waited with.
    expect(['on', 'behind']).toContain((await found()).coverage.semantic)
  })

  test('tells in the status which model it is and how many vectors there are', async () => {
    expect(await semanticStatus(tools)).toMatchObject({
      state: 'on',
      model: { provider: 'local', dimensions: 384 },
      vectors: lines.length,
      failed_for_good: 0,
      tokens_today: 0,
    })
    const { stdout } = await home.cli(['status'])
    expect(stdout).toContain('local minilm-l6-v2, 384 dimensions, 8 vectors')
  })
})

/** The texts that were sent to be embedded as documents. */
function documentsSeenBy(standIn: GeminiStandIn): string[] {
  const batch = z.object({
    requests: z.array(z.object({ content: z.object({ parts: z.array(z.object({ text: z.string() })) }) })),
  })
  return standIn.requests
    .flatMap(({ text }) => batch.safeParse(JSON.parse(text)).data?.requests ?? [])
    .map(({ content }) => content.parts[0]?.text ?? '')
    .filter((text) => text.startsWith('title: none'))
}

function geminiSettings(standIn: GeminiStandIn, more: Readonly<Record<string, string>> = {}): Home['settings'] {
  return { GEMINI_API_KEY: standIn.apiKey, VERBATIM_EMBEDDER: 'gemini', VERBATIM_EMBEDDER_URL: standIn.url, ...more }
}

describe.skipIf(lacksVectors)('with Gemini, as its description says it answers', () => {
  const home = useHome()

  test('an outage costs no save and no search, heals by itself, and no text is embedded twice', async () => {
    await using standIn = await GeminiStandIn.start()
    home.settings = geminiSettings(standIn)
    const tools = await home.tools()
    await tools.save({ session_id: 'outage', content: lines[0], sender: 'Ada' })
    await until(tools, hasAll(1))
    // Long enough that the attempts for one call do not outlast it.
    standIn.plan(...Array.from({ length: 6 }, () => ({ kind: 'status' as const, status: 503 })))
    for (const content of lines.slice(1)) await tools.save({ session_id: 'outage', content, sender: 'Ada' })
    const during = await tools.search({ query: 'revenue', context: 0 })
    expect(during.results.flatMap(({ messages }) => messages).some(({ text }) => text === lines[1])).toBe(true)
    expect(['behind', 'unavailable']).toContain(during.coverage.semantic)
    const said = during.degraded.join()
    expect(said.includes('semantic search')).toBe(during.coverage.semantic === 'unavailable')
    expect(await until(tools, hasAll(lines.length))).toMatchObject({ vectors: lines.length, failed_for_good: 0 })
    // The same text by the same sender, said again in the same place of another session.
    await tools.save({ session_id: 'again', content: lines[0], sender: 'Ada' })
    expect(await until(tools, hasAll(lines.length + 1))).toMatchObject({ messages_behind: 0 })
    const documents = documentsSeenBy(standIn)
    expect(documents.filter((text) => text.includes(lines[0] ?? '') && !text.includes('\n'))).toHaveLength(1)
    expect((await semanticStatus(tools)).tokens_today).toBeGreaterThan(0)
  })

  test('another model takes the place of the first, and its vectors go when all are made anew', async () => {
    await using standIn = await GeminiStandIn.start()
    home.settings = geminiSettings(standIn, {
      VERBATIM_EMBEDDING_MODEL: 'gemini-embedding-001',
      VERBATIM_EMBEDDING_DIMENSIONS: '256',
    })
    await home.endDaemon()
    const tools = await home.tools()
    await tools.save({ session_id: 'anew', content: 'One more.', sender: 'Ada' })
    const status = await until(
      tools,
      ({ vectors, messages_behind: behind }) => vectors === lines.length + 2 && behind === 0,
    )
    expect(status.model).toMatchObject({ provider: 'gemini', dimensions: 256 })
    expect((await tools.search({ query: 'kittens', mode: 'semantic' })).coverage.semantic).toBe('on')
  })

  test('nothing is sent where the budget is 0, and the status says what is waited for', async () => {
    await using standIn = await GeminiStandIn.start()
    home.settings = geminiSettings(standIn, { VERBATIM_DAILY_TOKENS: '0' })
    await home.endDaemon()
    const tools = await home.tools()
    await tools.save({ session_id: 'unpaid', content: 'This is not to be sent.', sender: 'Ada' })
    const status = await until(tools, ({ waits_for: reason }) => reason !== undefined)
    expect(status.waits_for).toContain('VERBATIM_DAILY_TOKENS')
    expect(documentsSeenBy(standIn)).toEqual([])
  })
})

describe.skipIf(lacksVectors)('a search by meaning alone', () => {
  const home = useHome()

  /** The threads that make the index begin with the first search, which on a busy machine may be over before they have. */
  const indexed = (tools: Tools) =>
    expect
      .poll(async () => (await tools.search({ query: 'kittens', mode: 'full_text' })).degraded, { timeout: 30_000 })
      .toEqual([])

  test('finds what was saved right before it, in a store that is new and after a start', async () => {
    await using standIn = await GeminiStandIn.start()
    home.settings = geminiSettings(standIn)
    const tools = await home.tools()
    await saveLines(tools)
    await indexed(tools)
    const found = await tools.search({ query: 'kittens', mode: 'semantic' })
    expect(found).toMatchObject({ coverage: { semantic: 'on' }, degraded: [] })
    expect(found.results).not.toEqual([])
    await home.endDaemon()
    const again = await home.tools()
    await again.save({ session_id: 'later', content: 'The kittens sleep.', sender: 'Ada' })
    await indexed(again)
    expect(await again.hits({ query: 'kittens', mode: 'semantic' })).toContain('The kittens sleep.')
  })

  test('answers with what has a vector where others get none for now, and says so', async () => {
    await using standIn = await GeminiStandIn.start()
    const unpaid = await openHome(geminiSettings(standIn, { VERBATIM_DAILY_TOKENS: '200' }))
    onTestFinished(() => unpaid.dispose())
    const tools = await unpaid.tools()
    await tools.save({ session_id: 'short', content: 'Our cat had three kittens.', sender: 'Ada' })
    await until(tools, hasAll(1))
    await tools.save({ session_id: 'long', content: 'The kittens sleep. '.repeat(200), sender: 'Ada' })
    await until(tools, ({ waits_for: reason }) => reason !== undefined)
    await indexed(tools)
    const { results, degraded } = await tools.search({ query: 'kittens', mode: 'semantic' })
    expect(results).toHaveLength(1)
    expect(degraded).toEqual(['semantic search: 1 message is not found by meaning yet'])
  })
})

describe.skipIf(lacksVectors)('a recall with an embedder', () => {
  const home = useHome()

  test('compares what is said by meaning once, and not again where it was just searched for', async () => {
    await using standIn = await GeminiStandIn.start()
    home.settings = geminiSettings(standIn)
    const tools = await home.tools()
    await saveLines(tools)
    await until(tools, hasAll(lines.length))
    const queries = () => new Set(standIn.requests.flatMap(({ text }) => /query: [^"]*/u.exec(text) ?? []))
    const text = 'I look at src/berths/plan.ts. Which berth does the Marguerite need? It threw a RangeError for March.'
    const recall = async () =>
      (await tools.call('recall_context', { session_id: 'lines', text, format: 'json' })).structured
    await expect.poll(recall, { timeout: 30_000 }).toMatchObject({ coverage: { semantic: 'on' }, degraded: [] })
    expect([...queries()]).toEqual([`query: ${text}`])
    const sent = standIn.requests.length
    await tools.search({ query: text })
    expect(standIn.requests).toHaveLength(sent)
  })

  test('answers by words where the model is late, says so, and keeps nothing of it', async () => {
    await using standIn = await GeminiStandIn.start()
    home.settings = geminiSettings(standIn)
    await home.endDaemon()
    const tools = await home.tools()
    await tools.save({ session_id: 'pets', content: 'Where are the three kittens of last night?', sender: 'Ada' })
    await until(tools, hasAll(lines.length + 1))
    standIn.plan({ kind: 'slow', ms: 20_000 })
    const recall = async () => {
      const { structured } = await tools.call('recall_context', { session_id: 'pets', format: 'json' })
      return z
        .looseObject({ degraded: z.array(z.string()), coverage: z.looseObject({ semantic: z.string() }) })
        .parse(structured)
    }
    const late = await recall()
    expect(JSON.stringify(late)).toContain(lines[0])
    expect(late.coverage.semantic).toBe('behind')
    expect(late.degraded).toEqual(['semantic search: nothing was compared within 750 ms'])
    await expect.poll(recall, { timeout: 30_000 }).toMatchObject({ degraded: [], coverage: { semantic: 'on' } })
  })
})

describe.skipIf(lacksVectors)('with another vector index than before', () => {
  const home = useHome()

  test('everything gets its vectors there, and who goes back finds those that were left', async () => {
    await using gemini = await GeminiStandIn.start()
    const pinecone = await PineconeStandIn.start()
    onTestFinished(() => pinecone.stop())
    const indexed = async (settings: Readonly<Record<string, string>>) => {
      home.settings = geminiSettings(gemini, settings)
      await home.endDaemon()
      const tools = await home.tools()
      if ((await tools.search({ query: 'kittens' })).coverage.messages_searched === 0) await saveLines(tools)
      await until(tools, hasAll(lines.length))
      return tools
    }
    await indexed({})
    const there = {
      VERBATIM_VECTORS: 'pinecone',
      PINECONE_API_KEY: pinecone.apiKey,
      PINECONE_CONTROLLER_HOST: pinecone.url,
    }
    const tools = await indexed(there)
    await expect.poll(() => pinecone.namespaces('verbatim').length, { timeout: 30_000 }).toBe(1)
    await until(tools, hasAll(lines.length))
    expect((await tools.search({ query: 'kittens', mode: 'semantic' })).results).not.toEqual([])
    const sent = documentsSeenBy(gemini).length
    const back = await indexed({})
    await expect
      .poll(async () => (await back.search({ query: 'kittens' })).coverage.semantic, { timeout: 30_000 })
      .toBe('on')
    expect((await back.search({ query: 'kittens', mode: 'semantic' })).results).not.toEqual([])
    expect(documentsSeenBy(gemini)).toHaveLength(sent)
  })
})

describe.skipIf(lacksVectors)('without an embedder', () => {
  const home = useHome()

  test('a search by meaning alone is refused with what to do, and words are searched', async () => {
    home.settings = { VERBATIM_EMBEDDER: 'none' }
    const tools = await home.tools()
    await saveLines(tools)
    expect(await tools.refusal('search_memory', { query: 'pets', mode: 'semantic' })).toContain('no embedder')
    const { code, stderr } = await home.cli(['search', 'pets', '--mode', 'semantic'])
    expect(code).not.toBe(0)
    expect(stderr).toContain('as this store has no embedder\nUse --mode hybrid or --mode full_text')
    expect((await tools.search({ query: 'kittens' })).coverage.semantic).toBe('off')
  })

  test('what was saved meanwhile gets its vectors when there is one again', async () => {
    home.settings = { VERBATIM_EMBEDDER: 'local' }
    await home.endDaemon()
    const tools = await home.tools()
    expect(await until(tools, hasAll(lines.length))).toMatchObject({ vectors: lines.length })
  })
})
