import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { documentBytes, originalOf } from '../../src/capture/documents/export-original.ts'
import { importFile } from '../../src/capture/documents/import-files.ts'
import type { ImportDependencies } from '../../src/capture/documents/imported-sessions.ts'
import { verify } from '../../src/capture/verify.ts'
import type { Database } from '../../src/store/database.ts'
import { pagedMessages } from '../../src/store/page-messages.ts'
import { listSessions } from '../../src/store/sessions.ts'
import { caller, useStore } from '../sessions/store.ts'
import { temporaryDirectory } from '../support/transcripts.ts'

/** The bytes of rows are counted: encrypted ones are made smaller. */
const store = useStore({ VERBATIM_ENCRYPTION: 'off' })

const messageBytes = 900_000
const pageBytes = 4 * 1024 * 1024

function verifyAll(stores: ImportDependencies = store.open.stores) {
  return verify(stores, caller, () => {})
}

async function save(sessionId: string, contents: readonly string[]): Promise<string> {
  const messages = contents.map((content) => ({ content, sender: 'Ann', role: 'user' as const }))
  return (await store.open.saveMessages(caller, { sessionId, messages })).session_id
}

/** A session of ten messages just below the size that leaves a row, imported from a file. */
async function importLarge(): Promise<{ sessionId: string; path: string }> {
  const path = join(await temporaryDirectory(), 'large.jsonl')
  const lines = Array.from({ length: 10 }, (_, index) =>
    JSON.stringify({
      type: 'user',
      uuid: `row ${index}`,
      sessionId: 'large rows',
      timestamp: '2026-01-01T00:00:00.000Z',
      message: { role: 'user', content: 'x'.repeat(messageBytes) },
    }),
  )
  await writeFile(path, `${lines.join('\n')}\n`)
  const report = await importFile(store.open.stores, caller, { path })
  return { sessionId: report.documents[0]?.sessionIds[0] ?? '', path }
}

function payloadBytesOf(answer: unknown): number {
  if (!Array.isArray(answer)) return 0
  return answer.reduce<number>((total, row: unknown) => {
    const payload = typeof row === 'object' && row !== null && 'payload' in row ? row.payload : undefined
    return total + (payload instanceof Uint8Array ? payload.length : 0)
  }, 0)
}

/** The store, with the bytes of payloads that each answer of the database held. */
function measured(): { stores: ImportDependencies; sizes: number[] } {
  const { database, archive } = store.open.stores
  const sizes: number[] = []
  const watched: Database = {
    ...database,
    run: async (work) => {
      const answer = await database.run(work)
      sizes.push(payloadBytesOf(answer))
      return answer
    },
  }
  return { stores: { database: watched, archive }, sizes }
}

describe('pagedMessages()', () => {
  it('gives every message once, in pages of bounded bytes', async () => {
    const { sessionId } = await importLarge()
    const key = { tenantId: caller.tenantId, sessionId }
    const pages: number[][] = []
    for await (const page of pagedMessages(store.open.stores.database, key, { fromSeq: 2, toSeq: 9 })) {
      pages.push(page.map(({ seq }) => seq))
    }
    expect(pages).toEqual([
      [2, 3, 4, 5],
      [6, 7, 8, 9],
    ])
    const single: number[] = []
    for await (const page of pagedMessages(store.open.stores.database, key, { fromSeq: 1, pageBytesMax: 1 })) {
      single.push(page.length)
    }
    expect(single).toEqual(Array.from({ length: 10 }, () => 1))
  })

  it('goes on beyond the number of messages that it looks at once', async () => {
    const contents = Array.from({ length: 400 }, (_, index) => `message ${index}`)
    const sessionId = await save('many', contents)
    await save('many', contents)
    const seqs: number[] = []
    const key = { tenantId: caller.tenantId, sessionId }
    for await (const page of pagedMessages(store.open.stores.database, key, { fromSeq: 1 })) {
      seqs.push(...page.map(({ seq }) => seq))
    }
    expect(seqs).toEqual(Array.from({ length: 800 }, (_, index) => index + 1))
  })
})

describe('documentBytes()', () => {
  it('holds no more than a page of messages at a time', async () => {
    const { sessionId, path } = await importLarge()
    const { stores, sizes } = measured()
    const file = await originalOf(stores, caller, { sessionId, sourceFile: path })
    let total = 0
    for await (const bytes of documentBytes(stores, caller, file)) total += bytes.length
    expect(total).toBe(file.sizeBytes)
    expect(Math.max(...sizes)).toBeGreaterThan(messageBytes)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(pageBytes)
  })
})

describe('verify()', () => {
  it('holds no more than a page of messages at a time', async () => {
    await importLarge()
    const { stores, sizes } = measured()
    expect((await verifyAll(stores)).problems).toEqual([])
    expect(Math.max(...sizes)).toBeGreaterThan(messageBytes)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(pageBytes)
  })

  it('checks a session that becomes active while it runs', async () => {
    for (let index = 0; index < 120; index += 1) await save(`session ${index}`, ['hello'])
    const { database, archive } = store.open.stores
    const before = await listSessions(database, caller, { filter: {}, limit: 1_000, withRestricted: true })
    const oldest = before.at(-1)?.id ?? ''
    let wakes = true
    const awaking: Database = {
      ...database,
      run: async (work) => {
        const answer = await database.run(work)
        if (wakes) {
          wakes = false
          await save(oldest, ['awake'])
        }
        return answer
      },
    }
    expect((await verifyAll({ database: awaking, archive })).sessions).toBe(before.length)
  })

  it('counts every problem, also beyond those that it lists', async () => {
    const contents = Array.from({ length: 400 }, (_, index) => `message ${index}`)
    let sessionId = ''
    for (let batch = 0; batch < 3; batch += 1) sessionId = await save('altered', contents)
    await store.open.stores.database.run(
      (sql) => sql`update messages set payload_sha256 = ${Buffer.alloc(32)} where session_id = ${sessionId}`,
    )
    const report = await verifyAll()
    expect(report.problem_count).toBe(1_200)
    expect(report.problems).toHaveLength(1_000)
    expect(report.problems[0]).toMatchObject({ session_id: sessionId })
  })
})
