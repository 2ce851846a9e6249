import { array, assert, constantFrom, nat, property, record, uniqueArray } from 'fast-check'
import { describe, expect, it } from 'vitest'

import { LayoutBuilder, readLayout, renumberedLayout } from '../../src/capture/documents/file-layout.ts'

const place = record({
  sessionId: constantFrom('a', 'b', 'c'),
  seq: nat(4),
  before: constantFrom('', '\n', '\r\n').map((text) => Buffer.from(text)),
})

describe('LayoutBuilder', () => {
  it('gives back every place in order', () => {
    assert(
      property(array(place, { maxLength: 30 }), (places) => {
        const builder = new LayoutBuilder()
        for (const entry of places) builder.add(entry)
        const { runs, after } = readLayout(builder.toBytes(Buffer.from('end')))
        const back = runs.flatMap(({ sessionId, firstSeq, count, before }) =>
          Array.from({ length: count }, (_, index) => [sessionId, firstSeq + index, before.toString()]),
        )
        expect(back).toEqual(places.map(({ sessionId, seq, before }) => [sessionId, seq, before.toString()]))
        expect(after.toString()).toBe('end')
        expect(builder.sessionIds).toEqual([...new Set(places.map(({ sessionId }) => sessionId))])
      }),
    )
  })

  it('takes about the same time for an entry, however many sessions the document has', () => {
    const took = (sessions: number): number => {
      const builder = new LayoutBuilder()
      const startedAt = performance.now()
      for (let seq = 0; seq < 60_000; seq += 1) {
        builder.add({ sessionId: `session ${seq % sessions}`, seq, before: new Uint8Array() })
      }
      return performance.now() - startedAt
    }
    took(1)
    const few = took(10)
    // A search through a list of all sessions takes hundreds of times as long.
    expect(took(30_000)).toBeLessThan(few * 30 + 100)
  })
})

describe('renumberedLayout()', () => {
  it('gives back every place of the session under its new number, and leaves the others', () => {
    assert(
      property(array(place, { maxLength: 30 }), uniqueArray(nat(9), { minLength: 5, maxLength: 5 }), (places, to) => {
        const builder = new LayoutBuilder()
        for (const entry of places) builder.add(entry)
        const bytes = builder.toBytes(Buffer.from('end'))
        const numbers = new Map(to.map((number, seq) => [seq, number]))
        const { runs, after } = readLayout(renumberedLayout(bytes, { sessionId: 'a', numbers }) ?? bytes)
        const back = runs.flatMap(({ sessionId, firstSeq, count, before }) =>
          Array.from({ length: count }, (_, index) => [sessionId, firstSeq + index, before.toString()]),
        )
        expect(back).toEqual(
          places.map(({ sessionId, seq, before }) => [sessionId, sessionId === 'a' ? to[seq] : seq, before.toString()]),
        )
        expect(after.toString()).toBe('end')
      }),
    )
  })

  it('gives nothing where no message of it has another number', () => {
    const builder = new LayoutBuilder()
    builder.add({ sessionId: 'a', seq: 1, before: new Uint8Array() })
    const bytes = builder.toBytes(new Uint8Array())
    expect(renumberedLayout(bytes, { sessionId: 'a', numbers: new Map([[2, 3]]) })).toBeUndefined()
    expect(renumberedLayout(bytes, { sessionId: 'b', numbers: new Map([[1, 2]]) })).toBeUndefined()
  })
})
