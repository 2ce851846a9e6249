import { mkdirSync, renameSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { addOutbox } from '../../src/store/work/add-work.ts'
import { indexTopic } from '../../src/store/work/outbox.ts'
import { caller, useStore } from '../sessions/store.ts'

const store = useStore({ VERBATIM_EMBEDDER: 'none' })
const { tenantId } = caller

const asked = { limit: 5, maxTokens: 2_000, context: 0, format: 'json', mode: 'full_text' } as const
const finds = async (query: string) => {
  const { results } = await store.open.search(caller, { ...asked, query })
  return results.length
}

describe('a large message whose archive is away while it is indexed', () => {
  it('is indexed once the archive is back, and the others are meanwhile', { timeout: 60_000 }, async () => {
    const { database } = store.open.stores
    const large = `The lighthouse keeper is called Quillfeather. ${'Salt and fog. '.repeat(90_000)}`
    const sessionId = await store.session([{ content: large }, { content: 'The harbour has a dredger.' }])
    await expect.poll(() => finds('Quillfeather'), { timeout: 20_000 }).toBe(1)
    const [row] = await database.run(
      (sql) => sql<{ location: string }[]>`
        select payload_location as location from messages where session_id = ${sessionId} and seq = 1`,
    )
    const path = join(store.fixture.home, 'archive', row?.location ?? 'none')
    renameSync(path, `${path}.kept`)
    mkdirSync(path)
    await database.run((sql) => sql`delete from search_units where session_id = ${sessionId}`)
    await database.run((sql) => addOutbox(sql, indexTopic, [{ tenantId, sessionId, firstSeq: 1, lastSeq: 2 }]))
    // A save wakes whoever indexes.
    await store.session([{ content: 'A tern.' }])
    const waiting = () =>
      database.run(
        (sql) => sql<{ first: string; last: string; why: string; later: boolean }[]>`
          select first_seq as first, last_seq as last, last_error as why, available_at > now() as later
          from outbox where topic = ${indexTopic} and session_id = ${sessionId}`,
      )
    await expect
      .poll(waiting, { timeout: 20_000 })
      .toEqual([{ first: '1', last: '1', why: expect.stringContaining('Cannot read from the archive'), later: true }])
    expect(await finds('dredger')).toBe(1)
    // Two pieces of work on it, and two that are looked at again, are one afterwards.
    const again = [1, 2].map((firstSeq) => ({ tenantId, sessionId, firstSeq: 1, lastSeq: firstSeq }))
    await database.run((sql) => sql`update outbox set available_at = now() where session_id = ${sessionId}`)
    await database.run((sql) => addOutbox(sql, indexTopic, again))
    await store.session([{ content: 'A petrel.' }])
    await expect
      .poll(async () => (await waiting()).map(({ first, last, later }) => `${first} ${last} ${later}`), {
        timeout: 20_000,
      })
      .toEqual(['1 1 true'])
    expect(await finds('Quillfeather')).toBe(0)
    rmdirSync(path)
    renameSync(`${path}.kept`, path)
    await database.run((sql) => sql`update outbox set available_at = now() where session_id = ${sessionId}`)
    await store.session([{ content: 'A gannet.' }])
    await expect.poll(() => finds('Quillfeather'), { timeout: 20_000 }).toBe(1)
    expect(await waiting()).toEqual([])
  })
})
