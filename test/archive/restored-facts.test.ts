import { expect, it } from 'vitest'

import { archiveAll } from '../../src/archive/archive-all.ts'
import { restore } from '../../src/archive/restore/restore.ts'
import { TermHashers } from '../../src/indexing/terms/term-hashers.ts'
import { findByPatterns } from '../../src/insight/learning/finders.ts'
import { LearnWorker } from '../../src/insight/learning/learn-worker.ts'
import { createLog } from '../../src/log.ts'
import { addOutbox } from '../../src/store/work/add-work.ts'
import { learnTopic } from '../../src/store/work/outbox.ts'
import { instead } from '../erasure/claimed.ts'
import { caller, useStore, type Store } from '../sessions/store.ts'

const settings = { VERBATIM_LEARNING: 'off', VERBATIM_ENCRYPTION: 'off' }
const lost = useStore(settings)
const anew = useStore(settings)
const log = createLog('silent')

/** Has messages of a session be learned from by patterns. */
async function learn({ open }: Pick<Store, 'open'>, sessionId: string): Promise<void> {
  const { database, archive } = open.stores
  await database.run((sql) => addOutbox(sql, learnTopic, [{ tenantId: 1, sessionId, firstSeq: 1, lastSeq: 9 }]))
  const worker = new LearnWorker(
    { database, archive, hashers: new TermHashers(database.vault), log },
    findByPatterns(false),
  )
  worker.wake()
  const waiting = () => database.run((sql) => sql`select from outbox where topic = ${learnTopic}`)
  await expect.poll(waiting, { timeout: 20_000, interval: 100 }).toHaveLength(0)
  await worker.stop()
}

const facts = async ({ open }: Pick<Store, 'open'>) => (await open.learned(caller).list({ limit: 50 })).facts

it('what somebody has deleted comes back by no restore, though the same was learned of another session before', async () => {
  const said = 'I prefer ale over stout.'
  const first = await lost.session([{ content: 'Good morning.' }])
  const second = await lost.session([{ content: said }])
  await learn(lost, second)
  const [fact] = await facts(lost)
  await lost.open.learned(caller).change({ id: fact?.id ?? '', action: 'delete' })
  await lost.open.saveMessages(caller, { sessionId: first, messages: [{ content: said, sender: 'Ann', role: 'user' }] })
  await learn(lost, first)
  expect(await facts(lost)).toEqual([])
  const { archive } = lost.open.stores
  await archiveAll({ ...lost.open.stores, log }, caller, () => undefined)
  let met = 0
  let learned = 0
  const slow = instead(archive, {
    get: async (key) => {
      // The first is there, and the background has come to it.
      if (key.startsWith(`1/${second}/`) && ++met === 1) {
        await learn(anew, first)
        learned = (await facts(anew)).length
      }
      return await archive.get(key)
    },
  })
  const stores = { database: anew.open.stores.database, archive: slow, log }
  expect(await restore(stores, caller, () => undefined)).toMatchObject({ sessions: 2, problems: [] })
  expect(learned).toBe(1)
  expect(await facts(anew)).toEqual([])
})
