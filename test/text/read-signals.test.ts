import { describe, expect, it } from 'vitest'

import { fuseSignals } from '../../src/insight/prediction/fuse-signals.ts'
import { namesIn, newestWords, readSignals } from '../../src/insight/prediction/read-signals.ts'

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

describe('newestWords()', () => {
  const turn = (seq: number, role: string, text: string) => ({ seq, role, text })

  it('is what the user said last, whatever was said since', () => {
    const asked = turn(1, 'user', 'Where was the spare key of the boat?')
    expect(newestWords([turn(0, 'assistant', 'Hello.'), asked])).toBe(asked.text)
    expect(newestWords([asked, turn(2, 'assistant', 'I look.'), turn(3, 'tool', 'none')])).toBe(asked.text)
  })

  it('has what was said before it where it is too short to tell what is meant', () => {
    const offer = turn(1, 'assistant', 'Shall I paint the boat red?')
    expect(newestWords([turn(0, 'user', 'The boat is old.'), offer, turn(2, 'user', 'Yes, do.')])).toBe(
      'Shall I paint the boat red?\nYes, do.',
    )
    expect(newestWords([turn(2, 'user', 'Yes, do.')])).toBe('Yes, do.')
  })

  it('is what a model said where no user has, and nothing where nobody said a word', () => {
    expect(newestWords([turn(1, 'assistant', 'I begin with the hull of the boat.')])).toContain('hull')
    expect(newestWords([turn(1, 'tool', 'RangeError: month'), turn(2, 'user', '…')])).toBeUndefined()
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
