import { beforeAll, describe, expect, it } from 'vitest'

import { verify } from '../../src/capture/verify.ts'
import { caller, messagesOf, useStore } from '../sessions/store.ts'

/** Who can write to the database can put any bytes anywhere: none of them may be taken for what was saved there. */
const store = useStore({ VERBATIM_ENCRYPTION: 'on' })

const sessions = 4
const messagesEach = 250
const ids: string[] = []

interface Row {
  readonly id: string
  readonly session_id: string
  payload: Buffer
  metadata: Buffer
  text: Buffer | null
}

beforeAll(async () => {
  for (let session = 0; session < sessions; session++) {
    const messages = Array.from({ length: messagesEach }, (_, n) => ({
      content: `message ${n} of session ${session}`,
      metadata: { number: n },
    }))
    ids.push(await store.session(messages))
  }
})

function flipped(bytes: Buffer, bit: number): Buffer {
  const altered = Buffer.from(bytes)
  const at = (bit >> 3) % altered.length
  altered.writeUInt8(altered.readUInt8(at) ^ (1 << (bit & 7)), at)
  return altered
}

/** One change for each row: of a bit, of the length, or another sealed value in its place. */
function tampered(rows: readonly Row[], place: number): Pick<Row, 'payload' | 'metadata'> {
  const row = rows[place]
  const neighbour = rows[place % messagesEach === 0 ? place + 1 : place - 1]
  const elsewhere = rows[(place + messagesEach) % rows.length]
  if (row === undefined || neighbour === undefined || elsewhere === undefined) throw new Error('a row is missing')
  const { payload, metadata } = row
  const kinds: readonly Pick<Row, 'payload' | 'metadata'>[] = [
    { payload: flipped(payload, place * 7), metadata },
    { payload, metadata: flipped(metadata, place * 11) },
    { payload: neighbour.payload, metadata },
    { payload: elsewhere.payload, metadata },
    { payload, metadata: elsewhere.metadata },
    { payload: metadata, metadata: payload },
    { payload: payload.subarray(0, -1), metadata },
    { payload: Buffer.concat([payload, Buffer.of(0)]), metadata },
  ]
  return kinds[place % kinds.length] ?? row
}

describe('1,000 sealed values that were altered or moved', () => {
  it('are all refused by name, in verify and where they are read', async () => {
    const { database } = store.open.stores
    const rows = await database.run(
      (sql) => sql<Row[]>`select id, session_id, payload, metadata, text from messages order by session_id, seq`,
    )
    expect(rows).toHaveLength(sessions * messagesEach)
    expect((await verify(store.open.stores, caller, () => undefined)).problem_count).toBe(0)
    for (const [place, { id }] of rows.entries()) {
      const { payload, metadata } = tampered(rows, place)
      await database.run(
        (sql) => sql`update messages set payload = ${payload}, metadata = ${metadata} where id = ${id}`,
      )
    }
    const report = await verify(store.open.stores, caller, () => undefined)
    expect(report.problem_count).toBe(rows.length)
    expect(new Set(report.problems.map((problem) => problem.message_id))).toEqual(new Set(rows.map(({ id }) => id)))
    expect(report.problems.every(({ problem }) => problem.includes('altered or moved'))).toBe(true)
    const read = messagesOf(await store.pages(ids[0] ?? '', { maxTokens: 25_000 }))
    expect(read).toHaveLength(messagesEach)
    expect(read.every(({ error, content }) => error !== undefined && content === undefined)).toBe(true)
  })
})

describe('titles and summaries that were moved', () => {
  it('are refused by name', async () => {
    const [one, two] = [await store.session([{ content: 'a' }]), await store.session([{ content: 'b' }])]
    for (const [sessionId, text] of [
      [one, 'first'],
      [two, 'second'],
    ] as const)
      await store.open.updateSession(caller, { sessionId, title: text, summary: text })
    const { database } = store.open.stores
    await database.run(
      (sql) => sql`
        update sessions s set title = o.title from sessions o where s.id = ${one} and o.id = ${two} and s.tenant_id = o.tenant_id`,
    )
    await database.run(
      (sql) => sql`
        update summaries s set body = o.body from summaries o where s.session_id = ${two} and o.session_id = ${one}`,
    )
    const [page] = await store.pages(one, { maxTokens: 2_000 })
    expect(page?.title).toBe('[title refused: its encrypted bytes were altered or moved]')
    const [other] = await store.pages(two, { maxTokens: 2_000 })
    expect(other?.context_summary).toMatch(/^\[summary [0-9a-f-]{36} refused: /)
    const { problems } = await verify(store.open.stores, caller, () => undefined)
    const named = problems.filter(({ message_id: message }) => message === undefined)
    expect(named).toHaveLength(2)
    expect(new Set(named.map(({ session_id: session }) => session))).toEqual(new Set([one, two]))
  })
})
