import { describe, expect, it } from 'vitest'

import { isBorneOut } from '../../src/insight/summaries/by-model/borne-out.ts'
import type { Notes } from '../../src/insight/summaries/by-model/take-notes.ts'
import { cover, nextToMerge } from '../../src/insight/summaries/cover.ts'

const source = `Ada
The Marguerite moors at berth 14 until Friday, see harbour/berths.txt. PostgreSQL 17.2 needs 3 GB.`

describe('isBorneOut()', () => {
  it.each([
    'The Marguerite moors at berth 14.',
    'Ada says that berth 14 is taken until Friday.',
    'Discussion of the berths ended.',
    'They need three GB for PostgreSQL 17.2, as harbour/berths.txt says.',
    'Moored ships stay.'.toLowerCase(),
    'Es gibt 14.',
  ])('takes: %s', (sentence) => {
    expect(isBorneOut(sentence, source)).toBe(true)
  })

  it.each([
    'The Marguerite moors at berth 15.',
    'The Marguerite moors at berth 1.',
    'The Margaret moors at berth 14.',
    'Will moors at berth 14.',
    'Bob moors at berth 14.',
    'Berth 14 is taken until Saturday.',
    'PostgreSQL 17 needs memory.',
    'PostgreSQL needs four GB.',
    'It is in harbour/ships.txt.',
    'Write to ada@harbour.example.',
    'See evil.example for it.',
  ])('drops: %s', (sentence) => {
    expect(isBorneOut(sentence, source)).toBe(false)
  })
})

const notes = (firstSeq: number, lastSeq: number, height = 0): Notes => ({
  firstSeq,
  lastSeq,
  height,
  sentences: [],
  messagesRead: 0,
  leftOut: 0,
  unreadable: [],
  dropped: 0,
})

describe('cover()', () => {
  it('takes the longer of two that begin together, none that overlaps, and says what is between', () => {
    const [a, b, c] = [notes(1, 10), notes(1, 20), notes(15, 30)]
    const d = notes(31, 40)
    expect(cover([a, d, c, b], { fromSeq: 1, toSeq: 50 })).toEqual([
      { notes: b },
      { gap: { fromSeq: 21, toSeq: 30 } },
      { notes: d },
      { gap: { fromSeq: 41, toSeq: 50 } },
    ])
    expect(cover([b], { fromSeq: 5, toSeq: 20 })).toEqual([{ gap: { fromSeq: 5, toSeq: 20 } }])
    expect(cover([], { fromSeq: 1, toSeq: 0 })).toEqual([])
  })
})

describe('nextToMerge()', () => {
  it('takes eight of the same height that follow each other, the oldest where there are none', () => {
    const low = Array.from({ length: 8 }, (_, at) => notes(at + 10, at + 10))
    expect(nextToMerge([notes(1, 9, 1), ...low])).toEqual({ at: 1, count: 8 })
    expect(nextToMerge([notes(1, 9, 2), notes(10, 11, 1), ...low.slice(0, 5)])).toEqual({ at: 0, count: 7 })
    expect(nextToMerge([notes(1, 9)])).toBeUndefined()
  })
})
