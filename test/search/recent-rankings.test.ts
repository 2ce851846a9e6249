import { expect, test } from 'vitest'

import { Caches } from '../../src/model/caches.ts'
import { RecentRankings, type KeptRanking } from '../../src/search/ranking/recent-rankings.ts'

const ranking = (messagesSearched: number): KeptRanking => ({
  ranking: { messages: [], messagesSearched, exhaustive: true, semantic: { state: 'off', lists: [] } },
  queries: [],
  expansion: undefined,
  version: '7 1:1:',
  isComplete: true,
})
const key = (question: string) => ({ tenantId: 1, question })

test('RecentRankings gives a ranking back for its own tenant, principal and question only', () => {
  const rankings = new RecentRankings(new Caches(100_000))
  rankings.keep(key('a'), ranking(3))
  expect(rankings.find(key('a'))?.ranking.messagesSearched).toBe(3)
  expect(rankings.find(key('b'))).toBeUndefined()
  expect(rankings.find({ ...key('a'), tenantId: 2 })).toBeUndefined()
  expect(rankings.find({ ...key('a'), principalId: 'p' })).toBeUndefined()
})

test('RecentRankings forgets those that were used longest ago, so that its memory is bounded', () => {
  const rankings = new RecentRankings(new Caches(10_000))
  rankings.keep(key('used'), ranking(1))
  for (let at = 0; at < 100; at++) {
    rankings.keep(key(String(at)), ranking(at))
    rankings.find(key('used'))
  }
  expect(rankings.find(key('99'))?.ranking.messagesSearched).toBe(99)
  expect(rankings.find(key('0'))).toBeUndefined()
  expect(rankings.find(key('used'))?.ranking.messagesSearched).toBe(1)
})
