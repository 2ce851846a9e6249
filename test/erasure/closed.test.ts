import { describe, expect, it } from 'vitest'

import { eraseRows } from '../../src/erasure/erase-rows.ts'
import { forget } from '../../src/erasure/forget.ts'
import { workOffErasure } from '../../src/erasure/run-erasure.ts'
import { ErasedError } from '../../src/errors.ts'
import { limits } from '../../src/limits.ts'
import { newId } from '../../src/model/ids.ts'
import type { Database } from '../../src/store/database.ts'
import { closeErasing, reopenErasing } from '../../src/store/erasure/erasing-sessions.ts'
import { addErasureWork, addPayloadWork, claimErasure, type ErasureItem } from '../../src/store/erasure/erasure-work.ts'
import { insertErasure, readReceipts } from '../../src/store/erasure/receipts.ts'
import { inTransaction } from '../../src/store/transaction.ts'
import { caller, messagesOf, useStore } from '../sessions/store.ts'

const store = useStore()
const { tenantId } = caller
const index = undefined

const message = (content: string) => ({ content, sender: 'Ann', role: 'user' as const })
const save = (sessionId: string, contents: readonly string[]) =>
  store.open.saveMessages(caller, { sessionId, messages: contents.map(message) })
const kept = async (sessionId: string) =>
  messagesOf(await store.pages(sessionId, { maxTokens: 5_000 })).map(({ content }) => content)

/** Leaves a session to be erased, which nobody takes before `due`. */
async function leave(sessionId: string, { scope, lastSeq }: { scope: string; lastSeq?: number }): Promise<string> {
  const id = newId()
  await store.open.stores.database.run((sql) =>
    inTransaction(sql, async (own) => {
      const about = { scope, targetHash: new Uint8Array(), reason: undefined, requestedBy: 'test', held: [] }
      await insertErasure(own, { tenantId, id, ...about })
      await addErasureWork(own, { tenantId, id }, [{ id: sessionId, stretches: [], lastSeq }])
      await own`update outbox set available_at = now() + interval '1 hour' where details->>'erasure' = ${id}`
    }),
  )
  return id
}

const due = (id: string) =>
  store.open.stores.database.run(
    (sql) => sql`update outbox set available_at = now() where details->>'erasure' = ${id} and available_at > now()`,
  )

/** Takes the work, which nobody else takes then. */
async function take(id: string): Promise<ErasureItem> {
  const item = await store.open.stores.database.run((sql) =>
    inTransaction(sql, async (own) => {
      await own`update outbox set available_at = now() where details->>'erasure' = ${id}`
      const taken = await claimErasure(own, id)
      await own`update outbox set available_at = now() + interval '1 hour' where details->>'erasure' = ${id}`
      return taken
    }),
  )
  if (item === undefined) throw new Error('there is no such work')
  return item
}

async function completed(id: string) {
  const { database, archive } = store.open.stores
  const read = async () => {
    await workOffErasure({ database, archive, index }, id)
    return (await database.run((sql) => readReceipts(sql, tenantId, { id, limit: 1 })))[0]
  }
  await expect.poll(async () => (await read())?.completed_at ?? null, { timeout: 30_000 }).not.toBeNull()
  return await read()
}

/** A database that calls back once, after something was asked of it, where it is time by the answer. */
function hooked(isTime: (answer: unknown) => boolean | Promise<boolean>, then: () => Promise<unknown>): Database {
  const { database } = store.open.stores
  let isDone = false
  const run: Database['run'] = async (work) => {
    const result = await database.run(work)
    if (!isDone && (await isTime(result))) {
      isDone = true
      await then()
    }
    return result
  }
  const { kind, vault } = database
  return { kind, vault, run, of: (viewer) => database.of(viewer), close: async () => undefined }
}

describe('what is saved to a session that is to be erased', () => {
  it.each([
    ['alone', ['too late']],
    ['with others', ['too late', 'as well']],
  ])('is refused from the moment on that this was asked for: %s', async (_, contents) => {
    const sessionId = await store.session([{ content: 'to go' }])
    const id = await leave(sessionId, { scope: 'session' })
    const saving = save(sessionId, contents)
    await expect(saving).rejects.toThrow(ErasedError)
    await expect(saving).rejects.toThrow(/^Cannot save to session .* as it is being erased since /)
    expect(await kept(sessionId)).toEqual(['to go'])
    await due(id)
    expect(await completed(id)).toMatchObject({ erased: { sessions: 1, messages: 1 } })
  })

  it('is refused between two parts of it, also where it has expired', { timeout: 60_000 }, async () => {
    const { database } = store.open.stores
    const sessionId = await store.session([{ content: 'first' }])
    const count = limits.erasedMessagesMax
    for (let saved = 0; saved < count; saved += limits.batchMessagesMax)
      await save(
        sessionId,
        Array.from({ length: limits.batchMessagesMax }, (__, n) => `message ${saved + n}`),
      )
    const id = await leave(sessionId, { scope: 'retention', lastSeq: count + 1 })
    const item = await take(id)
    const hasBegun = async () => {
      const rows = await database.run(
        (sql) => sql`
        select from outbox where id = ${item.id} and details->'hasBegun' = 'true' and details->'rowsErased' = 'false'`,
      )
      return rows.length > 0
    }
    let refusal: unknown = 'saved'
    const saving = hooked(hasBegun, async () => {
      refusal = await save(sessionId, ['in between']).then(
        () => 'saved',
        (error: unknown) => error,
      )
    })
    await eraseRows(saving, item)
    expect(refusal).toBeInstanceOf(ErasedError)
    await due(id)
    expect(await completed(id)).toMatchObject({ erased: { sessions: 1, messages: count + 1 } })
  })

  it('is kept where it was saved just before, and nothing is erased then that was not shown', async () => {
    const { database, archive } = store.open.stores
    const sessionId = await store.session([{ content: 'shown' }])
    const dependencies = { database, archive, index, visible: database }
    const preview = await forget(dependencies, caller, { sessionId })
    if (preview.status !== 'preview') throw new Error('no preview')
    const isPlanned = (answer: unknown) => Array.isArray(answer) && answer.some((one) => 'isOwn' in one)
    const visible = hooked(isPlanned, () => save(sessionId, ['just before']))
    const erasing = forget({ ...dependencies, visible }, caller, { sessionId, confirm: preview.confirm })
    await expect(erasing).rejects.toThrow(/was changed meanwhile/)
    expect(await kept(sessionId)).toEqual(['shown', 'just before'])
  })

  it('is saved again where a legal hold has kept the session', async () => {
    const sessionId = await store.session([{ content: 'held' }])
    const id = await leave(sessionId, { scope: 'session' })
    await store.open.updateSession(caller, { sessionId, legalHold: true })
    await due(id)
    expect(await completed(id)).toMatchObject({ erased: { messages: 0 }, held: [sessionId] })
    await save(sessionId, ['goes on'])
    expect(await kept(sessionId)).toEqual(['held', 'goes on'])
  })
  it('is refused on where another erasure has left the session as it was, and this one is still to come', async () => {
    const sessionId = await store.session([{ content: 'expired' }])
    const swept = await leave(sessionId, { scope: 'retention', lastSeq: 1 })
    await save(sessionId, ['meanwhile'])
    const asked = await leave(sessionId, { scope: 'session' })
    await due(swept)
    expect(await completed(swept)).toMatchObject({ erased: { messages: 0 } })
    await expect(save(sessionId, ['too late'])).rejects.toThrow(ErasedError)
    await due(asked)
    expect(await completed(asked)).toMatchObject({ erased: { sessions: 1, messages: 2 } })
  })

  it('is saved where a session came closed from another store, whatever else is to be erased of it', async () => {
    const { database } = store.open.stores
    const sessionId = await store.session([{ content: 'moved' }])
    const payloads = [`payloads/${newId()}`]
    await database.run(async (sql) => {
      await closeErasing(sql, tenantId, [sessionId])
      await addPayloadWork(sql, { tenantId, sessionId }, { payloads, afterMs: 3_600_000 })
      await reopenErasing(sql, tenantId)
    })
    await save(sessionId, ['goes on'])
    expect(await kept(sessionId)).toEqual(['moved', 'goes on'])
  })
})
