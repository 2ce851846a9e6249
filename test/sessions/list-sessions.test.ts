import { describe, expect, it } from 'vitest'

import { caller, useStore } from './store.ts'

/** Metadata is written by SQL. */
const store = useStore({ VERBATIM_ENCRYPTION: 'off' })

describe('listSessions()', () => {
  it('keeps a page to its budget and gives every session once, its long lists cut', async () => {
    const ids: string[] = []
    for (let at = 0; at < 12; at++) {
      const id = await store.session(
        Array.from({ length: 60 }, (_, name) => ({ sender: `participant ${name}`, content: 'x' })),
      )
      ids.push(id)
    }
    await store.open.stores.database.run(
      (sql) => sql`update sessions set metadata = ${Buffer.from(JSON.stringify({ note: 'n'.repeat(50_000) }))}`,
    )
    const seen: string[] = []
    let pages = 0
    let cursor: string | undefined
    do {
      const page = await store.open.listSessions(caller, { limit: 100, maxTokens: 2_000, cursor })
      expect(Buffer.byteLength(JSON.stringify(page, null, 2))).toBeLessThanOrEqual(2_000 * 3.5)
      for (const head of page.sessions) {
        expect(head).toMatchObject({ participants_more: 10, metadata_bytes: expect.any(Number) })
        expect(head.participants).toHaveLength(50)
      }
      seen.push(...page.sessions.map((head) => head.session_id))
      pages++
      cursor = page.next_cursor
    } while (cursor !== undefined)
    expect(pages).toBeGreaterThan(2)
    expect(seen.toSorted()).toEqual(ids.toSorted())
  })
})
