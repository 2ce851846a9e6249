import { describe, expect, it, vi } from 'vitest'

import { useHome } from '../../../../test/door/support/home.ts'
import { Gateway, findOpenclaw, openclawVersions, type GatewayRequest } from '../support/gateway.ts'
import { MockModel } from '../support/mock-model.ts'
import { rowsInOpenclaw, rowsInVerbatim, sessionsInVerbatim } from '../support/rows.ts'

const key = 'agent:main:conversation'
let messages = 0

function say(message: string, to: { readonly sessionKey?: string; readonly keyOf?: number } = {}): GatewayRequest {
  const { sessionKey = key, keyOf } = to
  const params = { sessionKey, message, idempotencyKey: `message-${++messages}` }
  return { method: 'chat.send', params, waits: true, ...(keyOf === undefined ? {} : { keyOf }) }
}

/** One conversation with tools, a model change, a compaction, a fork and a reset, and one more. */
const conversation: readonly GatewayRequest[] = [
  { method: 'sessions.create', params: { key } },
  say('My cat is called Miso and lives in Turin. \u{1f408} 猫'),
  say('use verbatim__search_memory {"query":"Miso in Turin"}'),
  say('/model mock/mock-b'),
  say('What did we decide about the billing database?'),
  { method: 'sessions.compact', params: { key } },
  say('And after the compaction?'),
  { method: 'sessions.create', params: { parentSessionKey: key, fork: true } },
  say('Something else, in the fork', { keyOf: 7 }),
  { method: 'sessions.reset', params: { key, reason: 'new' } },
  say('A new beginning'),
  { method: 'sessions.create', params: { key: 'agent:main:another' } },
  say('Where does Miso the cat live, in Turin or in Rome?', { sessionKey: 'agent:main:another' }),
]

/** One that nobody may keep. Older releases have none. */
const incognito = (version: string): readonly GatewayRequest[] =>
  version.startsWith('2026.7.')
    ? []
    : [
        { method: 'sessions.create', params: { incognito: true } },
        say('Only you and I know of the zebra', { keyOf: conversation.length }),
      ]

describe.each(openclawVersions)('a conversation in OpenClaw %s', (version) => {
  const openclaw = findOpenclaw(version)
  if (openclaw === undefined)
    console.warn(`Skipped: a conversation in OpenClaw ${version}, as TEST_OPENCLAW names none`)
  const home = useHome()

  it.skipIf(openclaw === undefined)('is in Verbatim row for row, and recalled from there', async () => {
    if (openclaw === undefined) return
    const model = await MockModel.start()
    const gateway = await Gateway.start(home, { ...openclaw, modelUrl: model.url })
    try {
      const replies = await gateway.converse([...conversation, ...incognito(version)])
      expect(replies.filter(({ ok }) => !ok)).toEqual([])
      await vi.waitFor(
        async () => {
          const stored = await rowsInOpenclaw(gateway.state)
          expect(stored.size).toBeGreaterThanOrEqual(3)
          for (const [sessionId, rows] of stored) expect(await rowsInVerbatim(home, sessionId)).toBe(rows)
        },
        { timeout: 60_000, interval: 1_000 },
      )
      const stored = await rowsInOpenclaw(gateway.state)
      const all = [...stored.values()].join('\n')
      const known = await sessionsInVerbatim(home)
      expect([...known.keys()].toSorted()).toEqual([...stored.keys()].map((name) => `main/${name}`).toSorted())
      const looked = await home.cli(['status', '--json', '--sources', 'openclaw'], {
        env: { OPENCLAW_STATE_DIR: gateway.state },
      })
      const by_rows = { sessions: stored.size, rows: all.split('\n').length, rows_missing: 0 }
      expect(JSON.parse(looked.stdout).coverage).toMatchObject([{ source: 'openclaw', state: 'complete', by_rows }])
      for (const type of ['model-snapshot', 'compaction', 'toolResult', 'verbatim__search_memory'])
        expect(all).toContain(type)
      const recalled = model.asked.filter((asked) => asked.includes('recorded memory boundary'))
      expect(recalled.some((asked) => asked.includes('My cat is called Miso and lives in Turin'))).toBe(true)
      // What was recalled is not part of the conversation.
      expect(all).not.toContain('recorded memory boundary')
    } catch (error) {
      console.error(gateway.output)
      throw error
    } finally {
      await gateway.stop()
      await model.stop()
    }
  })
})
