import { expect, test } from 'vitest'

import { RecentRankings, type KeptRanking } from '../../src/search/ranking/recent-rankings.ts'

const ranking = (messagesSearched: number): KeptRanking => ({
  ranking: { messages: [], messagesSearched, exhaustive: true, semantic: { state: 'off', lists: [] } },
  queries: [],
  expansion: undefined,
})
const key = (question: string) => ({ tenantId: 1, question, version: '7' })

test('gives a ranking back for its own tenant, question and version of the store only', () => {
  const rankings = new RecentRankings()
  rankings.keep(key('a'), ranking(3))
  expect(rankings.find(key('a'))?.ranking.messagesSearched).toBe(3)
  expect(rankings.find(key('b'))).toBeUndefined()
  expect(rankings.find({ ...key('a'), tenantId: 2 })).toBeUndefined()
  expect(rankings.find({ ...key('a'), version: '8' })).toBeUndefined()
})

test('forgets those that were kept longest ago, so that its memory is bounded', () => {
  const rankings = new RecentRankings()
  for (let at = 0; at < 40; at++) rankings.keep(key(String(at)), ranking(at))
  expect(rankings.find(key('39'))?.ranking.messagesSearched).toBe(39)
  expect(rankings.find(key('0'))).toBeUndefined()
  expect(Array.from({ length: 40 }, (_, at) => rankings.find(key(String(at)))).filter(Boolean)).toHaveLength(16)
})
