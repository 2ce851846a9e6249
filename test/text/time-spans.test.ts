import { describe, expect, it, vi } from 'vitest'

import { asksOnlyTime } from '../../src/search/query/times/asks-time.ts'
import { readQueryTimes } from '../../src/search/query/times/query-dates.ts'

/** A Wednesday. Days are those of where this runs. */
const now = new Date(2026, 2, 18, 15)
const day = (date: string) => Date.parse(`${date.length === 5 ? `2026-${date}` : date}T00:00:00`)
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
    ['what did we do in the last 24 hours', day('03-17'), untilNow],
    ['what did we discuss in the last eight days', day('03-10'), untilNow],
    ['what have we done in the past week', day('03-11'), untilNow],
    ['was haben wir in den letzten zehn Tagen gemacht', day('03-08'), untilNow],
    ['what was decided since the 3rd of March', day('03-03'), untilNow],
    ['was haben wir seit dem 3. März besprochen', day('03-03'), untilNow],
    ["qu'avons-nous fait depuis le 3 mars", day('03-03'), untilNow],
    ['qué hicimos desde el 3 de marzo', day('03-03'), untilNow],
    ['what happened after Monday', day('03-17'), untilNow],
    ['what did we discuss from 3 to 5 March 2026', day('03-03'), day('03-06')],
    ['what did we do from Monday to Tuesday', day('03-16'), day('03-18')],
    ['what did we do between Friday and Monday', day('03-13'), day('03-17')],
    ['what did we discuss on 25 March', day('2025-03-25'), day('2025-03-26')],
    ['was haben wir seit Freitag besprochen', day('03-13'), untilNow],
    ['what did we do last weekend', day('03-14'), day('03-16')],
    ["a summary of yesterday's conversations", day('03-17'), day('03-18')],
    ['De quoi avons-nous parlé hier ?', day('03-17'), day('03-18')],
    ['¿Qué hemos hecho esta semana?', day('03-16'), day('03-23')],
    ['Worüber haben wir gestern gesprochen?', day('03-17'), day('03-18')],
    ['what happened in May?', day('2025-05-01'), day('2025-06-01')],
    ['what happened last March', day('03-01'), day('04-01')],
    ['what did we do last August', day('2025-08-01'), day('2025-09-01')],
    ['what happened between January and March', day('01-01'), day('04-01')],
    ['what have we done in the past day', day('03-17'), untilNow],
    ["qu'avons-nous fait avant-hier", day('03-16'), day('03-17')],
  ])('knows from when until when: %s', async (query, fromMs, toMs) => {
    const asked = await readQueryTimes(query, now)
    expect(asked.spans).toEqual([{ fromMs, toMs }])
    expect(asksOnlyTime(asked)).toBe(true)
  })

  it('takes each of two months for a time', async () => {
    const { spans } = await readQueryTimes('what did we do in January and March', now)
    expect(spans).toEqual([
      { fromMs: day('01-01'), toMs: day('02-01') },
      { fromMs: day('03-01'), toMs: day('04-01') },
    ])
  })

  it('counts the last hour until now, also just after midnight', async () => {
    const night = new Date(2026, 2, 18, 0, 15)
    const { spans } = await readQueryTimes('what did we do in the last hour', night)
    expect(spans).toEqual([{ fromMs: day('03-17'), toMs: night.getTime() + 1 }])
  })

  it('begins days at midnight, also counted from one that begins at one', async () => {
    vi.stubEnv('TZ', 'America/Santiago')
    try {
      const sunday = new Date(2026, 8, 6, 15)
      expect(new Date(2026, 8, 6).getHours()).toBe(1)
      const { spans } = await readQueryTimes('what did we do this week', sunday)
      expect(spans).toEqual([{ fromMs: day('08-31'), toMs: day('09-07') }])
    } finally {
      vi.unstubAllEnvs()
    }
  })

  it.each(['what did we do last month', 'was war letzten Monat', 'le mois dernier', 'what happened a month ago'])(
    'knows the month before on a day that it has not: %s',
    async (query) => {
      const { spans } = await readQueryTimes(query, new Date(2026, 2, 31, 15))
      expect(spans).toEqual([{ fromMs: day('02-01'), toMs: day('03-01') }])
    },
  )

  it('knows that on a Saturday the last weekend is the one before', async () => {
    const saturday = new Date(2026, 2, 21, 15)
    const spans = async (query: string) => (await readQueryTimes(query, saturday)).spans
    expect(await spans('what did we do last weekend')).toEqual([{ fromMs: day('03-14'), toMs: day('03-16') }])
    expect(await spans('what did we do this weekend')).toEqual([{ fromMs: day('03-21'), toMs: day('03-23') }])
  })

  it.each([
    'what did we discuss yesterday about Kafka',
    'the weekend rota of the harbour',
    'the invoice that we sent this week',
    'what happened 3000 years ago',
    'what did we decide',
    'what did we discuss before Monday',
    'what was done by the weekend',
    'what did June say',
    'June',
    'what did April decide?',
    'who sat in the sun',
    'what did June say yesterday',
    'who sat with April yesterday',
    '24/7',
  ])('is none that asks for more, or for no time: %s', async (query) => {
    expect(asksOnlyTime(await readQueryTimes(query, now))).toBe(false)
  })
})
