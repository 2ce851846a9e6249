import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { Drain } from '../../src/indexing/drain.ts'
import { createLog } from '../../src/log.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** A drain whose rounds do what the list says, one after the other, and nothing after that. */
function drainOf(rounds: readonly (boolean | 'fails')[]) {
  const seen: number[] = []
  let idles = 0
  const drain = new Drain({
    name: 'test',
    log: createLog('silent'),
    onIdle: () => {
      idles += 1
    },
    round: () => {
      const outcome = rounds[seen.length] ?? false
      seen.push(performance.now())
      return outcome === 'fails' ? Promise.reject(new Error('no database')) : Promise.resolve(outcome)
    },
  })
  return { drain, seen, idles: () => idles }
}

describe('Drain', () => {
  it('goes on while there is more, and then says that it is idle', async () => {
    const { drain, seen, idles } = drainOf([true, true, false])
    drain.wake()
    await vi.advanceTimersByTimeAsync(0)
    expect([seen.length, idles()]).toEqual([3, 1])
  })

  it('tries again by itself after a failure, each time after twice the pause', async () => {
    const { drain, seen } = drainOf(['fails', 'fails', 'fails', false])
    drain.wake()
    await vi.advanceTimersByTimeAsync(60_000)
    const pauses = seen.slice(1).map((at, index) => Math.round((at - (seen[index] ?? 0)) / 1_000))
    expect(pauses).toEqual([2, 4, 8])
  })

  it('lets a wake wait for its turn after two failures in a row, and says at once that it is idle', async () => {
    const { drain, seen, idles } = drainOf(['fails', 'fails', false])
    drain.wake()
    await vi.advanceTimersByTimeAsync(2_000)
    expect(seen).toHaveLength(2)
    const before = idles()
    drain.wake()
    await vi.advanceTimersByTimeAsync(1_000)
    expect([seen.length, idles()]).toEqual([2, before + 1])
    await vi.advanceTimersByTimeAsync(3_000)
    expect(seen).toHaveLength(3)
    drain.wake()
    await vi.advanceTimersByTimeAsync(0)
    expect(seen).toHaveLength(4)
  })

  it('looks again at the earlier of two times', async () => {
    const { drain, seen } = drainOf([])
    drain.wakeLater(1_000)
    drain.wakeLater(9_000)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(seen).toHaveLength(1)
  })

  it('looks at nothing after its stop', async () => {
    const { drain, seen } = drainOf([])
    drain.wakeLater(1_000)
    await drain.stop()
    drain.wake()
    drain.wakeLater(10)
    await vi.advanceTimersByTimeAsync(5_000)
    expect(seen).toEqual([])
  })
})
