import { describe, expect, it } from 'vitest'

import { asksOnlyTime } from '../../src/search/query/asks-time.ts'
import { readQueryTimes } from '../../src/search/query/query-dates.ts'

/** A Wednesday. */
const now = new Date('2026-03-18T15:00:00Z')
const day = (date: string) => Date.parse(`2026-${date}T00:00:00Z`)
const untilNow = now.getTime() + 1

describe('a query that asks about a time alone', () => {
  it.each([
    ['what did we discuss yesterday', day('03-17'), day('03-18')],
    ['what happened earlier today', day('03-18'), day('03-19')],
    ['what did we do this morning', day('03-18'), day('03-19')],
    ['What was I working on last Monday?', day('03-16'), day('03-17')],
    ['what did we talk about last week', day('03-11'), day('03-18')],
    ['what did we discuss this week', day('03-16'), day('03-23')],
    ['what did we discuss over the weekend', day('03-14'), day('03-16')],
    ['what have we done in the past two weeks', day('03-04'), untilNow],
    ['what did we decide in the last few days?', day('03-15'), untilNow],
    ['what has happened since Friday', day('03-13'), untilNow],
    ['anything from last month?', day('02-01'), day('03-01')],
    ['summarize yesterday', day('03-17'), day('03-18')],
    ['was haben wir letzte Woche besprochen', day('03-11'), day('03-18')],
    ['was haben wir diese Woche gemacht', day('03-16'), day('03-23')],
    ['was ist am Wochenende passiert', day('03-14'), day('03-16')],
  ])('knows from when until when: %s', async (query, fromMs, toMs) => {
    const asked = await readQueryTimes(query, now)
    expect(asked.spans).toEqual([{ fromMs, toMs }])
    expect(asksOnlyTime(asked)).toBe(true)
  })

  it.each([
    'what did we discuss yesterday about Kafka',
    'the weekend rota of the harbour',
    'the invoice that we sent this week',
    'what did we do in 2024',
    'what did we decide',
  ])('is none that asks for more, or for no time: %s', async (query) => {
    expect(asksOnlyTime(await readQueryTimes(query, now))).toBe(false)
  })
})
