import type { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'

import { untilIndexed } from './support/archived.ts'
import { outputOf, refusalOf } from './support/cli-output.ts'
import { useHome } from './support/home.ts'
import { hitsOf, Tools } from './support/tools.ts'

// What is learned is waited for.
vi.setConfig({ testTimeout: 60_000 })

const home = useHome()
let client: Client
let tools: Tools

const rankingSchema = z.object({
  state: z.string(),
  searches: z.number(),
  callers: z.number(),
  since: z.string().nullable(),
  is_behind: z.boolean(),
  parts: z.array(
    z.object({
      part: z.string(),
      factor: z.number(),
      weights: z.array(z.object({ name: z.string(), usual: z.number(), now: z.number() })),
    }),
  ),
})

const stones = 'agate beryl citrine diopside emerald fluorite garnet hematite iolite jasper kyanite larimar'.split(' ')
/** Nothing of it is opened. */
const untouched = 'malachite'
const sessions = new Map<string, { readonly user: string; readonly assistant: string }>()

/** The user's message comes first by who says it; the assistant's has the word twice. */
async function fill(stone: string): Promise<void> {
  const says = async (role: string, content: string) =>
    (await tools.save({ session_id: `${stone}-${role}`, sender: role, role, content })).session_id
  const tail =
    'in the large drawer beside the window of the old workshop, under the lamp, where the light is good enough to see'
  sessions.set(stone, {
    user: await says('user', `The ${stone} lies ${tail}`),
    assistant: await says('assistant', `The ${stone}, a clear ${stone}, lies ${tail}`),
  })
}

const search = (query: string, args: object = {}) => tools.search({ query, context: 0, ...args })

/** Whose message comes first. */
async function first(stone: string): Promise<string | undefined> {
  return hitsOf(await search(stone))[0]?.sender
}

/** Opens what the assistant said, in one of the ways that there are. */
async function open(stone: string, way: number): Promise<void> {
  const hit = hitsOf(await search(stone)).find(({ sender }) => sender === 'assistant')
  const session_id = sessions.get(stone)?.assistant ?? ''
  if (way === 0) await tools.session(session_id, { from_seq: hit?.seq })
  else if (way === 1) await client.readResource({ uri: `session://${session_id}/messages/${hit?.id}` })
  else if (way === 2) await client.readResource({ uri: `session://${session_id}` })
  else await tools.update(session_id, { summary: `Where the ${stone} lies (${hit?.id}).` })
}

const run = (...args: readonly string[]) => outputOf(home, args)
const shown = async () => rankingSchema.parse(JSON.parse(await run('ranking', 'show', '--json')))

/** What the background has learned, without a command for each look. */
async function learnedRow() {
  const [row] = await home.inDatabase('select factors, changes > learned_changes as is_behind from ranking_weights')
  return z.object({ factors: z.record(z.string(), z.number()).nullable(), is_behind: z.boolean() }).parse(row)
}

async function rowsOf(condition = 'true'): Promise<number> {
  const [row] = await home.inDatabase(`select count(*)::int as count from recall_feedback where ${condition}`)
  return z.object({ count: z.number() }).parse(row).count
}

const untilLearned = async (state: string | undefined) =>
  await expect
    .poll(async () => (await search(untouched)).coverage.ranking, { timeout: 30_000, interval: 200 })
    .toBe(state)

beforeAll(async () => {
  client = await home.connect()
  tools = new Tools(client)
  for (const stone of [...stones, untouched]) await fill(stone)
})

describe('a ranking that learns from use', () => {
  test('is the usual one where nothing was opened', async () => {
    await untilIndexed(home, tools)
    expect(await first(untouched)).toBe('user')
    expect(await shown()).toMatchObject({ state: 'usual', searches: 0, callers: 0, since: null })
    expect(await run('ranking', 'show')).toMatch(
      /^The usual weights hold\.\nKnown: 0 searches .*\n\npart +factor +weight/,
    )
    expect(await rowsOf()).toBe(0)
  })

  test('notes ids, ranks and numbers of what was opened or cited, and nothing of a search without that', async () => {
    // What is found by its time alone says nothing of what words and meaning are worth.
    const ofTime = hitsOf(await search('what did we discuss today')).find(({ text }) => !text.includes(untouched))
    expect(ofTime).toMatchObject({ hit: { why: { of_time: true } } })
    const stone = stones.find((name) => ofTime?.text.includes(name))
    await client.readResource({ uri: `session://${stone}-${ofTime?.sender}/messages/${ofTime?.id}` })
    for (let way = 0; way < 4; way++) await open(stones[way] ?? '', way)
    await search(untouched)
    await expect.poll(() => rowsOf("use <> 'passed'"), { timeout: 30_000 }).toBe(4)
    const rows = await home.inDatabase('select * from recall_feedback order by search_id, rank')
    expect(rows.map(({ rank, use }) => `${rank} ${use}`).join(', ')).toBe(
      '1 passed, 2 opened, 1 passed, 2 opened, 1 passed, 2 opened, 1 passed, 2 cited',
    )
    expect(JSON.stringify(rows)).not.toMatch(new RegExp([...stones, 'drawer'].join('|')))
    expect(Object.keys(rows[0]?.['effects'] ?? {})).toEqual(expect.arrayContaining(['role', 'session', 'substance']))
  })

  test('moves in the direction of what is opened, for other searches too, and says so', async () => {
    for (let round = 0; round < 3; round++)
      for (const [at, stone] of stones.entries()) await open(stone, (at + round) % 4)
    await untilLearned('learned')
    const { parts, ...ranking } = await shown()
    expect(ranking).toMatchObject({ state: 'learned', callers: 1, since: expect.any(String) })
    const role = parts.find(({ part }) => part === 'role')
    expect(role?.factor).toBeLessThan(0.67)
    expect(role?.weights).toContainEqual({
      name: 'user',
      usual: 0.3,
      now: expect.closeTo(0.3 * (role?.factor ?? 0), 3),
    })
    expect(await first(untouched)).toBe('assistant')
    const { text } = await tools.call('search_memory', { query: untouched })
    expect(text).toContain('; ranking: learned from use.')
    expect(await run('ranking', 'show')).toMatch(/^The learned weights hold\.\nKnown: \d+ searches .* of 1 caller/)
  })

  test('learns nothing of who opens everything', async () => {
    const isBehind = async () => (await learnedRow()).is_behind
    await expect.poll(isBehind, { timeout: 30_000 }).toBe(false)
    const before = await shown()
    for (let round = 0; round < 4; round++) {
      for (const { id, sender } of hitsOf(await search(untouched)))
        await client.readResource({ uri: `session://${untouched}-${sender}/messages/${id}` })
    }
    await expect.poll(isBehind, { timeout: 30_000 }).toBe(false)
    expect(await shown()).toMatchObject({ searches: before.searches, parts: before.parts })
  })

  test('stays within half and double, however often somebody asks for more', async () => {
    for (let round = 0; round < 2; round++) for (const stone of stones) await open(stone, 1)
    await expect.poll(async () => (await learnedRow()).factors?.['role'], { timeout: 30_000 }).toBe(0.5)
    for (const { factor } of (await shown()).parts) {
      expect(factor).toBeGreaterThanOrEqual(0.5)
      expect(factor).toBeLessThanOrEqual(2)
    }
  })

  test('leaves nothing of a message that is restricted, anonymised or erased, and learns anew without it', async () => {
    const of = (stone: string, by: 'user' | 'assistant') => rowsOf(`session_id = '${sessions.get(stone)?.[by]}'`)
    const bothOf = async (stone: string) => [await of(stone, 'user'), await of(stone, 'assistant')]
    const [restricted = '', anonymised = '', participant = '', ...others] = stones
    for (const stone of [restricted, anonymised, participant])
      expect(await bothOf(stone)).toEqual([expect.toSatisfy((rows: number) => rows > 5), expect.any(Number)])
    for (const by of ['user', 'assistant']) {
      await tools.update(`${restricted}-${by}`, { restricted: true })
      await tools.update(`${anonymised}-${by}`, { tags: ['private'] })
      for (const stone of others.slice(0, 5)) await tools.update(`${stone}-user`, { tags: ['gone'] })
    }
    expect(await bothOf(restricted)).toEqual([0, 0])
    await run('anonymise', '--tag', 'private', '--yes')
    expect(await bothOf(anonymised)).toEqual([0, 0])
    await run('erase', '--tag', 'gone', '--yes')
    const [erased = ''] = others
    expect(await bothOf(erased)).toEqual([0, expect.toSatisfy((rows: number) => rows > 5)])
    // What is left is too little.
    await untilLearned(undefined)
    expect(await shown()).toMatchObject({ state: 'usual', searches: expect.any(Number) })
    expect(await first(untouched)).toBe('user')
    await run('restrict', '--participant', 'assistant', '--reason', 'asked to')
    expect(await bothOf(participant)).toEqual([expect.toSatisfy((rows: number) => rows > 5), 0])
    await run('unrestrict', '--participant', 'assistant', '--reason', 'asked to')
  })
})

describe('verbatim ranking reset', () => {
  test('forgets all of it, once it was said twice', async () => {
    expect(await refusalOf(home, ['ranking', 'reset'])).toMatch(/Nothing was changed .*--yes/s)
    expect(await rowsOf()).toBeGreaterThan(0)
    expect(await run('ranking', 'reset', '--yes')).toMatch(/^The usual weights hold; \d+ searches are forgotten\n$/)
    expect(await rowsOf()).toBe(0)
    expect(await shown()).toMatchObject({ state: 'usual', searches: 0 })
  })
})

describe('VERBATIM_RANKING_LEARNING=off', () => {
  test('notes nothing', async () => {
    home.settings = { ...home.settings, VERBATIM_RANKING_LEARNING: 'off' }
    await home.endDaemon()
    client = await home.connect()
    tools = new Tools(client)
    for (const stone of stones.slice(8)) for (let way = 0; way < 4; way++) await open(stone, way)
    await tools.client.close()
    expect(await rowsOf()).toBe(0)
    expect(await run('ranking', 'show')).toContain('VERBATIM_RANKING_LEARNING is off: nothing is noted')
  })
})
