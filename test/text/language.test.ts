import { describe, expect, it } from 'vitest'

import { sentimentOf } from '../../src/indexing/sentiment.ts'
import { detectLanguage, plausibleLanguages } from '../../src/indexing/terms/language.ts'
import { badInputs } from './bad-inputs.ts'

describe('detectLanguage()', () => {
  it.each([
    ['The server crashed because the lock was held', 'en'],
    ['I think we should ship it', 'en'],
    ['Der Umzug wurde verschoben, weil die Kisten fehlen', 'de'],
    ['Nous avons déplacé la réunion à vendredi', 'fr'],
    ['La reunión fue trasladada porque no hay luz', 'es'],
    ['La riunione è stata spostata perché non c’è luce', 'it'],
    ['A reunião foi adiada porque não há luz', 'pt'],
    ['De vergadering is verplaatst omdat het licht niet werkt', 'nl'],
    ['Мы перенесли встречу на пятницу из-за дождя', 'ru'],
    ['Ми перенесли зустріч на п’ятницю через дощ, і її не буде', 'uk'],
    ['我们把会议改到星期五', 'zh'],
    ['会議を金曜日に移しました', 'ja'],
    ['회의를 금요일로 옮겼습니다', 'ko'],
    ['เราย้ายการประชุมไปวันศุกร์', 'th'],
    ['نقلنا الاجتماع إلى يوم الجمعة', 'ar'],
    ['git の branch を消して', 'ja'],
    ['', null],
    ['Umzug', null],
    ['const x = await foo(); return x.map((y) => y.z)', null],
    ['{"a":1,"b":[2,3]}', null],
  ])('reads %j as %s', (text, expected) => {
    expect(detectLanguage(text)).toBe(expected)
  })

  it.each(Object.entries(badInputs))('never throws: %s', (_, make) => {
    const language = detectLanguage(make(4))
    expect(language === null || /^[a-z]{2,3}$/.test(language)).toBe(true)
  })
})

describe('plausibleLanguages()', () => {
  it('gives one language for a clear text and several for a word', () => {
    expect(plausibleLanguages('where did we leave the keys of the car')).toEqual(['en'])
    expect(plausibleLanguages('Kisten')).toEqual(expect.arrayContaining(['en', 'de']))
    expect(plausibleLanguages('Umzüge')[0]).toBe('de')
    expect(plausibleLanguages('встреча')).toEqual(['ru', 'uk'])
  })
})

describe('sentimentOf()', () => {
  it('is positive, negative and neutral as an English reader would say', async () => {
    expect(await sentimentOf('I love this, it works great and I am so happy', 'en')).toBeGreaterThan(0.2)
    expect(await sentimentOf('This is terrible, I hate that it keeps failing', 'en')).toBeLessThan(-0.2)
    expect(await sentimentOf('The table has four columns and nine rows', 'en')).toBe(0)
    expect(await sentimentOf('this is not good at all', 'en')).toBeLessThan(0)
  })

  it('is null for other languages, for no language and for code', async () => {
    expect(await sentimentOf('Das ist wunderbar', 'de')).toBeNull()
    expect(await sentimentOf('good', null)).toBeNull()
    expect(await sentimentOf('if (a.kill) { throw new Error(x[0]) } /* {}[]();; */', 'en')).toBeNull()
    expect(await sentimentOf('', 'en')).toBeNull()
    expect(await sentimentOf('```\nthis is bad bad bad\n```', 'en')).toBeNull()
  })

  it.each(Object.entries(badInputs))('stays within [-1, 1] or null: %s', async (_, make) => {
    const sentiment = await sentimentOf(make(4), 'en')
    expect(sentiment === null || Math.abs(sentiment) <= 1).toBe(true)
  })
})
