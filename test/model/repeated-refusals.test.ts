import { expect, it } from 'vitest'

import { RepeatedRefusals } from '../../src/audit/repeated-refusals.ts'
import { localCaller } from '../../src/model/access.ts'
import { Call } from '../../src/model/call.ts'

const minute = 60_000

function refusal(tokenId: string, atMs: number) {
  const call = new Call({ origin: 'http', auth: 'token', tokenId }, { action: 'call.request', tool: 'http' }, `${atMs}`)
  return { caller: localCaller('test'), call, atMs, outcome: 'denied', reason: 'token' } as const
}

const told = (rows: ReturnType<RepeatedRefusals['add']>) =>
  rows.map(({ atMs, call }) => [call.door.tokenId, atMs / minute, call.count])

it('refusals of a token have a row for the first, and one for all others of the hour, when it is over', () => {
  const refusals = new RepeatedRefusals()
  expect(told(refusals.add(refusal('a', 0)))).toEqual([['a', 0, undefined]])
  expect(refusals.add(refusal('a', minute))).toEqual([])
  expect(told(refusals.add(refusal('b', 2 * minute)))).toEqual([['b', 2, undefined]])
  expect(refusals.add(refusal('a', 59 * minute))).toEqual([])
  expect(refusals.due(59 * minute)).toEqual([])
  expect(told(refusals.due(60 * minute))).toEqual([['a', 59, 2]])
  // Another hour begins, and what was refused once only has no second row.
  expect(told(refusals.add(refusal('a', 63 * minute)))).toEqual([['a', 63, undefined]])
  expect(refusals.add(refusal('a', 64 * minute))).toEqual([])
  expect(told(refusals.end())).toEqual([['a', 64, 1]])
  expect(refusals.end()).toEqual([])
})

it('refusals of more tokens than are counted have their rows early', () => {
  const refusals = new RepeatedRefusals()
  for (const at of [0, 1, 2]) refusals.add(refusal('first', at))
  for (let token = 0; token < 999; token++) refusals.add(refusal(`${token}`, 3))
  expect(told(refusals.add(refusal('one more', 4))).map(([token, , count]) => [token, count])).toEqual([
    ['first', 2],
    ['one more', undefined],
  ])
})
