import { setTimeout as sleep } from 'node:timers/promises'

import { expect, test } from 'vitest'

import { faultCycles, killUnderWriters, useFreshStore } from '../embedded/store-fixture.ts'
import { quietConfig } from '../support/quiet-config.ts'
import { Acknowledged, expectAllSaved } from './acknowledged.ts'

const store = useFreshStore()

const cycles = faultCycles(6)

test(
  `no acknowledged message is missing, changed or doubled when the owner is killed ${cycles} times under 8 processes`,
  { timeout: 120_000 + cycles * 15_000 },
  async () => {
    const acknowledged = new Acknowledged()
    const sessions = Array.from({ length: 8 }, (_, n) => `writer-${n}`)
    const writers = sessions.map((session) =>
      store.current.startScript('save-messages.ts', [session, '0', String(cycles * 25)], acknowledged.read),
    )
    await killUnderWriters(store.current, writers, { acknowledged, killsMax: cycles })
    expect(await Promise.all(writers.map(({ exit }) => exit))).toEqual(writers.map(() => ({ code: 0, errors: '' })))
    expect(acknowledged.size).toBe(8 * cycles * 25)
    await expectAllSaved(quietConfig(store.current.home), { acknowledged, sessions })
  },
)

test(
  `no acknowledged message is missing, changed or doubled when the saving process is killed ${cycles} times`,
  { timeout: 120_000 + cycles * 15_000 },
  async () => {
    const acknowledged = new Acknowledged()
    let next = 0
    for (let cycle = 0; cycle < cycles; cycle++) {
      const before = acknowledged.size
      const writer = store.current.startScript(
        'save-messages.ts',
        ['single', String(next), '1000000'],
        acknowledged.read,
      )
      while (writer.child.exitCode === null && acknowledged.size === before) await sleep(5)
      await sleep(Math.random() * 300)
      writer.child.kill('SIGKILL')
      await writer.exit
      expect(acknowledged.size).toBeGreaterThan(before)
      // What was under way may be there or not; the next writer goes on behind it with ids of its own.
      next += 100_000
    }
    await expectAllSaved(quietConfig(store.current.home), { acknowledged, sessions: ['single'] })
  },
)
