import { setTimeout as sleep } from 'node:timers/promises'

import { expect, it, onTestFinished } from 'vitest'

import { WatchRecalled } from '../../src/insight/prediction/watch-recalled.ts'
import { localCaller } from '../../src/model/access.ts'
import type { Change } from '../../src/store/database.ts'

it('sees that a session changes that is saved in without a pause', { timeout: 30_000 }, async () => {
  const caller = localCaller('test')
  let notice: (change: Change) => void = () => undefined
  let version = 1
  const changed: string[] = []
  const watch = new WatchRecalled({
    versions: () => Promise.resolve(new Map([['one', version]])),
    onChange: (listener) => {
      notice = listener
      return () => undefined
    },
    changed: (_caller, sessionId) => void changed.push(sessionId),
    log: undefined,
  })
  onTestFinished(() => watch.close())
  watch.add(caller, { id: 'one', version })
  // Saves go on until it was seen.
  while (changed.length === 0) {
    version++
    notice({ tenantId: caller.tenantId, sessionId: 'one' })
    await sleep(2)
  }
  expect(changed).toContain('one')
})
