import { describe, expect, it } from 'vitest'

import { traits, traitsOf } from '../../src/indexing/traits.ts'
import { readQueryTimes, timeFit } from '../../src/search/query/query-dates.ts'
import { readIntent } from '../../src/search/query/query-intent.ts'

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
    ['nothing about time', []],
  ])('reads %j', async (query, times) => {
    expect((await readQueryTimes(query, now)).times).toEqual(times)
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
