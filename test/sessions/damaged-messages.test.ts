import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

import { beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'

import { readResource } from '../../src/mcp/resources.ts'
import { sha256 } from '../../src/model/messages/payload.ts'
import { exportSession } from '../../src/sessions/exports/export-session.ts'
import { renderSession } from '../../src/sessions/render.ts'
import { caller, contentsOf, messagesOf, useStore } from './store.ts'

/** Bytes in the database are altered by SQL: where they are encrypted that is told apart, see test/store/encryption.test.ts. */
const store = useStore({ VERBATIM_ENCRYPTION: 'off' })
let sessionId: string

/** Three good messages, one whose row was altered, one whose archived bytes are gone. */
beforeAll(async () => {
  sessionId = await store.session([
    { content: 'We decided to moor the Marguerite at berth 14.' },
    { content: 'The altered message about the crane schedule.', metadata: { kept: true } },
    { content: 'The harbour master confirmed the tide tables.' },
    { content: 'z'.repeat(2 * 1024 * 1024) },
    { content: 'The last words about the lighthouse keeper.' },
  ])
  const [page] = await store.pages(sessionId, { maxTokens: 8_000 })
  await store.damage(page?.messages[1]?.id ?? '')
  const objects = readdirSync(join(store.fixture.home, 'archive', 'payloads'), { recursive: true, encoding: 'utf8' })
  for (const object of objects)
    rmSync(join(store.fixture.home, 'archive', 'payloads', object), { recursive: true, force: true })
})

const contextSchema = z.object({ results: z.array(z.object({ session_id: z.string() })) })

async function exported(format: 'json' | 'jsonl' | 'markdown'): Promise<string> {
  let text = ''
  for await (const chunk of exportSession(store.open.stores, caller, { sessionId, format })) text += chunk
  return text
}

describe('a damaged message', () => {
  it('is an entry with its metadata and what is wrong in get_session, and the others are there', async () => {
    const messages = messagesOf(await store.pages(sessionId, { maxTokens: 8_000 }))
    expect(messages.map(({ seq, content }) => [seq, content !== undefined])).toEqual([
      [1, true],
      [2, false],
      [3, true],
      [4, false],
      [5, true],
    ])
    expect(messages[1]?.error).toContain('do not match their SHA-256')
    expect(messages[1]?.metadata).toMatchObject({ own: { kept: true }, trust: 'owner' })
    expect(messages[3]?.error).toContain('archived payload is missing')
    expect(messages[3]?.error).toContain('verbatim verify')
  })

  it('says so in the compact view and as text', async () => {
    const [page] = await store.pages(sessionId, { maxTokens: 8_000, view: 'compact' })
    expect(page?.messages.map(({ error }) => error !== undefined)).toEqual([false, true, false, true, false])
    expect(page === undefined ? '' : renderSession(page)).toMatch(/\[Cannot read message .* SHA-256/)
  })

  it('does not end an export, whatever its format', async () => {
    const document: unknown = JSON.parse(await exported('json'))
    expect(document).toMatchObject({
      messages: [{}, { error: expect.any(String) }, {}, { error: expect.any(String) }, {}],
    })
    const lines = (await exported('jsonl')).trim().split('\n')
    expect(lines).toHaveLength(5)
    expect(lines[1]).toContain('"error":"Cannot read message')
    const markdown = await exported('markdown')
    expect(markdown).toContain('[Cannot read message')
    expect(markdown).toContain('lighthouse keeper')
  })

  it('does not keep what other sessions hold about the newest turns from being recalled', async () => {
    const other = await store.session([{ content: 'The lighthouse keeper moors the Marguerite on Fridays.' }])
    const recalled = async (): Promise<string[]> => {
      const { uri, text } = await readResource(store.open, caller, `session://${sessionId}/context`)
      expect(uri).toBe(`session://${sessionId}/context`)
      return contextSchema.parse(JSON.parse(text)).results.map((result) => result.session_id)
    }
    await expect.poll(recalled, { timeout: 30_000 }).toEqual([other])
  })

  it('is left out of a summary', async () => {
    const input = { sessionId, style: 'detailed', maxTokens: 2_000, refresh: false, keep: false } as const
    const reply = await store.open.summarize(caller, input)
    expect(reply.citations.map(({ seq }) => seq)).toEqual([1, 3, 5])
    expect(reply.coverage.messages_read).toBe(3)
  })
})

describe('bytes that are not text', () => {
  it('come in pieces that are their base64', async () => {
    const bytes = Buffer.from(Array.from({ length: 5_000 }, (_, at) => (at * 7) % 256))
    const id = await store.session([{ content: 'to be replaced' }])
    await store.open.stores.database.run(
      (sql) => sql`
        update messages set payload = ${bytes}, payload_bytes = ${bytes.length}, payload_sha256 = ${sha256(bytes)}
        where session_id = ${id}`,
    )
    const pages = await store.pages(id, { maxTokens: 1_001 })
    expect(pages.length).toBeGreaterThan(1)
    expect(contentsOf(pages).get(1)).toBe(bytes.toString('base64'))
  })
})
