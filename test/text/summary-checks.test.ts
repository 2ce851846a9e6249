import { describe, expect, it } from 'vitest'

import { isBorneOut } from '../../src/insight/checks/borne-out.ts'
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

describe('isBorneOut(), of what is quoted as code', () => {
  const said = 'We run `npm run build` first. It talks to mysql\n  over tls, with --force and retries: 3.'

  it.each([
    'They run `npm run build`.',
    'It talks to `mysql over tls`.',
    'With `--force` it goes.',
    'They quote ` mysql `.',
    'They quote ` ` too.',
  ])('takes: %s', (sentence) => {
    expect(isBorneOut(sentence, said)).toBe(true)
  })

  it.each(['They run `npm run test`.', 'It talks to `sqlite`.', 'With `--forced` it goes.', 'It is `ysql`.'])(
    'drops: %s',
    (sentence) => {
      expect(isBorneOut(sentence, said)).toBe(false)
    },
  )
})

describe('isBorneOut(), of numbers and names with digits', () => {
  const release = `Version v2.10.3 of node22 with 3.14 inside is out, sha a1b2c3d4 on db7.example.net, ticket ABC-123. It took 1,000 steps
    of 5ms at 2026-11-28T11:50:58Z for $6, the 17th, 20% of #12 with GPT-4, see src/store/db.ts:9. 会议在2024年8月。 Planned pre-2020.`

  it.each([
    'version 2.10.3 is out',
    'it is v2.10.3 of node22',
    'the sha is a1b2c3d4',
    'ABC-123 took 1000 steps of 5 ms',
    'on 2026-11-28 at 11:50:58, the 17th',
    '6 dollars, 20 percent, #12, GPT-4',
    '会议在2024年8月',
    'planned before 2020',
    'db.ts of src/store, in src/store/db.ts:9',
    'it runs on db7.example.net',
  ])('takes: %s', (sentence) => {
    expect(isBorneOut(sentence, release)).toBe(true)
  })

  it.each([
    'the count is 22',
    'the count is 7',
    'the price is 4',
    'the sha is 1',
    'the ticket is 123',
    'the count is 14',
    'it runs on node20',
    'it runs on db7.example.',
    'it is in src/stor or ore/db.ts',
    'forty hosts',
  ])('drops: %s', (sentence) => {
    expect(isBorneOut(sentence, release)).toBe(false)
  })
})

describe('isBorneOut(), of words as they stand in code and quotations', () => {
  const code = `Bob's test says 'Hello, World' with --noEmit, and calls this._cycleScopedModel() of Ann’s branch in en-US. It takes 5GB of ABC-123 on
    the 7th, costs 3.4, and x.ada@harbour.example knows. It was planned mid 2024. It asks gemini-2.5-pro and GPT-4.1 of a__b_c at
    2026-11-28T11:50:58.123Z. It passed in 0.05s on 6.18.44-fc-v669.`

  it.each([
    ...code.split(/(?<=\.) /u).map((sentence) => sentence.trim()),
    "the word is 'Hello'",
    'tsc runs with noEmit',
    'it calls cycleScopedModel for Bob and Ann',
    'it takes 5 GB',
    'abc-123 takes memory',
    'seven is the day',
    'the plan was of mid-2024',
    'gpt-4.1 is asked',
  ])('takes: %s', (sentence) => {
    expect(isBorneOut(sentence, code)).toBe(true)
  })

  it.each([
    'it calls _scopedModel',
    'it takes 5 TB',
    'abc-124 takes memory',
    'four of them',
    'write to ada@harbour.example',
    'the plan was of mid-2025',
    'the plan was of q2-2024',
    'gpt-4.2 is asked',
    'gemini-2.0-pro is asked',
    'it was at 2026-11-28T11:51:58.123Z',
    `the path is ${'a.'.repeat(40_000)}a`,
  ])('drops: %s', (sentence) => {
    expect(isBorneOut(sentence, code)).toBe(false)
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
