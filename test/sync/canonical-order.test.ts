import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { canonicalOrder, type Link } from '../../src/sync/canonical-order.ts'

function link(id: string, follows: string | undefined, savedAt = `2026-01-01T00:00:0${id.length}.000Z`): Link {
  return { id, follows, savedAt }
}

function ids(links: readonly Link[]): string {
  return links.map(({ id }) => id).join(' ')
}

describe('canonicalOrder()', () => {
  it('is the order of saving where each was saved after the one before it', () => {
    const links = [link('c', 'b'), link('a', 'p'), link('b', 'a')]
    expect(ids(canonicalOrder('p', links))).toBe('a b c')
  })

  it('keeps what was said at one store together, the line that began earlier first', () => {
    const links = [
      link('late1', 'p', '2026-01-02T10:00:00.000Z'),
      link('late2', 'late1', '2026-01-02T10:00:01.000Z'),
      link('early1', 'p', '2026-01-01T10:00:00.000Z'),
      link('early2', 'early1', '2026-01-03T10:00:00.000Z'),
    ]
    expect(ids(canonicalOrder('p', links))).toBe('early1 early2 late1 late2')
  })

  it('puts lines that began at the same moment in the order of their ids', () => {
    const at = '2026-01-01T10:00:00.000Z'
    expect(ids(canonicalOrder(undefined, [link('b', undefined, at), link('a', undefined, at)]))).toBe('a b')
  })

  it('follows a line of a hundred thousand', () => {
    const links = Array.from({ length: 100_000 }, (_, index) =>
      link(`m${index}`, index === 0 ? undefined : `m${index - 1}`, '2026-01-01T10:00:00.000Z'),
    )
    expect(canonicalOrder(undefined, links.toReversed())).toEqual(links)
  })

  it('is one order of all, whatever comes first, in which nothing comes before what it was saved after', () => {
    /** Where each message was saved after one of those before it, or none. */
    const trees = fc
      .array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 3 })), { minLength: 1, maxLength: 40 })
      .map((steps) =>
        steps.map(([before, second], index) =>
          link(
            `m${index}`,
            before % (index + 1) === 0 ? undefined : `m${(before % (index + 1)) - 1}`,
            `2026-01-01T00:00:0${second}.000Z`,
          ),
        ),
      )
    fc.assert(
      fc.property(trees, fc.infiniteStream(fc.nat()), (tree, numbers) => {
        const shuffled = tree
          .map((one) => ({ one, key: Number(numbers.next().value) }))
          .toSorted((a, b) => a.key - b.key)
          .map(({ one }) => one)
        const ordered = canonicalOrder(undefined, tree)
        expect(canonicalOrder(undefined, shuffled)).toEqual(ordered)
        expect(ordered).toHaveLength(tree.length)
        const places = new Map(ordered.map(({ id }, index) => [id, index]))
        const later = tree.filter(({ follows }) => follows !== undefined)
        for (const { id, follows } of later)
          expect(places.get(id)).toBeGreaterThan(places.get(follows ?? '') ?? Infinity)
      }),
      { numRuns: 300 },
    )
  })
})
