import { randomBytes } from 'node:crypto'

import { expect, it } from 'vitest'

import { caller, useStore } from '../sessions/store.ts'

const encrypted = useStore({ VERBATIM_ENCRYPTION: 'on', VERBATIM_ROOT_KEY: randomBytes(32).toString('hex') })
const plain = useStore({ VERBATIM_ENCRYPTION: 'off' })

const subjects = ['heron', 'harbour master', 'database', 'Prüfstand', 'invoice', 'parser.ts', 'ферма', 'zarquon']
const deeds = ['moved to', 'was refused by', 'is older than', 'waits for', 'broke', 'was measured beside', 'pays for']
const places = ['berth 14', 'the migration', 'src/store/wire.ts', 'ECONNRESET', 'the east wing', 'Zürich', 'v2.3.1']

/** The same text at the same place, whichever store it is in. */
function messageOf(n: number) {
  const at = (list: readonly string[], step: number) => list[Math.floor(n / step) % list.length]
  return {
    content: `${at(subjects, 1)} ${at(deeds, 3)} ${at(places, 5)}${n % 4 === 0 ? `, said ${at(subjects, 7)} again` : ''}`,
    sender: n % 2 === 0 ? 'Ann' : 'Ben',
    role: 'user' as const,
    messageId: `m${n}`,
    timestamp: new Date(Date.UTC(2026, 0, 1, 0, n)).toISOString(),
  }
}

const queries = [
  ...subjects,
  ...places,
  'heron waits',
  '"harbour master"',
  'herons waiting',
  'database migration refused',
  'wire ECONNRESET',
  'who pays in Zürich',
  'prüfstände',
]

async function ranked(store: typeof plain): Promise<unknown> {
  for (let from = 0; from < 400; from += 100)
    await store.open.saveMessages(caller, {
      sessionId: `part ${from}`,
      messages: Array.from({ length: 100 }, (_, n) => messageOf(from + n)),
    })
  await expect
    .poll(async () => (await store.open.status(caller)).index.messages_behind, { timeout: 60_000, interval: 200 })
    .toBe(0)
  const found: unknown[] = []
  for (const query of queries) {
    const asked = { query, limit: 20, maxTokens: 20_000, mode: 'full_text', context: 0, format: 'json' } as const
    const { results } = await store.open.search(caller, asked)
    const hits = results.flatMap(({ messages }) => messages.map(({ timestamp, hit }) => [hit?.rank ?? 0, timestamp]))
    found.push([query, hits.toSorted(([a], [b]) => Number(a) - Number(b))])
  }
  return found
}

it('finds the same messages in the same order as a store that is not encrypted', async () => {
  const [sealed, open] = [await ranked(encrypted), await ranked(plain)]
  expect(sealed).toEqual(open)
  expect(JSON.stringify(open).match(/2026-01/gu)?.length).toBeGreaterThan(300)
})
