import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { DaemonLifetime } from '../../src/store/embedded/daemon/daemon-lifetime.ts'

const idleMs = 1_000
let clients: number
let lifetime: DaemonLifetime
let over: string | undefined

beforeEach(() => {
  vi.useFakeTimers()
  clients = 0
  over = undefined
  lifetime = new DaemonLifetime({ version: '1.2.3', idleMs, signal: new AbortController().signal }, () => clients)
  void lifetime.over.then((reason) => (over = reason))
})

afterEach(() => {
  lifetime.stop()
  vi.useRealTimers()
})

test('idle() ends a daemon that had no client for so long', async () => {
  lifetime.idle()
  await vi.advanceTimersByTimeAsync(idleMs - 1)
  expect(over).toBeUndefined()
  await vi.advanceTimersByTimeAsync(1)
  expect(over).toBe('idle')
})

test('idle() looks again where somebody was there at that moment whose end nobody tells', async () => {
  lifetime.idle()
  // A connection of the daemon itself that has not said its name yet counts as a client.
  clients = 1
  await vi.advanceTimersByTimeAsync(idleMs)
  clients = 0
  await vi.advanceTimersByTimeAsync(idleMs)
  expect(over).toBe('idle')
})

test('idle() waits for background work', async () => {
  let isBusy = true
  lifetime.background = { wake: () => undefined, busy: () => isBusy, stop: () => Promise.resolve() }
  lifetime.idle()
  await vi.advanceTimersByTimeAsync(3 * idleMs)
  expect(over).toBeUndefined()
  isBusy = false
  await vi.advanceTimersByTimeAsync(idleMs)
  expect(over).toBe('idle')
})

test('wake() wakes the background once for many calls, and never after stop()', async () => {
  const wake = vi.fn<() => void>()
  lifetime.background = { wake, stop: () => Promise.resolve() }
  for (let n = 0; n < 10; n += 1) lifetime.wake()
  await vi.advanceTimersByTimeAsync(100)
  expect(wake).toHaveBeenCalledTimes(1)
  lifetime.wake()
  lifetime.stop()
  lifetime.wake()
  await vi.advanceTimersByTimeAsync(100)
  expect(wake).toHaveBeenCalledTimes(1)
})
