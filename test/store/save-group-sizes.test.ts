import { setImmediate as turn } from 'node:timers/promises'

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { SaveGroups } from '../../src/store/saving/save-groups.ts'

interface Member {
  readonly order: string
}

/** Groups that are answered when the test says so. */
function held(groupsMax = 4) {
  const sent: { readonly orders: readonly string[]; readonly answer: () => void }[] = []
  const groups = new SaveGroups<Member, string>(
    (members) =>
      new Promise((resolve) => {
        const orders = members.map(({ order }) => order)
        sent.push({ orders, answer: () => resolve(orders) })
      }),
    groupsMax,
  )
  const save = (count: number, from = 0) =>
    Array.from({ length: count }, (_, index) => groups.run({ order: String.fromCodePoint(97 + from + index) }))
  return { sent, save, sizes: () => sent.map(({ orders }) => orders.length) }
}

describe('groups of saves', () => {
  // A group that takes long is not counted any more: here none does, however slow the machine is.
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
  afterEach(() => void vi.useRealTimers())

  it.each([
    [1, [1]],
    [2, [1, 1]],
    [8, [4, 4]],
    [16, [8, 8]],
  ])('put %d that come together into groups of %j, all on their way at once', async (count, expected) => {
    const { sent, save, sizes } = held()
    const saved = save(count)
    await turn()
    expect(sizes()).toEqual(expected)
    for (const { answer } of sent) answer()
    expect((await Promise.all(saved)).length).toBe(count)
  })

  it('keep the rest waiting while four are on their way, and answer each with its own', async () => {
    const { sent, save, sizes } = held()
    const saved = save(40)
    await turn()
    expect(sizes()).toEqual([8, 8, 8, 8])
    sent[1]?.answer()
    expect(await Promise.all(saved.slice(8, 16))).toEqual(sent[1]?.orders)
    await turn()
    await turn()
    expect(sizes()).toEqual([8, 8, 8, 8, 8])
    for (const { answer } of sent) answer()
    expect(await Promise.all(saved)).toEqual(sent.flatMap(({ orders }) => orders))
  })

  it('put all who wait into one where one is on its way at a time', async () => {
    const { sent, save, sizes } = held(1)
    const saved = save(12)
    await turn()
    expect(sizes()).toEqual([8])
    sent[0]?.answer()
    await Promise.all(saved.slice(0, 8))
    await turn()
    await turn()
    expect(sizes()).toEqual([8, 4])
    sent[1]?.answer()
    expect(await Promise.all(saved)).toEqual(sent.flatMap(({ orders }) => orders))
  })

  it('make the next group of those who come while others are on their way', async () => {
    const { sent, save, sizes } = held()
    const first = save(8)
    await turn()
    const later = save(4, 8)
    await turn()
    expect(sizes()).toEqual([4, 4, 4])
    expect(sent[2]?.orders).toEqual(['i', 'j', 'k', 'l'])
    for (const { answer } of sent) answer()
    expect((await Promise.all([...first, ...later])).length).toBe(12)
  })

  it('count one that was refused until each of its members was answered alone', async () => {
    const sent: { readonly orders: readonly string[]; readonly answer: () => void }[] = []
    const groups = new SaveGroups<Member, string>(
      (members) =>
        new Promise((resolve, reject) => {
          const orders = members.map(({ order }) => order)
          if (members.length > 1) reject(Object.assign(new Error('The disk is full'), { code: '53100' }))
          else sent.push({ orders, answer: () => resolve(orders) })
        }),
      1,
    )
    const saved = ['a', 'b'].map((order) => groups.run({ order }))
    await turn()
    const later = groups.run({ order: 'c' })
    await turn()
    expect(sent.map(({ orders }) => orders)).toEqual([['a'], ['b']])
    for (const { answer } of sent) answer()
    expect(await Promise.all(saved)).toEqual(['a', 'b'])
    await turn()
    await turn()
    expect(sent.map(({ orders }) => orders)).toEqual([['a'], ['b'], ['c']])
    sent[2]?.answer()
    expect(await later).toBe('c')
  })
})
