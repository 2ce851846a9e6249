import { expect, it } from 'vitest'

import { workOffErasure } from '../../src/erasure/run-erasure.ts'
import { newId } from '../../src/model/ids.ts'
import { applyRetention, planRetention } from '../../src/retention/sweep.ts'
import { addErasureWork } from '../../src/store/erasure/erasure-work.ts'
import { insertErasure, readReceipts } from '../../src/store/erasure/receipts.ts'
import { writePolicy } from '../../src/store/erasure/retention.ts'
import { inTransaction } from '../../src/store/transaction.ts'
import { caller, messagesOf, useStore } from '../sessions/store.ts'

const store = useStore()
const { tenantId } = caller
const index = undefined

/** A session of one message that its policy no longer keeps, and that something is saved to when it is asked for. */
async function expired() {
  const { database } = store.open.stores
  const sessionId = await store.session([{ content: 'said long ago' }])
  const policy = {
    scope: 'session',
    target: sessionId,
    ageDaysMax: undefined,
    messagesMax: undefined,
    bytesMax: undefined,
  } as const
  await database.run((sql) =>
    writePolicy(sql, tenantId, { ...policy, id: newId(), idleDaysMax: 30, createdBy: 'test' }),
  )
  await database.run(
    (sql) => sql`update sessions set last_active_at = now() - interval '60 days' where id = ${sessionId}`,
  )
  const save = () =>
    store.open.saveMessages(caller, {
      sessionId,
      messages: [{ content: 'back again', sender: 'Ann', role: 'user' }],
    })
  const kept = async () => messagesOf(await store.pages(sessionId, { maxTokens: 5_000 })).map(({ content }) => content)
  return { sessionId, save, kept }
}

it('a session that was to go whole stays with what was saved to it since that was planned', async () => {
  const { database, archive } = store.open.stores
  const { sessionId, save, kept } = await expired()
  const plan = await planRetention(database, tenantId, Date.now())
  expect(plan.expired).toMatchObject([{ session_id: sessionId, whole: true }])
  await save()
  await applyRetention({ database, archive, index }, caller, plan)
  expect(await kept()).toEqual(['said long ago', 'back again'])
})

it('and so it does where it is saved to before its turn has come', async () => {
  const { database, archive } = store.open.stores
  const { sessionId, save, kept } = await expired()
  const [planned] = (await planRetention(database, tenantId, Date.now())).expired
  expect(planned).toMatchObject({ session_id: sessionId, whole: true })
  const id = newId()
  await database.run((sql) =>
    inTransaction(sql, async (own) => {
      const about = {
        scope: 'retention',
        targetHash: new Uint8Array(),
        reason: undefined,
        requestedBy: 'test',
        held: [],
      }
      await insertErasure(own, { tenantId, id, ...about })
      await addErasureWork(own, { tenantId, id }, [{ id: sessionId, stretches: [], lastSeq: planned?.last_seq }])
      // Nobody else takes it.
      await own`update outbox set available_at = now() + interval '1 hour' where details->>'erasure' = ${id}`
    }),
  )
  await save()
  await database.run((sql) => sql`update outbox set available_at = now() where details->>'erasure' = ${id}`)
  const receipt = async () => {
    await workOffErasure({ database, archive, index }, id)
    return (await database.run((sql) => readReceipts(sql, tenantId, { id, limit: 1 })))[0]
  }
  await expect.poll(async () => (await receipt())?.completed_at ?? null, { timeout: 30_000 }).not.toBeNull()
  expect(await receipt()).toMatchObject({ erased: { sessions: 0, messages: 0 }, held: [] })
  expect(await kept()).toEqual(['said long ago', 'back again'])
})
