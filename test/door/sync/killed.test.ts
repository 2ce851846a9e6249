import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

import { beforeAll, expect, test } from 'vitest'

import { outputOf } from '../support/cli-output.ts'
import type { Home } from '../support/home.ts'
import { usePair } from '../support/synced-pair.ts'

/** So that they take several answers of 4 MiB. */
const messageCount = 300
const messageBytes = 40_000
const batch = 50
const lookMs = 5

const pair = usePair()
const { server, laptop } = pair

beforeAll(() => {
  laptop.settings = { ...laptop.settings, VERBATIM_SYNC_TOKEN: pair.token }
})

/** How many messages of a session a store has, and whether each is there once, in its place. */
async function placesOf(home: Home, session: string) {
  const store = home.database()
  try {
    const [row] = await store.sql<{ count: number; ids: number; last: number }[]>`
      select count(*)::int as count, count(distinct m.id)::int as ids, coalesce(max(m.seq), 0)::int as last
      from messages m join sessions s on s.id = m.session_id where s.external_id = ${session}`
    return row
  } finally {
    await store.close()
  }
}

/** Kills a sync as soon as a store holds some messages of a session. Gives how many those were in the end. */
async function killedAmidst(to: Home, session: string): Promise<number> {
  const child = laptop.start(['sync', pair.http.url])
  const closed = once(child, 'close')
  while (child.exitCode === null && (await placesOf(to, session))?.count === 0) await sleep(lookMs)
  child.kill('SIGKILL')
  await closed
  return (await placesOf(to, session))?.count ?? 0
}

test.each([
  ['to the other', laptop, server],
  ['from the other', server, laptop],
])('a sync that was killed while messages went %s goes on, and has each once', async (session, from, to) => {
  const tools = from === laptop ? await laptop.toolsOfTest() : await pair.http.tools()
  const contents = Array.from({ length: messageCount }, (_, index) => `${index} ${'word '.repeat(messageBytes / 5)}`)
  for (let next = 0; next < messageCount; next += batch) {
    const messages = contents.slice(next, next + batch).map((content) => ({ sender: 'ann', role: 'user', content }))
    await tools.saveAll({ session_id: session, messages })
  }
  const arrived = await killedAmidst(to, session)
  expect(arrived).toBeGreaterThan(0)
  const { received, sent } = await pair.sync()
  // A portion that a server had in its hands when the other was killed arrives after that was looked at.
  expect(received.messages + sent.messages).toBeLessThanOrEqual(messageCount - arrived)
  for (const home of [laptop, server])
    expect(await placesOf(home, session)).toEqual({ count: messageCount, ids: messageCount, last: messageCount })
  expect(await outputOf(to, ['verify'])).toContain('all intact')
  expect((await pair.sync()).sessions).toMatchObject({ equal: 0, apart: 0 })
})
