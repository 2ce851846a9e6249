import { afterAll, beforeAll, expect, test } from 'vitest'

import { outputOf } from './support/cli-output.ts'
import { Home } from './support/home.ts'
import { HttpHome } from './support/http-home.ts'
import { stateOf, sync, syncScopes } from './support/synced.ts'
import type { Tools } from './support/tools.ts'

/** The same in every run; more of them show more: SYNC_EDITS=1000. */
const edits = Number(process.env['SYNC_EDITS'] ?? 48)
const editsBetweenSyncs = 16
const msAnEdit = 3_000
const names = ['plans', 'notes', 'trip', 'main', 'review']

/** Park and Miller's generator, so that a run can be repeated. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 48_271) % 2_147_483_647
    return state % below
  }
}

interface Store {
  readonly home: Home
  readonly server: HttpHome
  readonly token: string
  readonly tools: Tools
}

const homes = [new Home(), new Home(), new Home()]
const servers: HttpHome[] = []

beforeAll(async () => {
  for (const home of homes) await home.makeDatabase()
  servers.push(...(await Promise.all(homes.map((home) => HttpHome.start(home, { keep: true })))))
})

afterAll(async () => {
  for (const server of servers) await server.stop()
  for (const home of homes) await home.dispose()
})

test(
  'three stores that go on apart and meet at random come to the same, and nothing is lost',
  async () => {
    const random = randomFrom(20_261_127)
    const stores: Store[] = []
    for (const [index, home] of homes.entries()) {
      const server = servers[index]
      if (server === undefined) throw new Error('There is a server of each')
      const token = await server.newToken('--name', 'sync', '--scopes', syncScopes)
      stores.push({ home, server, token, tools: await server.tools() })
    }
    const storeAt = (index: number): Store => {
      const store = stores[index % stores.length]
      if (store === undefined) throw new Error('There are three')
      return store
    }
    const said = new Set<string>()
    const erased = new Set<string>()
    const meet = async (one: number, other: number) => {
      const { server, token } = storeAt(other)
      await sync(storeAt(one).home, server, token)
    }
    for (let edit = 1; edit <= edits; edit++) {
      const { tools, home } = storeAt(random(3))
      const name = names[random(names.length)] ?? 'plans'
      const kind = random(20)
      if (kind === 0 && said.size > 5) {
        // One message, wherever it is by now.
        const all = await tools.allSessions()
        const chosen = all[random(all.length)]
        const messages = chosen === undefined ? [] : await tools.allMessages(chosen.session_id)
        const message = messages[random(Math.max(1, messages.length))]
        if (chosen !== undefined && message !== undefined && said.has(String(message.content))) {
          await outputOf(home, ['erase', '--session', chosen.session_id, '--message', message.id, '--yes'])
          erased.add(String(message.content))
        }
      } else if (kind === 1) {
        const all = await tools.allSessions()
        const chosen = all[random(all.length)]
        if (chosen !== undefined)
          await tools.call('update_session', {
            session_id: chosen.session_id,
            title: `Title ${edit}`,
            tags: [`t${edit}`],
          })
      } else {
        const content = `Edit ${edit} says ${random(1_000_000)}`
        // Two stores may give the same id; one that has given it refuses it for something else.
        const id = random(4) === 0 ? { message_id: `m${random(12)}` } : {}
        const sender = `author ${random(3)}`
        const saved = await tools.call('save_message', { session_id: name, ...id, role: 'user', sender, content })
        if (!saved.isError) said.add(content)
      }
      if (edit % editsBetweenSyncs === 0) {
        const one = random(3)
        await meet(one, one + 1 + random(2))
      }
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
    const [first, ...others] = await Promise.all(stores.map(({ home, tools }) => stateOf(home, tools)))
    for (const other of others) expect(other).toEqual(first)
    const texts: string[] = []
    for (const { session_id: session } of await storeAt(0).tools.allSessions())
      texts.push(...(await storeAt(0).tools.allMessages(session)).map(({ content }) => String(content)))
    expect(texts.filter((text) => said.has(text)).toSorted()).toEqual(
      [...said].filter((text) => !erased.has(text)).toSorted(),
    )
    for (const home of homes) expect(await outputOf(home, ['verify'])).toContain('all intact')
  },
  120_000 + edits * msAnEdit,
)
