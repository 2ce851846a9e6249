import { describe, expect, it, onTestFinished } from 'vitest'

import { StandBack } from '../../src/indexing/stand-back.ts'
import { StretchWorker } from '../../src/indexing/stretch-worker.ts'
import { createLog } from '../../src/log.ts'
import { addOutbox } from '../../src/store/work/add-work.ts'
import { outboxBacklog } from '../../src/store/work/outbox.ts'
import { caller, useStore } from '../sessions/store.ts'

const store = useStore()
const { tenantId } = caller
const anHour = { quietMs: 3_600_000, longestMs: 3_600_000 } as const

class Watched extends StandBack {
  readonly asked: Promise<void>[] = []

  override async turn(signal: AbortSignal): Promise<void> {
    const turn = super.turn(signal)
    this.asked.push(turn)
    await turn
  }
}

/** Work that takes each stretch at once, in rounds of so many messages. */
function start(topic: string, about: { readonly standBack: StandBack; readonly messagesPerRound: number }) {
  const { standBack, messagesPerRound } = about
  const worker = new StretchWorker(
    { database: store.open.stores.database, log: createLog('silent'), standBack },
    {
      name: 'test',
      topic,
      messagesPerRound,
      read: async ({ lastSeq }) => ({ messages: 1, upTo: lastSeq }),
      make: async () => ({ write: async () => true }),
    },
  )
  onTestFinished(() => worker.stop())
  worker.wake()
  return worker
}

const left = async (topic: string) =>
  (await store.open.stores.database.run((sql) => outboxBacklog(sql, tenantId, { topic }))).messages

describe('while somebody is served', () => {
  it('stands back after a round that was full', async () => {
    const topic = 'messages of a test'
    const sessions = [await store.session([{ content: 'A heron.' }]), await store.session([{ content: 'A coot.' }])]
    const work = sessions.map((sessionId) => ({ tenantId, sessionId, firstSeq: 1, lastSeq: 1 }))
    await store.open.stores.database.run((sql) => addOutbox(sql, topic, work))
    const standBack = new Watched(anHour)
    standBack.served()
    const worker = start(topic, { standBack, messagesPerRound: 1 })
    await expect.poll(() => standBack.asked.length, { timeout: 30_000 }).toBe(1)
    expect(await left(topic)).toBe(1)
    await worker.stop()
    expect(await left(topic)).toBe(1)

    start(topic, { standBack: new StandBack(anHour), messagesPerRound: 1 })
    await expect.poll(() => left(topic), { timeout: 30_000 }).toBe(0)
  })

  it('stands back after one that was full of small pieces', async () => {
    const topic = 'pieces of a test'
    const sessionId = await store.session([{ content: 'A heron.' }])
    const pieces = Array.from({ length: 120 }, (_, at) => ({ tenantId, sessionId, firstSeq: at + 1, lastSeq: at + 1 }))
    await store.open.stores.database.run((sql) => addOutbox(sql, topic, pieces))
    const standBack = new Watched(anHour)
    standBack.served()
    const worker = start(topic, { standBack, messagesPerRound: 1_000 })
    await expect.poll(() => standBack.asked.length, { timeout: 30_000 }).toBe(1)
    expect(await left(topic)).toBe(10)
    await worker.stop()
    expect(await left(topic)).toBe(10)
  })
})
