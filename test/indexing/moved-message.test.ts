import { expect, it } from 'vitest'

import { loadPayload } from '../../src/capture/large-payload.ts'
import { Erasures } from '../../src/erasure/erasures.ts'
import { makeUnits } from '../../src/indexing/make-units.ts'
import { TermHashers } from '../../src/indexing/terms/term-hashers.ts'
import { newId } from '../../src/model/ids.ts'
import { readableText } from '../../src/sessions/document.ts'
import { readSessionRecord } from '../../src/store/archive/archived-session.ts'
import { readMessages } from '../../src/store/messages.ts'
import { writeUnits } from '../../src/store/search/search-units.ts'
import { inTransaction } from '../../src/store/transaction.ts'
import { readForOther } from '../../src/sync/read-messages.ts'
import { storeFromOther } from '../../src/sync/store-messages.ts'
import { caller, useStore } from '../sessions/store.ts'

const store = useStore({ VERBATIM_EMBEDDER: 'none' })
const { tenantId } = caller

/** As the index worker does of messages that it has read. Other parts than there are, as the worker of the store may have written those. */
async function index(rows: Awaited<ReturnType<typeof readMessages>>): Promise<void> {
  const { archive, database } = store.open.stores
  const [words] = (await new TermHashers(database.vault).written(tenantId)).indexes
  if (words === undefined) throw new Error('there is no index')
  for (const row of rows) {
    const text = readableText(row, await loadPayload(archive, row))
    const units = (await makeUnits(row, { text, flags: {} }, words)).map((unit) => ({ ...unit, part: 7 }))
    await database.run((sql) => inTransaction(sql, (own) => writeUnits(own, { tenantId, level: 0 }, units)))
  }
}

it('has no words of a message in the place of which a sync has put another one since it was read', async () => {
  const { archive, database } = store.open.stores
  const sessionId = await store.session([{ content: 'A coot.' }, { content: 'A gallinule.' }])
  const elsewhere = await store.session([{ content: 'A smew.' }])
  const key = { tenantId, sessionId }
  const read = () => readMessages(database, key, { fromSeq: 1, toSeq: 9, limit: 9 })
  const [first, second, ...none] = await read()
  if (first === undefined || second === undefined) throw new Error('they are not there')
  expect(none).toEqual([])

  const [sent] = await readForOther({ database, archive }, { tenantId, sessionId: elsewhere }, { fromSeq: 1, toSeq: 1 })
  const record = await readSessionRecord(database, key, 'sync')
  if (sent === undefined || record === undefined) throw new Error('nothing is there')
  const saved = { saved_at: new Date(Date.parse(second.savedAt) - 1_000).toISOString() }
  const between = {
    ...sent,
    record: { ...sent.record, ...saved, id: newId(), external_id: undefined, follows_id: first.id },
  }
  const erasures = new Erasures({ database, archive, index: undefined })
  const asked = { session: sessionId, record, is_closed: false, adopts: false, is_last: true }
  const written = await storeFromOther({ database, archive, erasures, caller, version: 'test' }, asked, [between])
  expect(written).toMatchObject({ inserted: 1, moved: 1 })

  const indexed = () =>
    database.run(
      (sql) => sql<{ seq: string }[]>`
        select first_seq as seq from search_units where session_id = ${sessionId} and part = 7 order by first_seq`,
    )
  await index([second])
  expect(await indexed()).toEqual([])
  await index(await read())
  expect((await indexed()).map(({ seq }) => Number(seq))).toEqual([1, 2, 3])
})
