import { describe, expect, it, onTestFinished } from 'vitest'

import { forget } from '../../src/erasure/forget.ts'
import { TermHashers } from '../../src/indexing/terms/term-hashers.ts'
import { IndexWorker } from '../../src/indexing/worker.ts'
import { createLog } from '../../src/log.ts'
import type { ArchiveStore } from '../../src/ports/archive-store.ts'
import { addOutbox } from '../../src/store/work/add-work.ts'
import { indexTopic } from '../../src/store/work/outbox.ts'
import { caller, messagesOf, useStore } from '../sessions/store.ts'

const store = useStore({ VERBATIM_EMBEDDER: 'none' })
const { tenantId } = caller

async function erase(messageId: string | undefined): Promise<void> {
  const { archive, database } = store.open.stores
  const erasing = { database, archive, index: undefined, visible: database }
  const chosen = { action: 'erase', messageId } as const
  const preview = await forget(erasing, caller, chosen)
  if (preview.status !== 'preview') throw new Error('no preview')
  await forget(erasing, caller, { ...chosen, confirm: preview.confirm })
}

/** A worker that reads a payload of the archive no sooner than `opens`, and says when it would. */
function workerAtGate(opens: Promise<void>): { readonly worker: IndexWorker; readonly waits: () => boolean } {
  const { archive, database } = store.open.stores
  let waits = false
  const get: ArchiveStore['get'] = async (...asked) => {
    waits = true
    await opens
    return await archive.get(...asked)
  }
  const worker = new IndexWorker({
    database,
    archive: { ...archive, get },
    hashers: new TermHashers(database.vault),
    log: createLog('silent'),
    embeds: false,
    learns: false,
    archiveAfterMs: 60_000,
  })
  onTestFinished(() => worker.stop())
  return { worker, waits: () => waits }
}

describe('IndexWorker', () => {
  it('keeps no digest of an empty place that was filled while it was looked at', { timeout: 60_000 }, async () => {
    const { database } = store.open.stores
    const sessionId = await store.session([{ content: 'A coot.' }, { content: 'Salt and fog. '.repeat(90_000) }])
    const pending = () =>
      database.run((sql) => sql`select 1 from outbox where topic = ${indexTopic} and session_id = ${sessionId}`)
    await expect.poll(pending, { timeout: 20_000 }).toEqual([])
    const [first] = messagesOf(await store.pages(sessionId, { maxTokens: 5_000 }))
    await erase(first?.id)
    // What an erasure leaves to be done comes bit by bit.
    let quiet = 0
    const settled = async () => (quiet = (await pending()).length === 0 ? quiet + 1 : 0)
    await expect.poll(settled, { timeout: 30_000, interval: 100 }).toBeGreaterThan(20)
    let open = () => {}
    const { worker, waits } = workerAtGate(new Promise((resolve) => (open = resolve)))
    // The worker of the store may come first. One piece at a time: what it did later, it did of the place as it is then.
    const begun = async () => {
      if ((await pending()).length === 0)
        await database.run((sql) => addOutbox(sql, indexTopic, [{ tenantId, sessionId, firstSeq: 1, lastSeq: 2 }]))
      worker.wake()
      return waits()
    }
    await expect.poll(begun, { timeout: 20_000 }).toBe(true)
    // As a sync does that brings what another store keeps longer.
    await database.run((sql) => sql`update messages set kind = 'message' where session_id = ${sessionId} and seq = 1`)
    open()
    await expect.poll(pending, { timeout: 20_000 }).toEqual([])
    const digests = await database.run(
      (sql) => sql`
        select level from search_units where session_id = ${sessionId} and first_seq = 1 and record_digest is not null`,
    )
    expect(digests).toEqual([])
  })
})
