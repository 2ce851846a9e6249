import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import { expect, test } from 'vitest'

import { verify } from '../../src/capture/verify.ts'
import { openVerbatim } from '../../src/compose.ts'
import { localCaller } from '../../src/model/access.ts'
import { faultCycles, killUnderWriters, useFreshStore } from '../embedded/store-fixture.ts'
import { quietConfig } from '../support/quiet-config.ts'

const store = useFreshStore()

interface Acknowledged {
  readonly seq: number
  readonly sha256: string
}

/** Reads every session whole and compares it with what was acknowledged: once, at its number, with its bytes. */
async function expectAllSaved(
  acknowledged: ReadonlyMap<string, Acknowledged>,
  sessions: readonly string[],
): Promise<void> {
  const caller = localCaller('fault test')
  await using verbatim = await openVerbatim(quietConfig(store.current.home))
  const stored = new Map<string, Acknowledged>()
  for (const sessionId of sessions) {
    let cursor: string | undefined
    let expectedSeq = 1
    do {
      const page = await verbatim.getSession(caller, {
        sessionId,
        limit: 500,
        maxTokens: 200_000,
        view: 'full',
        cursor,
      })
      for (const { seq, content, metadata } of page.messages) {
        const externalId = String(metadata?.['external_id'])
        expect(seq).toBe(expectedSeq)
        expect(stored.has(externalId)).toBe(false)
        stored.set(externalId, { seq, sha256: createHash('sha256').update(JSON.stringify(content)).digest('hex') })
        expectedSeq++
      }
      cursor = page.next_cursor
    } while (cursor !== undefined)
  }
  const wrong = [...acknowledged].filter(
    ([id, { seq, sha256 }]) => stored.get(id)?.seq !== seq || stored.get(id)?.sha256 !== sha256,
  )
  expect(wrong).toEqual([])
  const report = await verify(verbatim.stores, caller, () => {})
  expect(report.problems).toEqual([])
}

const cycles = faultCycles(6)

test(
  `no acknowledged message is missing, changed or doubled when the owner is killed ${cycles} times under 8 processes`,
  { timeout: 120_000 + cycles * 15_000 },
  async () => {
    const acknowledged = new Map<string, Acknowledged>()
    const read = (line: string): void => {
      const [id = '', seq = '', sha256 = ''] = line.split(' ')
      expect(acknowledged.has(id)).toBe(false)
      acknowledged.set(id, { seq: Number(seq), sha256 })
    }
    const sessions = Array.from({ length: 8 }, (_, n) => `writer-${n}`)
    const writers = sessions.map((session) =>
      store.current.startScript('save-messages.ts', [session, '0', String(cycles * 25)], read),
    )
    await killUnderWriters(store.current, writers, { acknowledged, killsMax: cycles })
    expect(await Promise.all(writers.map(({ exit }) => exit))).toEqual(writers.map(() => ({ code: 0, errors: '' })))
    expect(acknowledged.size).toBe(8 * cycles * 25)
    await expectAllSaved(acknowledged, sessions)
  },
)

test(
  `no acknowledged message is missing, changed or doubled when the saving process is killed ${cycles} times`,
  { timeout: 120_000 + cycles * 15_000 },
  async () => {
    const acknowledged = new Map<string, Acknowledged>()
    let next = 0
    for (let cycle = 0; cycle < cycles; cycle++) {
      const before = acknowledged.size
      const writer = store.current.startScript('save-messages.ts', ['single', String(next), '1000000'], (line) => {
        const [id = '', seq = '', sha256 = ''] = line.split(' ')
        acknowledged.set(id, { seq: Number(seq), sha256 })
      })
      while (writer.child.exitCode === null && acknowledged.size === before) await sleep(5)
      await sleep(Math.random() * 300)
      writer.child.kill('SIGKILL')
      await writer.exit
      expect(acknowledged.size).toBeGreaterThan(before)
      // What was under way may be there or not; the next writer goes on behind it with ids of its own.
      next += 100_000
    }
    await expectAllSaved(acknowledged, ['single'])
  },
)
