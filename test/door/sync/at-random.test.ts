import { afterAll, beforeAll, expect, test } from 'vitest'

import { outputOf } from '../support/cli-output.ts'
import { Home } from '../support/home.ts'
import { HttpHome } from '../support/http-home.ts'
import { RandomEdits, randomFrom, type Place } from '../support/random-edits.ts'
import { sessionIdsOf, stateOf, sync, syncScopes } from '../support/synced.ts'

/** The same in every run; more of them show more: SYNC_EDITS=1000. */
const edits = Number(process.env['SYNC_EDITS'] ?? 48)
const seed = Number(process.env['SYNC_SEED'] ?? 20_261_127)
const editsBetweenSyncs = 16
const msAnEdit = 4_000

interface Store extends Place {
  readonly server: HttpHome
  readonly token: string
}

const homes = [new Home(), new Home(), new Home()]
const servers: HttpHome[] = []

beforeAll(async () => {
  for (const home of homes) {
    await home.makeDatabase()
    // Those are each store's own, and made when it has been quiet: what models wrote is exchanged.
    home.settings = { ...home.settings, VERBATIM_ROLLING_SUMMARIES: 'off' }
  }
  servers.push(...(await Promise.all(homes.map((home) => HttpHome.start(home, { keep: true })))))
})

afterAll(async () => {
  for (const server of servers) await server.stop()
  for (const home of homes) await home.dispose()
})

async function openStores(): Promise<Store[]> {
  const stores: Store[] = []
  for (const [index, home] of homes.entries()) {
    const server = servers[index]
    if (server === undefined) throw new Error('There is a server of each')
    const token = await server.newToken('--name', 'sync', '--scopes', syncScopes)
    stores.push({ home, server, token, tools: await server.tools() })
  }
  return stores
}

async function textsOf({ home, tools }: Store): Promise<string[]> {
  const texts: string[] = []
  for (const session of await sessionIdsOf(home))
    texts.push(...(await tools.allMessages(session)).map(({ content }) => String(content)))
  return texts
}

test(
  'three stores that go on apart and meet at random come to the same, and nothing is lost',
  async () => {
    const random = randomFrom(seed)
    const stores = await openStores()
    const storeAt = (index: number): Store => {
      const store = stores[index % stores.length]
      if (store === undefined) throw new Error('There are three')
      return store
    }
    const meet = async (one: number, other: number) => {
      const { server, token } = storeAt(other)
      expect(await sync(storeAt(one).home, server, token)).toMatchObject({ problem_count: 0 })
    }
    const made = new RandomEdits(random)
    for (let edit = 1; edit <= edits; edit++) {
      await made.edit(storeAt(random(3)), edit)
      if (edit % editsBetweenSyncs !== 0) continue
      const one = random(3)
      await meet(one, one + 1 + random(2))
    }
    // Until each knows what the others know: once around, and once more for what the first ones have learned meanwhile.
    for (const [one, other] of [
      [0, 1],
      [1, 2],
      [2, 0],
      [0, 1],
      [1, 2],
    ] as const)
      await meet(one, other)
    if (edits > 100) console.log(`${edits} edits of seed ${seed}: ${JSON.stringify(made.made)}`)
    const [first, ...others] = await Promise.all(stores.map(({ home, tools }) => stateOf(home, tools)))
    for (const other of others) expect(other).toEqual(first)
    const texts = await textsOf(storeAt(0))
    expect(texts.filter((text) => made.wasSaid(text)).toSorted()).toEqual(made.kept)
    for (const home of homes) expect(await outputOf(home, ['verify'])).toContain('all intact')
  },
  120_000 + edits * msAnEdit,
)
