import { expect, it } from 'vitest'

import { TermHashers } from '../../src/indexing/terms/term-hashers.ts'
import { predict } from '../../src/insight/prediction/predict.ts'
import { relatedNames } from '../../src/insight/prediction/related-names.ts'
import type { Database } from '../../src/store/database.ts'
import { readPlaces } from '../../src/store/messages.ts'
import { caller, useStore } from './store.ts'

// What is sealed is made smaller before.
const store = useStore({ VERBATIM_ENCRYPTION: 'off' })

/** Sums the payloads of each result; a bound that a result goes over is too high. */
function weighed(database: Database): { readonly database: Database; readonly largest: () => number } {
  let largest = 0
  const run: Database['run'] = async (work) => {
    const result = await database.run(work)
    const rows: readonly unknown[] = Array.isArray(result) ? result : []
    const bytes = rows.map((row) =>
      typeof row === 'object' && row !== null && 'payload' in row && row.payload instanceof Uint8Array
        ? row.payload.length
        : 0,
    )
    largest = Math.max(
      largest,
      bytes.reduce((sum, one) => sum + one, 0),
    )
    return result
  }
  return { database: { ...database, run }, largest: () => largest }
}

it('what is recalled for the first time holds few large messages at once, and names what all of them name', async () => {
  // Each but the last is read; one word more and it would be too large.
  const large = Array.from({ length: 20 }, (_, n) => ({ content: `See file${n}.ts ${'x'.repeat(250_000)}` }))
  const sessionId = await store.session([...large, { content: `See toolarge.ts ${'x'.repeat(300_000)}` }])
  const { stores } = store.open
  const { database, largest } = weighed(stores.database)
  const dependencies = { ...stores, database, hashers: new TermHashers(database.vault) }
  const places = Array.from({ length: 21 }, (_, at) => ({ sessionId, seq: at + 1 }))

  const about = { places, named: ['file3.ts'] }
  const found = await relatedNames(dependencies, caller, { ...about, read: [] })
  expect(found.map(({ name, rank }) => [name, rank])).toEqual(
    large.flatMap((_, n) => (n === 3 ? [] : [[`file${n}.ts`, n]])),
  )
  expect(largest()).toBeGreaterThan(1024 * 1024)
  expect(largest()).toBeLessThan(4.2 * 1024 * 1024)

  const rows = await readPlaces(database, caller.tenantId, { places: [9, 3, 21].map((seq) => ({ sessionId, seq })) })
  const read = rows.map((message) => ({ message, text: message.text ?? Buffer.from(message.payload ?? []).toString() }))
  expect(read).toHaveLength(3)
  // What was read before is not read again, and counts the same; of what is too large still nothing is named.
  expect(await relatedNames(dependencies, caller, { ...about, read })).toEqual(found)

  const { named } = await predict(dependencies, caller, { session: { id: sessionId, lastSeq: 21 }, meaningMs: 0 })
  expect(named).toEqual(large.map((_, n) => `file${n}.ts`))
  expect(largest()).toBeLessThan(4.2 * 1024 * 1024)
})
