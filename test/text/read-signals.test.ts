import { describe, expect, it } from 'vitest'

import { fuseSignals } from '../../src/insight/prediction/fuse-signals.ts'
import { namesIn, readSignals } from '../../src/insight/prediction/read-signals.ts'

describe('namesIn()', () => {
  it.each([
    ['see src/tides/parse-heights.ts and package.json', ['src/tides/parse-heights.ts', 'package.json']],
    [
      'TypeError: x is not a function\nand ECONNREFUSED, TS2345',
      ['TypeError', 'TypeError: x is not a function', 'ECONNREFUSED', 'TS2345'],
    ],
    ['call parseHeights of TideTable with max_height', ['parseHeights', 'TideTable', 'max_height']],
    ['run `npm ci`', ['npm ci']],
    ['~/notes/to-do, lib/a~b/c.d and ./x~/y', ['~/notes/to-do', 'lib/a~b/c.d', './x~/y']],
    ['from old/path~new on, and lib/a~b/', ['old/path', 'lib/a']],
    ['Error? Nothing of that kind. Not here.', []],
  ])('%s', (text, names) => {
    expect(new Set(namesIn(text))).toEqual(new Set(names))
  })
})

describe('readSignals()', () => {
  const turn = (seq: number, role: string, text: string) => ({ seq, role, text })

  it('reads the newest turns, what was asked last, and the names that were used, tools included', () => {
    const signals = readSignals([
      turn(1, 'user', 'Can you look at it? I mean the tides.'),
      turn(2, 'assistant', 'I read lib/tides.ts.'),
      turn(3, 'tool', 'RangeError: month'),
    ])
    expect(Object.fromEntries(signals.map(({ kind, text }) => [kind, text]))).toEqual({
      turns: 'Can you look at it? I mean the tides.\nI read lib/tides.ts.',
      question: 'Can you look at it?',
      names: expect.stringMatching(/RangeError: month.*lib\/tides\.ts|lib\/tides\.ts.*RangeError: month/),
    })
  })

  it('has none where nothing was said', () => {
    expect(readSignals([])).toEqual([])
    expect(readSignals([turn(1, 'user', '…')])).toEqual([])
  })
})

describe('fuseSignals()', () => {
  it('puts first what several ways have found, and says which', () => {
    const message = (seq: number) => ({ sessionId: 's', seq, part: 0, score: 1 })
    const fused = fuseSignals([
      { kind: 'turns', weight: 1, messages: [message(1), message(2)] },
      { kind: 'names', weight: 1, messages: [message(3), message(2)] },
    ])
    expect(fused.map(({ seq, kinds }) => [seq, kinds])).toEqual([
      [2, ['turns', 'names']],
      [1, ['turns']],
      [3, ['names']],
    ])
  })
})
