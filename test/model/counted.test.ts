import { expect, test } from 'vitest'

import { agreed, counted, countedOf, onlyCounted } from '../../src/model/text/counted.ts'

test('what is counted is in the singular where it is one', () => {
  expect([0, 1, 2].map((count) => counted(count, 'message'))).toEqual(['0 messages', '1 message', '2 messages'])
  expect([1, 2].map((count) => counted(count, 'new entry', 'new entries'))).toEqual(['1 new entry', '2 new entries'])
  expect(['summaries', 'text hashes', 'search units', 'message names'].map((things) => countedOf(1, things))).toEqual([
    '1 summary',
    '1 text hash',
    '1 search unit',
    '1 message name',
  ])
  expect(countedOf(3, 'summaries')).toBe('3 summaries')
  expect([0, 1].map((count) => agreed(count, 'is', 'are'))).toEqual(['are', 'is'])
  expect([1, 4].map(onlyCounted)).toEqual(['1 further one is only counted', '4 further ones are only counted'])
})
