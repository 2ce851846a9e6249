import {
  array,
  asyncProperty,
  assert as assertProperty,
  constantFrom,
  integer,
  option,
  record,
  subarray,
} from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { InputError, LimitError } from '../../src/errors.ts'
import { limits } from '../../src/limits.ts'
import { newId } from '../../src/model/ids.ts'
import { roleSchema } from '../../src/model/messages/message.ts'
import type {
  VectorFilter,
  VectorIndex,
  VectorKey,
  VectorMatch,
  VectorRecord,
  VectorSpace,
} from '../../src/ports/vector-index.ts'

export interface VectorIndexUnderTest {
  readonly index: VectorIndex
  /** Waits until everything written can be found. */
  settle(): Promise<void>
  dispose(): Promise<void>
}

const dimensions = 8
const noon = Date.UTC(2026, 2, 1, 12)

/** A vector of length 1 that points mostly along one axis; the nearer `turn` is to 0, the more. */
function pointing(axis: number, turn = 0): Float32Array {
  const vector = new Float32Array(dimensions)
  vector[axis] = Math.cos(turn)
  vector[(axis + 1) % dimensions] = Math.sin(turn)
  return vector
}

function unit(vector: readonly number[]): Float32Array {
  const length = Math.hypot(...vector)
  return Float32Array.from(vector, (value) => value / length)
}

function recordOf(key: Partial<VectorKey>, rest: Partial<VectorRecord> = {}): VectorRecord {
  const own = {
    level: 0,
    sessionId: newId(),
    firstSeq: 1,
    part: 0,
    vector: pointing(0),
    timestampMs: noon,
    role: 'user',
  }
  return { ...own, role: 'user', ...key, ...rest }
}

function keyOf({ level, sessionId, firstSeq, part }: VectorKey): VectorKey {
  return { level, sessionId, firstSeq, part }
}

function cosine(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0)
}

function meets(record: VectorRecord, filter: VectorFilter): boolean {
  return (
    (filter.sessionIds === undefined || filter.sessionIds.includes(record.sessionId)) &&
    record.sessionId !== filter.notSessionId &&
    record.timestampMs >= (filter.sinceMs ?? -Infinity) &&
    record.timestampMs <= (filter.untilMs ?? Infinity) &&
    (filter.roles === undefined || filter.roles.includes(record.role))
  )
}

/** What every vector index does, whatever is behind it. `open` is called once for all of the tests. */
export function describeVectorIndex(name: string, open: () => Promise<VectorIndexUnderTest>): void {
  describe(`${name} as a vector index`, () => {
    let subject: VectorIndexUnderTest
    let spaces = 0
    const options = { signal: AbortSignal.timeout(600_000) }

    beforeAll(async () => {
      subject = await open()
    })
    afterAll(async () => subject.dispose())

    /** A space that no other test uses. */
    function freshSpace(): VectorSpace {
      spaces += 1
      return { tenantId: 1, modelId: spaces, dimensions }
    }

    async function write(space: VectorSpace, records: readonly VectorRecord[]): Promise<void> {
      await subject.index.upsert(space, records, options)
      await subject.settle()
    }

    async function nearest(
      space: VectorSpace,
      rest: { vector?: Float32Array; level?: number; limit?: number; filter?: VectorFilter } = {},
    ): Promise<VectorMatch[]> {
      const query = { vector: pointing(0), level: 0, limit: 10, filter: {}, ...rest }
      const { matches, behind } = await subject.index.query(space, query, options)
      expect(behind).toBe(false)
      return [...matches]
    }

    it('query() gives the nearest first, with the cosine', async () => {
      const space = freshSpace()
      const records = [1.2, 0.1, 0.8].map((turn, at) => recordOf({ firstSeq: at }, { vector: pointing(0, turn) }))
      await write(space, records)
      const matches = await nearest(space)
      expect(matches.map(({ firstSeq }) => firstSeq)).toEqual([1, 2, 0])
      expect(matches.map(keyOf)).toEqual([1, 2, 0].map((at) => records[at]).map((found) => found && keyOf(found)))
      for (const [at, turn] of [0.1, 0.8, 1.2].entries()) expect(matches[at]?.similarity).toBeCloseTo(Math.cos(turn), 2)
      expect((await nearest(space, { limit: 1 })).map(({ firstSeq }) => firstSeq)).toEqual([1])
    })

    it('query() gives equals in the order of their keys', async () => {
      const space = freshSpace()
      const sessions = [newId(), newId()].toSorted()
      const keys = sessions.flatMap((sessionId) =>
        [2, 10].flatMap((firstSeq) => [0, 1].map((part) => ({ level: 0, sessionId, firstSeq, part }))),
      )
      await write(
        space,
        keys.toReversed().map((key) => recordOf(key)),
      )
      expect((await nearest(space)).map(keyOf)).toEqual(keys)
    })

    it('query() finds nothing in a space that holds nothing', async () => {
      expect(await nearest(freshSpace())).toEqual([])
    })

    it('query() keeps levels, models and tenants apart', async () => {
      const space = freshSpace()
      const record = recordOf({})
      await write(space, [record, { ...record, level: 1 }])
      await write({ ...space, tenantId: 2 }, [{ ...record, part: 7 }])
      await write(freshSpace(), [{ ...record, part: 8 }])
      expect((await nearest(space)).map(keyOf)).toEqual([keyOf(record)])
      expect((await nearest(space, { level: 1 })).map(({ level }) => level)).toEqual([1])
      expect(await nearest(space, { level: 2 })).toEqual([])
      expect((await nearest({ ...space, tenantId: 2 })).map(({ part }) => part)).toEqual([7])
    })

    it('query() answers as a comparison with every vector does, whatever the filter', async () => {
      const space = freshSpace()
      const sessions = [newId(), newId(), newId()]
      const records = Array.from({ length: 240 }, (_, at) =>
        recordOf(
          { sessionId: sessions[at % 3] ?? '', firstSeq: at },
          {
            // Angles that differ by so much that half precision orders them alike.
            vector: unit(Array.from({ length: dimensions }, (_unused, axis) => Math.sin((at + 1) * (axis + 2) * 1.7))),
            timestampMs: noon + at * 1_000,
            role: roleSchema.options[at % 5] ?? 'user',
          },
        ),
      )
      await write(space, records)
      const filters = record({
        sessionIds: option(subarray(sessions), { nil: undefined }),
        notSessionId: option(constantFrom(...sessions), { nil: undefined }),
        sinceMs: option(integer({ min: noon - 1_000, max: noon + 250_000 }), { nil: undefined }),
        untilMs: option(integer({ min: noon - 1_000, max: noon + 250_000 }), { nil: undefined }),
        roles: option(subarray(roleSchema.options), { nil: undefined }),
      })
      const vectors = array(integer({ min: 1, max: 9 }), { minLength: dimensions, maxLength: dimensions }).map(unit)
      await assertProperty(
        asyncProperty(filters, vectors, integer({ min: 1, max: 50 }), async (filter, vector, limit) => {
          const found = await nearest(space, { vector, limit, filter })
          const similarities = records
            .filter((record) => meets(record, filter))
            .map((record) => cosine(record.vector, vector))
          const expected = similarities.toSorted((a, b) => b - a).slice(0, limit)
          expect(found).toHaveLength(expected.length)
          for (const [at, similarity] of expected.entries()) expect(found[at]?.similarity).toBeCloseTo(similarity, 2)
          const allowed = new Set(records.filter((record) => meets(record, filter)).map(({ firstSeq }) => firstSeq))
          expect(found.filter(({ firstSeq }) => !allowed.has(firstSeq))).toEqual([])
        }),
        { numRuns: 40 },
      )
    })

    it('query() takes both ends of a time as within it', async () => {
      const space = freshSpace()
      await write(
        space,
        [1, 2, 3].map((firstSeq) => recordOf({ firstSeq }, { timestampMs: noon + firstSeq })),
      )
      const found = await nearest(space, { filter: { sinceMs: noon + 2, untilMs: noon + 2 } })
      expect(found.map(({ firstSeq }) => firstSeq)).toEqual([2])
    })

    it('query() refuses more matches than the limit, and vectors of another model', async () => {
      const space = freshSpace()
      const limit = limits.vectorMatchesMax + 1
      await expect(nearest(space, { limit })).rejects.toBeInstanceOf(LimitError)
      await expect(nearest(space, { vector: new Float32Array(7) })).rejects.toBeInstanceOf(InputError)
      const wrong = recordOf({}, { vector: new Float32Array(9) })
      await expect(subject.index.upsert(space, [wrong], options)).rejects.toBeInstanceOf(InputError)
    })

    it('upsert() replaces what has the same key, and of one call the last wins', async () => {
      const space = freshSpace()
      const record = recordOf({})
      await write(space, [record])
      await write(space, [record])
      await write(space, [
        { ...record, vector: pointing(2) },
        { ...record, vector: pointing(1), role: 'tool', timestampMs: noon + 5 },
      ])
      expect(await subject.index.count(space, options)).toBe(1)
      const filter = { roles: ['tool'], sinceMs: noon + 5 } as const
      const [match] = await nearest(space, { vector: pointing(1), filter })
      expect(match?.similarity).toBeCloseTo(1, 3)
    })

    it('upsert(), fetch() and delete() take any number', async () => {
      const space = freshSpace()
      const records = Array.from({ length: 2_300 }, (_, firstSeq) =>
        recordOf({ firstSeq }, { vector: unit([1, firstSeq, 3, 4, 5, 6, 7, 8]) }),
      )
      await write(space, records)
      expect(await subject.index.count(space, options)).toBe(records.length)
      const fetched = await subject.index.fetch(space, records.map(keyOf), options)
      expect(fetched).toHaveLength(records.length)
      await subject.index.delete(space, records.slice(0, 2_200).map(keyOf), options)
      await subject.settle()
      expect(await subject.index.count(space, options)).toBe(100)
    })

    it('upsert(), fetch() and delete() of nothing do nothing', async () => {
      const space = freshSpace()
      await write(space, [])
      expect(await subject.index.fetch(space, [], options)).toEqual([])
      await subject.index.delete(space, [], options)
      expect(await subject.index.count(space, options)).toBe(0)
    })

    it('fetch() gives back vectors as near as those that were written, and leaves out what is not there', async () => {
      const space = freshSpace()
      const record = recordOf({}, { vector: unit([0.3, -0.7, 1 / 3, 1e-5, 0.25, -0.125, 0.9, 0.1]) })
      await write(space, [record])
      const fetched = await subject.index.fetch(space, [keyOf(record), { ...keyOf(record), part: 1 }], options)
      expect(fetched.map(keyOf)).toEqual([keyOf(record)])
      expect(cosine(fetched[0]?.vector ?? new Float32Array(), record.vector)).toBeCloseTo(1, 3)
      // Copied to another unit with the same text it is exactly as near.
      const copy = { ...record, ...fetched[0], firstSeq: 2 }
      await write(space, [copy])
      const [first, second] = await nearest(space, { vector: record.vector })
      expect(first?.similarity).toBe(second?.similarity)
      expect([first?.firstSeq, second?.firstSeq]).toEqual([1, 2])
    })

    it('delete() removes what it is told and nothing else, as often as it is told', async () => {
      const space = freshSpace()
      const record = recordOf({})
      const others = [
        { ...record, part: 1 },
        { ...record, level: 1 },
        { ...record, firstSeq: 11 },
      ]
      await write(space, [record, ...others])
      await subject.index.delete(space, [keyOf(record)], options)
      await subject.index.delete(space, [keyOf(record)], options)
      await subject.settle()
      const left = await subject.index.fetch(space, [record, ...others].map(keyOf), options)
      expect(left.map(keyOf)).toEqual(expect.arrayContaining(others.map(keyOf)))
      expect(left).toHaveLength(3)
    })

    it('deleteSession() removes a session on all levels, and no other', async () => {
      const space = freshSpace()
      const [sessionId, other] = [newId(), newId()]
      const own = [0, 1, 2].flatMap((level) =>
        Array.from({ length: 60 }, (_, firstSeq) => recordOf({ level, sessionId, firstSeq })),
      )
      const kept = recordOf({ sessionId: other })
      await write(space, [...own, kept])
      await write({ ...space, tenantId: 2 }, [own[0] ?? kept])
      await subject.index.deleteSession(space, sessionId, options)
      await subject.index.deleteSession(space, newId(), options)
      await subject.settle()
      expect(await subject.index.count(space, options)).toBe(1)
      expect((await nearest(space)).map(keyOf)).toEqual([keyOf(kept)])
      expect(await subject.index.count({ ...space, tenantId: 2 }, options)).toBe(1)
    })

    it('deleteSpace() removes a model of a tenant, and no other, as often as it is told', async () => {
      const [space, other] = [freshSpace(), freshSpace()]
      await write(space, [recordOf({}), recordOf({ level: 2 })])
      await write(other, [recordOf({})])
      await subject.index.deleteSpace(space, options)
      await subject.index.deleteSpace(space, options)
      await subject.settle()
      expect(await subject.index.count(space, options)).toBe(0)
      expect(await nearest(space)).toEqual([])
      expect(await subject.index.count(other, options)).toBe(1)
    })

    it('stops waiting when the caller does', async () => {
      const reason = new Error('The caller has left')
      const query = { vector: pointing(0), level: 0, limit: 1, filter: {} }
      await expect(subject.index.query(freshSpace(), query, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    })
  })
}
