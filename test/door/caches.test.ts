import { describe, expect, onTestFinished, test } from 'vitest'

import { isOnServer } from '../support/test-store.ts'
import { useHome } from './support/home.ts'
import { HttpHome } from './support/http-home.ts'
import { scrape } from './support/scrape.ts'
import { hitsOf } from './support/tools.ts'

const home = useHome()

async function rankingsFound(server: HttpHome): Promise<{ readonly hit: number; readonly miss: number }> {
  const read = await scrape(server)
  const count = (result: string) => read.value('verbatim_cache_lookups_total', { cache: 'rankings', result }) ?? 0
  return { hit: count('hit'), miss: count('miss') }
}

describe('a search that was made before', () => {
  test('is not ranked again until something changes, in whichever process', async () => {
    const [server, other] = [await HttpHome.start(home), await HttpHome.start(home)]
    const [tools, others] = [await server.tools(), await other.tools()]
    await tools.save({ content: 'Berth 14 is free.', sender: 'Ada', session_id: 'harbour' })
    await tools.save({ content: 'Berth 15 is not.', sender: 'Ada', session_id: 'harbour' })
    const first = await tools.search({ query: 'berth', limit: 1 })
    expect(await rankingsFound(server)).toEqual({ hit: 0, miss: 1 })
    expect(await tools.search({ query: 'berth', limit: 1 })).toEqual(first)
    // A page of the same question, and one with more context, go by the same ranking.
    await tools.search({ query: 'berth', limit: 1, cursor: first.next_cursor })
    await tools.search({ query: 'berth', limit: 2, context: 0 })
    expect(await rankingsFound(server)).toEqual({ hit: 3, miss: 1 })
    await tools.search({ query: 'berth', participants: ['Ada'] })
    expect(await rankingsFound(server)).toEqual({ hit: 3, miss: 2 })

    for (let berth = 16; berth < 22; berth++) {
      await others.save({ content: `Berth ${berth} is new.`, sender: 'Bob', session_id: 'harbour' })
      expect(await tools.hits({ query: 'berth' })).toContain(`Berth ${berth} is new.`)
    }
    expect((await rankingsFound(server)).hit).toBe(3)
    await home.cli(['sessions'])
    await tools.search({ query: 'berth' })
    expect((await rankingsFound(server)).hit).toBe(4)
    expect((await scrape(server)).value('verbatim_cache_bytes', { cache: 'rankings' })).toBeGreaterThan(1_000)
  })

  test('is what a recall of the same text goes by, and the other way round, until something changes', async () => {
    const server = await HttpHome.start(home)
    const tools = await server.tools()
    await tools.save({ content: 'The tide gauge was set to 4.2 m.', sender: 'Ada', session_id: 'tides' })
    const recall = async (text: string) => (await tools.call('recall_context', { text })).text
    const text = 'what was the tide gauge set to'
    await tools.search({ query: text })
    expect(await rankingsFound(server)).toEqual({ hit: 0, miss: 1 })
    // As its newest turn and as the open question the text is looked for once.
    expect(await recall(text)).toContain('The tide gauge was set to 4.2 m.')
    expect(await rankingsFound(server)).toEqual({ hit: 1, miss: 1 })
    await recall('where is the tide gauge')
    expect(await tools.hits({ query: 'where is the tide gauge' })).toEqual(['The tide gauge was set to 4.2 m.'])
    expect(await rankingsFound(server)).toEqual({ hit: 2, miss: 2 })

    await tools.save({ content: 'The tide gauge is set to 4.5 m now.', sender: 'Ada', session_id: 'tides' })
    expect(await recall(text)).toContain('set to 4.5 m now.')
    expect(await rankingsFound(server)).toEqual({ hit: 2, miss: 3 })
  })

  test('gives nothing to who has lost access since, and does again when it is given back', async () => {
    const server = await HttpHome.start(home)
    const ada = await server.tools(await server.newToken('--name', 'a', '--principal', 'ada'))
    const bob = await server.tools(await server.newToken('--name', 'b', '--principal', 'bob'))
    const { session_id: id } = await ada.save({ content: 'The cellar door sticks.', sender: 'Ada' })
    for (const _again of [1, 2]) expect(await bob.hits({ query: 'cellar' })).toEqual(['The cellar door sticks.'])
    await home.cli(['access', 'grant', id, 'ada', '--role', 'owner'])
    for (const _again of [1, 2]) expect(await bob.hits({ query: 'cellar' })).toEqual([])
    expect(await ada.hits({ query: 'cellar' })).toEqual(['The cellar door sticks.'])
    await home.cli(['access', 'grant', id, 'bob'])
    for (const _again of [1, 2]) expect(await bob.hits({ query: 'cellar' })).toEqual(['The cellar door sticks.'])
    expect((await rankingsFound(server)).hit).toBe(3)
  })

  test('is ranked again where nothing may be kept', async () => {
    const server = await HttpHome.start(home, { env: { VERBATIM_CACHE_MIB: '0' } })
    const tools = await server.tools()
    await tools.save({ content: 'A gull on the pier.', sender: 'Ada', session_id: 'birds' })
    for (const _again of [1, 2, 3]) expect(await tools.hits({ query: 'gull' })).toEqual(['A gull on the pier.'])
    expect(await rankingsFound(server)).toEqual({ hit: 0, miss: 3 })
    expect((await scrape(server)).value('verbatim_cache_bytes', { cache: 'rankings' }) ?? 0).toBe(0)
  })

  test('is forgotten where there is no room, and memory stays within what is set', async () => {
    const server = await HttpHome.start(home, { env: { VERBATIM_CACHE_MIB: '0.05' } })
    const tools = await server.tools()
    const messages = Array.from({ length: 100 }, (_, at) => ({ content: `Buoy number ${at}`, sender: 'Ada' }))
    await tools.saveAll({ session_id: 'buoys', messages })
    for (let at = 0; at < 12; at++) await tools.search({ query: `buoy number ${at}`, limit: 1 })
    const read = await scrape(server)
    const bytes = read.value('verbatim_cache_bytes', { cache: 'rankings' }) ?? 0
    expect(bytes).toBeGreaterThan(10_000)
    expect(bytes).toBeLessThanOrEqual(0.05 * 1024 * 1024)
    const { hit } = await rankingsFound(server)
    await tools.search({ query: 'buoy number 0', limit: 1 })
    expect((await rankingsFound(server)).hit).toBe(hit)
    await tools.search({ query: 'buoy number 0', limit: 1 })
    expect((await rankingsFound(server)).hit).toBe(hit + 1)
  })

  test.each(['-1', 'all'])('serve does not start with VERBATIM_CACHE_MIB=%s', async (value) => {
    const { code, stderr } = await home.cli(['serve', '--port', '0'], { env: { VERBATIM_CACHE_MIB: value } })
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('VERBATIM_CACHE_MIB') })
  })
})

test.skipIf(!isOnServer)(
  'a save that is committed late, under a lower number, is found by the next search',
  async () => {
    const server = await HttpHome.start(home)
    const tools = await server.tools()
    const store = home.database()
    // A save of a client on stdio waits at its commit, when its audit row has its number, as long as somebody holds the lock.
    await store.sql.unsafe(`
    create function wait_at_commit() returns trigger language plpgsql as $$
    begin perform pg_advisory_xact_lock_shared(4711); return null; end $$;
    create constraint trigger wait_at_commit after insert on audit_log deferrable initially deferred
      for each row when (new.client like 'door %') execute function wait_at_commit()`)
    await store.sql`select pg_advisory_lock(4711)`
    onTestFinished(async () => {
      await store.sql.unsafe('drop function if exists wait_at_commit cascade')
      await store.close()
    })
    const late = await home.tools()
    const saving = late.save({ content: 'The lighthouse keeper came late.', sender: 'Eve', session_id: 'late' })
    const waits = async () =>
      (await store.sql`select 1 from pg_locks where locktype = 'advisory' and not granted`).length > 0
    await expect.poll(waits, { timeout: 20_000 }).toBe(true)

    await tools.save({ content: 'The lighthouse keeper came early.', sender: 'Ada', session_id: 'early' })
    const query = { query: 'lighthouse keeper', context: 0 }
    const before = await rankingsFound(server)
    for (const _again of [1, 2]) expect(hitsOf(await tools.search(query))).toHaveLength(1)
    expect(await rankingsFound(server)).toEqual({ hit: before.hit + 1, miss: before.miss + 1 })
    await store.sql`select pg_advisory_unlock(4711)`
    await saving
    expect(await tools.hits(query)).toHaveLength(2)
  },
)
