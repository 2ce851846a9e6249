import { describe, expect, it } from 'vitest'

import { traits, traitsOf } from '../../src/indexing/traits.ts'
import { readIntent } from '../../src/search/query/query-intent.ts'
import { readQueryTimes, spanFit, timeFit } from '../../src/search/query/times/query-dates.ts'

const now = new Date('2026-11-25T12:00:00Z')

describe('readQueryTimes()', () => {
  it.each([
    ['What happened last March?', [{ year: 2026, month: 3 }]],
    ['What happened last December?', [{ year: 2025, month: 12 }]],
    ['Which spot did Joanna visit in May?', [{ month: 5 }]],
    ['the call on August 3, 2023', [{ year: 2023, month: 8, day: 3 }]],
    ['what did we decide yesterday', [{ year: 2026, month: 11, day: 24 }]],
    ['letzte Woche im Büro', [{ year: 2026, month: 11, day: 18 }]],
    ['la réunion de la semaine dernière', [{ year: 2026, month: 11, day: 18 }]],
    ['昨天的会议', [{ year: 2026, month: 11, day: 24 }]],
    ['gestern Datenbank', [{ year: 2026, month: 11, day: 24 }]],
    ['Was war vor zwei Wochen mit dem Server?', [{ year: 2026, month: 11, day: 11 }]],
    ['Welche Fehler gab es im März?', [{ month: 3 }]],
    ['die Rechnung vom März 2025', [{ year: 2025, month: 3 }]],
    ['was wir letzten Dezember sagten', [{ year: 2025, month: 12 }]],
    ['De quoi avons-nous parlé il y a deux semaines ?', [{ year: 2026, month: 11, day: 11 }]],
    ['Quelles erreurs y avait-il en mars ?', [{ month: 3 }]],
    ['¿Qué hicimos hace dos semanas con la base de datos?', [{ year: 2026, month: 11, day: 11 }]],
    ['lo que dijimos la semana pasada', [{ year: 2026, month: 11, day: 18 }]],
    ['ayer servidor', [{ year: 2026, month: 11, day: 24 }]],
    ['Cosa abbiamo detto ieri del server?', [{ year: 2026, month: 11, day: 24 }]],
    ['O que dissemos ontem sobre o servidor?', [{ year: 2026, month: 11, day: 24 }]],
    ['em março de 2025', [{ year: 2025, month: 3 }]],
    ['Wat hebben we gisteren over de server gezegd?', [{ year: 2026, month: 11, day: 24 }]],
    ['vad sa vi förra veckan', [{ year: 2026, month: 11, day: 18 }]],
    ['Что мы решили две недели назад?', [{ year: 2026, month: 11, day: 11 }]],
    ['昨日サーバーについて何を話しましたか？', [{ year: 2026, month: 11, day: 24 }]],
    ['先週の会議', [{ year: 2026, month: 11, day: 18 }]],
    ['二週間前のエラー', [{ year: 2026, month: 11, day: 11 }]],
    ['2025年3月の請求書', [{ year: 2025, month: 3 }]],
    ['上周我们说了什么？', [{ year: 2026, month: 11, day: 18 }]],
    ['上个月的错误', [{ year: 2026, month: 10 }]],
    ['invoices of 2025-03', [{ year: 2025, month: 3 }]],
    [
      'from 2019-12 to 2020-01',
      [
        { year: 2019, month: 12 },
        { year: 2020, month: 1 },
      ],
    ],
    ['RFC 2045-10', []],
    ['the ticket 2024-11', []],
    ['issue #2024-11', []],
    ['the 2010-12 period', []],
    ['七天前的错误', [{ year: 2026, month: 11, day: 18 }]],
    ['12年前の写真', [{ year: 2014 }]],
    ['2020年前のログ', []],
    ['1999年前后', []],
    ['十二年前の写真', []],
    ['二十三天前的错误', []],
    ['上周末的照片', [{ year: 2026, month: 11, day: 18 }]],
    ['马上周末了', []],
    ['im März', [{ month: 3 }]],
    ['Bericht im Juli', [{ month: 7 }]],
    ['fotos de mayo', [{ month: 5 }]],
    ['en mars', [{ month: 3 }]],
    ['Fehler Oktober', [{ month: 10 }]],
    ['the trip in mayo 2023', [{ year: 2023, month: 5 }]],
    ['What did Julio say about the server?', []],
    ['Juli wants tea', []],
    ['Mayo clinic', []],
    ['Avril Lavigne songs', []],
    ['who is Marzo', []],
    ['What did Juillet say about the server?', []],
    ['life on mars', []],
    ['hier Fehler', []],
    ['what we planned in 2022', [{ year: 2022 }]],
    ['port 8080, version 3.5 and 2019.1', []],
    ['the may flow', []],
    ['los últimos días de Pompeya', []],
    ['nothing about time', []],
  ])('reads %j', async (query, times) => {
    expect((await readQueryTimes(query, now)).times).toEqual(times)
  })
})

/** From the first day until the end of the last, as `readQueryTimes` reads a query then; "now" of what is not over. */
async function daysOf(query: string): Promise<string[]> {
  const day = (milliseconds: number) => new Date(milliseconds).toLocaleDateString('sv')
  const { spans } = await readQueryTimes(query, now)
  return spans.map(({ fromMs, toMs }) => `${day(fromMs)} ${toMs === now.getTime() + 1 ? 'now' : day(toMs - 1)}`)
}

describe('spans of readQueryTimes()', () => {
  it.each([
    ['after 3 March and before 10 March', '2026-03-04 2026-03-09'],
    ['before 10 March but after 3 March', '2026-03-04 2026-03-09'],
    ['since 3 March and until 10 March', '2026-03-03 2026-03-10'],
    ['since 3 March until 10 March', '2026-03-03 2026-03-10'],
    ['after 3 March until 10 March', '2026-03-04 2026-03-10'],
    ['later than 3 March and earlier than 10 March', '2026-03-04 2026-03-09'],
    ['no earlier than 3 March and no later than 10 March', '2026-03-03 2026-03-10'],
    ['after 3 March and before 10 March 2025', '2025-03-04 2025-03-09'],
    ['after 20 December and before 5 January 2025', '2024-12-21 2025-01-04'],
    ['between 11 August and 15 August 2023', '2023-08-11 2023-08-15'],
    ['since last weekend and before Tuesday', '2026-11-21 2026-11-23'],
    ['nach dem 3. März und vor dem 10. März', '2026-03-04 2026-03-09'],
    ['ab dem 3. März und bis zum 10. März', '2026-03-03 2026-03-10'],
    ["depuis le 3 mars et jusqu'au 10 mars", '2026-03-03 2026-03-10'],
    ['después del 3 de marzo y antes del 10 de marzo', '2026-03-04 2026-03-09'],
    // An end that is still to come.
    ['after 20 November and before 1 December', '2026-11-21 2026-11-30'],
    ['before 13 March and after 3 March', '2026-03-04 2026-03-12'],
    ['after 3 March 2025 and before 10 March', '2025-03-04 2025-03-09'],
    ['on 3 March about the 2025 budget', '2026-03-03 2026-03-03'],
    ['on 20 December for 2027', '2025-12-20 2025-12-20'],
    ['on 3 March in 2025', '2025-03-03 2025-03-03'],
    ['between 3 January and 20 December', '2026-01-03 2026-12-20'],
    ['between February and December', '2026-02-01 2026-12-31'],
    ['between 20 December and 5 January', '2025-12-20 2026-01-05'],
    ['from March to December', '2026-03-01 2026-12-31'],
    ['from Monday to Friday', '2026-11-23 now'],
    ['from 3 March to 10 March 2025', '2025-03-03 2025-03-10'],
    ['from March to June 2024', '2024-03-01 2024-06-30'],
    ['vom 3. März bis 10. März 2025', '2025-03-03 2025-03-10'],
    ['from 20 December to 5 January 2025', '2024-12-20 2025-01-05'],
    ['since 2025-03-03 until 2025-03-10', '2025-03-03 2025-03-10'],
    ['on 2025-03-03', '2025-03-03 2025-03-03'],
    ['between March and June', '2026-03-01 2026-06-30'],
    ['avant hier', '2026-11-23 2026-11-23'],
    ['antes de ayer', '2026-11-23 2026-11-23'],
    ['in the last 2 years', '2024-01-01 now'],
    ['since Friday', '2026-11-20 now'],
    ['last 3 days', '2026-11-22 now'],
    ['recent weeks', '2026-11-04 now'],
    ['ces derniers jours', '2026-11-22 now'],
    ['ces 3 derniers jours', '2026-11-22 now'],
    ['les deux dernières semaines', '2026-11-11 now'],
    ['los últimos 3 días', '2026-11-22 now'],
    ['en los últimos dos meses', '2026-09-01 now'],
    ['la última semana', '2026-11-18 now'],
    ['letzte drei Tage', '2026-11-22 now'],
    ['die letzten 3 Tage', '2026-11-22 now'],
    ['in den letzten Wochen', '2026-11-04 now'],
    ['nos últimos 3 dias', '2026-11-22 now'],
    ['nas últimas duas semanas', '2026-11-11 now'],
    ['negli ultimi tre giorni', '2026-11-22 now'],
    ['de afgelopen drie dagen', '2026-11-22 now'],
    ['this year', '2026-01-01 2026-12-31'],
    ['in 2025', '2025-01-01 2025-12-31'],
    ['from 2023 to 2025', '2023-01-01 2025-12-31'],
  ])('reads %j', async (query, days) => {
    expect(await daysOf(query)).toEqual([days])
  })

  it.each([
    ['before Friday'],
    ['port 2025'],
    ['los últimos días de Pompeya'],
    ['negli ultimi giorni dell’estate'],
    ['les beaux derniers jours'],
    ['march on'],
    ['what may we do'],
    ['Mai'],
  ])('finds none in %j', async (query) => {
    expect(await daysOf(query)).toEqual([])
  })
})

describe('timeFit()', () => {
  const at = (time: string) => Date.parse(time)

  it('is 1 within the time, falls after it, and is half in the week before a day', () => {
    const day = { year: 2023, month: 8, day: 3 }
    expect(timeFit(day, at('2023-08-03T23:00:00'))).toBe(1)
    expect(timeFit(day, at('2023-08-09T00:00:00'))).toBeCloseTo(0.5)
    expect(timeFit(day, at('2023-07-30T00:00:00'))).toBe(0.5)
    expect(timeFit(day, at('2024-08-03T00:00:00'))).toBe(0)
  })

  it('is 1 within a span and less within one that is as long as a year', () => {
    const span = (from: string, to: string) => ({ fromMs: at(from), toMs: at(to) })
    expect(spanFit(span('2023-03-04', '2023-03-10'), at('2023-03-09T23:00:00Z'))).toBe(1)
    expect(spanFit(span('2023-03-04', '2023-03-10'), at('2023-03-10T00:00:00Z'))).toBe(0)
    expect(spanFit(span('2023-01-01', '2024-01-01'), at('2023-03-10T00:00:00Z'))).toBe(0.3)
  })

  it('takes a month without a year in every year, and a year alone for little', () => {
    expect(timeFit({ month: 5 }, at('2019-05-20T00:00:00'))).toBe(1)
    expect(timeFit({ month: 5 }, at('2019-08-20T00:00:00'))).toBe(0)
    expect(timeFit({ year: 2022 }, at('2022-08-20T00:00:00'))).toBe(0.3)
  })
})

describe('readIntent()', () => {
  it.each([
    ['When did she leave?', { asksTime: true, asksNumber: false, speaker: undefined }],
    ['How many berths did I reserve?', { asksTime: false, asksNumber: true, speaker: 'user' }],
    ['What did you suggest for my resume?', { asksTime: false, asksNumber: false, speaker: 'assistant' }],
    ['Wann war das Treffen?', { asksTime: true, asksNumber: false, speaker: undefined }],
    ['Combien de fois ?', { asksTime: false, asksNumber: true, speaker: undefined }],
    ['Когда мы встретились?', { asksTime: true, asksNumber: false, speaker: 'user' }],
    ['ECONNREFUSED 127.0.0.1', { asksTime: false, asksNumber: false, speaker: undefined }],
  ])('reads %j', (query, intent) => {
    expect(readIntent(query)).toEqual(intent)
  })
})

describe('traitsOf()', () => {
  it.each([
    ['I went to a support group yesterday', traits.time],
    ['We met in 2019', traits.time | traits.number],
    ['What is that?', traits.question | traits.asks],
    ['The berths went fast this time. And you?', traits.asks],
    ['Wirklich schön geworden, ihr zwei. 真的吗？', traits.number | traits.asks],
    ['Nice. Always answer in German', 0],
    ['Always answer in German', traits.standing],
    ['I prefer tabs over spaces', traits.standing],
    ['Ich bevorzuge kurze Antworten', traits.standing],
    ['The two of them laughed', traits.number],
    ['', 0],
  ])('reads %j', (text, bits) => {
    expect(traitsOf(text)).toBe(bits)
  })

  it('calls no long message a question', () => {
    expect(traitsOf(`${'It was a long day at the harbour. '.repeat(8)}Was it?`) & traits.question).toBe(0)
  })
})
