import { expect, test } from 'vitest'

import { Caches, type CacheName } from '../../src/model/caches.ts'

/** Caches with what they were told to count. */
function counted(bytesMax: number) {
  const lookUps: [CacheName, boolean][] = []
  const sizes = new Map<CacheName, number>()
  const caches = new Caches(bytesMax, {
    lookedUp: (cache, isHit) => void lookUps.push([cache, isHit]),
    resized: (cache, sizeBytes) => void sizes.set(cache, sizeBytes),
  })
  return { caches, lookUps, sizes }
}

const sizeOf = (value: string) => value.length
const kilobyte = 'x'.repeat(1_000)

test('Caches keep what was used last within their bytes, all of them together', () => {
  const { caches, sizes } = counted(20_000)
  const rankings = caches.open('rankings', { sizeOf })
  const vectors = caches.open('query_vectors', { sizeOf })
  rankings.set('first', kilobyte)
  for (let at = 0; at < 100; at++) {
    vectors.set(String(at), kilobyte)
    expect(rankings.get('first')).toBe(kilobyte)
    const total = [...sizes.values()].reduce((sum, size) => sum + size, 0)
    expect(total).toBeLessThanOrEqual(20_000)
  }
  expect(vectors.get('99')).toBe(kilobyte)
  expect(vectors.get('0')).toBeUndefined()
  // Another cache pushes out what nobody uses any more.
  for (let at = 0; at < 100; at++) rankings.set(`other ${at}`, kilobyte)
  expect(vectors.get('99')).toBeUndefined()
  expect(sizes.get('query_vectors')).toBe(0)
  expect(sizes.get('rankings')).toBeGreaterThan(10_000)
})

test('Caches give a key of one cache to no other, not even to one of the same name', () => {
  const { caches, lookUps } = counted(20_000)
  const [one, other] = [caches.open('rankings', { sizeOf }), caches.open('rankings', { sizeOf })]
  one.set('key', 'of one')
  expect(other.get('key')).toBeUndefined()
  expect(one.get('key')).toBe('of one')
  expect(one.peek('key')).toBe('of one')
  one.count(false)
  expect(lookUps).toEqual([
    ['rankings', false],
    ['rankings', true],
    ['rankings', false],
  ])
})

test('Caches keep the newest value of a key, and none that was deleted or is larger than all of them', () => {
  const { caches, sizes } = counted(5_000)
  const cache = caches.open('session_ids', { sizeOf })
  cache.set('key', kilobyte)
  cache.set('key', 'new')
  expect(cache.get('key')).toBe('new')
  expect(sizes.get('session_ids')).toBeLessThan(1_000)
  cache.set('key', 'x'.repeat(6_000))
  expect(cache.get('key')).toBeUndefined()
  cache.set('key', 'again')
  expect(cache.delete('key')).toBe(true)
  expect(cache.delete('key')).toBe(false)
  expect(cache.get('key')).toBeUndefined()
  expect(sizes.get('session_ids')).toBe(0)
})

test('Caches forget what was kept for longer than it may be used', async () => {
  const { caches, sizes } = counted(5_000)
  const cache = caches.open('rankings', { sizeOf, keptMs: 20 })
  const endless = caches.open('rankings', { sizeOf })
  cache.set('key', 'value')
  endless.set('key', 'value')
  await expect.poll(() => cache.get('key'), { timeout: 2_000 }).toBeUndefined()
  expect(endless.get('key')).toBe('value')
  endless.delete('key')
  expect(sizes.get('rankings')).toBe(0)
})

test('Caches without room keep nothing', () => {
  const { caches, sizes } = counted(0)
  const cache = caches.open('rankings', { sizeOf })
  cache.set('key', 'value')
  expect(cache.get('key')).toBeUndefined()
  expect(cache.delete('key')).toBe(false)
  expect(sizes.size).toBe(0)
})
