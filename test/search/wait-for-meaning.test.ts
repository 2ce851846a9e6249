import { describe, expect, it } from 'vitest'

import { WaitForMeaning } from '../../src/search/ranking/wait-for-meaning.ts'
import { addOutbox } from '../../src/store/work/add-work.ts'
import { embedTopic, postponeOutbox } from '../../src/store/work/outbox.ts'
import { caller, useStore } from '../sessions/store.ts'

const store = useStore()
const { tenantId } = caller

describe('who searches by meaning alone', () => {
  it('waits for no first vector where some were put off, as their provider fails', async () => {
    const { database } = store.open.stores
    const sessionId = await store.session([{ content: 'A heron.' }, { content: 'A stork.' }])
    await database.run((sql) => sql`delete from outbox where topic = ${embedTopic}`)
    const add = (seq: number) =>
      database.run((sql) => addOutbox(sql, embedTopic, [{ tenantId, sessionId, firstSeq: seq, lastSeq: seq }]))
    await add(1)
    const ids = await database.run((sql) => sql<{ id: string }[]>`select id from outbox where topic = ${embedTopic}`)
    const reason = { error: 'it does not answer', delayMs: 600_000 }
    await database.run((sql) =>
      postponeOutbox(
        sql,
        ids.map(({ id }) => Number(id)),
        reason,
      ),
    )
    // Saved since.
    await add(2)
    let looks = 0
    const found = await new WaitForMeaning({ database }, tenantId, new AbortController().signal).forFirst(() => {
      looks += 1
      return Promise.resolve([])
    })
    expect(found).toEqual([])
    expect(looks).toBe(2)
  })
})
