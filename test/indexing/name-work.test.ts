import { expect, it } from 'vitest'

import { namesTopic } from '../../src/store/names/name-work.ts'
import { caller, useStore } from '../sessions/store.ts'

/** Nothing answers there: a model is asked when a conversation has been quiet for a while. */
const store = useStore({
  VERBATIM_NAMES: 'model',
  VERBATIM_SUMMARIZER: 'openai-compatible',
  VERBATIM_SUMMARIZER_URL: 'http://127.0.0.1:9/v1',
  VERBATIM_SUMMARIZER_MODEL: 'none',
})

async function untilIndexed(): Promise<void> {
  const behind = async () => (await store.open.status(caller)).index.messages_behind
  await expect.poll(behind, { timeout: 30_000 }).toBe(0)
}

const left = async (sessionId: string) => {
  const rows = await store.open.stores.database.run(
    (sql) => sql<{ from: number; to: number }[]>`
    select first_seq::int as from, last_seq::int as to from outbox
    where topic = ${namesTopic} and session_id = ${sessionId} order by first_seq`,
  )
  return rows.map(({ from, to }) => ({ from, to }))
}

it('leaves nothing that was saved long ago to a model when it is indexed again, but where that is asked for', async () => {
  const recent = await store.session([{ content: 'one' }, { content: 'two' }, { content: 'three' }])
  const old = await store.session([{ content: 'four' }])
  await untilIndexed()
  expect(await left(recent)).toEqual([{ from: 1, to: 3 }])
  const { database } = store.open.stores
  await database.run((sql) => sql`delete from outbox where topic = ${namesTopic}`)
  await database.run(
    (sql) => sql`update messages set saved_at = now() - interval '25 hours'
    where session_id = ${old} or (session_id = ${recent} and seq <= 2)`,
  )
  await store.open.reindex(caller, ['words'])
  await untilIndexed()
  expect(await left(recent)).toEqual([{ from: 3, to: 3 }])
  expect(await left(old)).toEqual([])
  await store.open.reindex(caller, ['names'])
  expect(await left(recent)).toEqual([{ from: 1, to: 3 }])
  expect(await left(old)).toEqual([{ from: 1, to: 1 }])
})
