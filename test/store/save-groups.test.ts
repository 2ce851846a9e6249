import postgres from 'postgres'
import { describe, expect, it } from 'vitest'

import { Call } from '../../src/model/call.ts'
import { newId } from '../../src/model/ids.ts'
import { caller, useStore } from '../sessions/store.ts'
import { isOnServer } from '../support/test-store.ts'

const store = useStore()
const message = (content: string, messageId?: string) => ({ content, sender: 'Ann', role: 'user' as const, messageId })

async function sessions(count: number): Promise<string[]> {
  return await Promise.all(
    Array.from({ length: count }, () => store.session([{ content: 'taken', messageId: 'first' }])),
  )
}

async function textsOf(sessionId: string): Promise<unknown[]> {
  const { messages } = await store.open.getSession(caller, { sessionId, limit: 500, maxTokens: 100_000, view: 'full' })
  return messages.map(({ content }) => content)
}

function resolvers(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = () => {}
  const promise = new Promise<void>((done) => (resolve = done))
  return { promise, resolve }
}

describe('saves of many sessions at once, which share statements', () => {
  it('answer each with its own outcome, and keep what each said', async () => {
    const ids = await sessions(30)
    const outcomes = await Promise.allSettled(
      ids.flatMap((sessionId, index) => [
        store.open.saveMessages(caller, { sessionId, messages: [message(`new ${index}`)] }),
        index % 3 === 0
          ? store.open.saveMessages(caller, { sessionId, messages: [message('taken', 'first')] })
          : store.open.saveMessages(caller, { sessionId, messages: [message('something else', 'first')] }),
      ]),
    )
    for (const [index, sessionId] of ids.entries()) {
      const [added, again] = outcomes.slice(index * 2)
      expect(added).toMatchObject({
        status: 'fulfilled',
        value: { session_id: sessionId, messages: [{ seq: 2, duplicate: false }] },
      })
      expect(again).toMatchObject(
        index % 3 === 0
          ? { status: 'fulfilled', value: { messages: [{ seq: 1, duplicate: true }] } }
          : { status: 'rejected', reason: { name: 'ConflictError' } },
      )
      expect(await textsOf(sessionId)).toEqual(['taken', `new ${index}`])
    }
  })

  it('keep the order in which one session was written to', async () => {
    const [sessionId = ''] = await sessions(1)
    const others = await sessions(8)
    const texts = Array.from({ length: 60 }, (_, index) => `turn ${index}`)
    await Promise.all([
      ...texts.map((text) => store.open.saveMessages(caller, { sessionId, messages: [message(text)] })),
      ...others.map((other) => store.open.saveMessages(caller, { sessionId: other, messages: [message('beside')] })),
    ])
    expect(await textsOf(sessionId)).toEqual(['taken', ...texts])
  })

  it('leave in the audit log who called for each, and nothing of the call before', async () => {
    const ids = await sessions(16)
    const calls = ids.map((_, index) =>
      index % 2 === 0
        ? new Call(
            { origin: 'http', auth: 'token', tokenId: newId() },
            { action: 'call.tool', tool: 'save_message' },
            newId(),
          )
        : undefined,
    )
    await Promise.all(
      ids.map((sessionId, index) => {
        const call = calls[index]
        const own = { ...caller, client: `client ${index}`, ...(call === undefined ? {} : { call }) }
        return store.open.saveMessages(own, { sessionId, messages: [message('audited')] })
      }),
    )
    const rows = await store.open.stores.database.run(
      (sql) => sql`
        select distinct on (object_id) object_id, client, request_id, token_id, origin from audit_log
        where object_id = any(${ids}) and action = 'message.save' order by object_id, id desc`,
    )
    const byId = new Map(rows.map((row) => [row['object_id'], row]))
    for (const [index, sessionId] of ids.entries()) {
      const row = byId.get(sessionId)
      const call = calls[index]
      expect(row).toMatchObject({
        client: `client ${index}`,
        ...(call === undefined
          ? { token_id: null }
          : { request_id: call.id, token_id: call.door.tokenId, origin: 'http' }),
      })
    }
  })

  it.runIf(isOnServer)('do not wait for a session that somebody else holds', async () => {
    const [held = '', ...free] = await sessions(9)
    const other = postgres(store.databaseUrl ?? '', { max: 1, onnotice: () => undefined })
    let isReleased = false
    try {
      const begun = resolvers()
      const release = resolvers()
      const holding = other.begin(async (transaction) => {
        await transaction`select from sessions where id = ${held} for update`
        begun.resolve()
        await release.promise
        isReleased = true
      })
      await begun.promise
      const save = (sessionId: string) => store.open.saveMessages(caller, { sessionId, messages: [message('now')] })
      const waiting = Array.from({ length: 3 }, () => save(held))
      await Promise.all(free.map(save))
      expect(isReleased).toBe(false)
      release.resolve()
      await holding
      expect(
        (await Promise.all(waiting))
          .flatMap(({ messages }) => messages.map(({ seq }) => seq))
          .toSorted((a, b) => a - b),
      ).toEqual([2, 3, 4])
    } finally {
      await other.end()
    }
  })
})
