import { expect, it, onTestFinished } from 'vitest'

import { StandBack } from '../../src/indexing/stand-back.ts'
import { StretchWorker } from '../../src/indexing/stretch-worker.ts'
import { createLog } from '../../src/log.ts'
import { addOutbox } from '../../src/store/work/add-work.ts'
import { outboxBacklog } from '../../src/store/work/outbox.ts'
import { caller, useStore } from '../sessions/store.ts'

const store = useStore()
const { tenantId } = caller
const topic = 'work of a test'

it('stands back while somebody is served, after a round that was full', async () => {
  const { database } = store.open.stores
  const sessions = [await store.session([{ content: 'A heron.' }]), await store.session([{ content: 'A coot.' }])]
  const work = sessions.map((sessionId) => ({ tenantId, sessionId, firstSeq: 1, lastSeq: 1 }))
  await database.run((sql) => addOutbox(sql, topic, work))
  const anHour = { quietMs: 3_600_000, longestMs: 3_600_000 } as const
  const left = async () => (await database.run((sql) => outboxBacklog(sql, tenantId, { topic }))).messages
  const start = (standBack: StandBack) => {
    const worker = new StretchWorker(
      { database, log: createLog('silent'), standBack },
      {
        name: 'test',
        topic,
        messagesPerRound: 1,
        read: async ({ lastSeq }) => ({ messages: 1, upTo: lastSeq }),
        make: async () => ({ write: async () => true }),
      },
    )
    onTestFinished(() => worker.stop())
    worker.wake()
    return worker
  }
  const asked: Promise<void>[] = []
  class Watched extends StandBack {
    override async turn(signal: AbortSignal): Promise<void> {
      const turn = super.turn(signal)
      asked.push(turn)
      await turn
    }
  }
  const busy = new Watched(anHour)
  busy.served()
  const worker = start(busy)
  await expect.poll(() => asked.length, { timeout: 30_000 }).toBe(1)
  expect(await left()).toBe(1)
  await worker.stop()
  expect(await left()).toBe(1)

  start(new StandBack(anHour))
  await expect.poll(left, { timeout: 30_000 }).toBe(0)
})
