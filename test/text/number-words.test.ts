import { describe, expect, it } from 'vitest'

import { isBorneOut, lackingIn } from '../../src/insight/checks/borne-out.ts'

describe('isBorneOut(), of numbers in words', () => {
  it.each([
    ['the proxy waits sixty seconds', 'it waits 60 seconds'],
    ['the proxy waits 60 seconds', 'it waits sixty seconds'],
    ['the proxy waits sixty seconds', 'it waits sixty seconds'],
    ['Sixty hosts are there', 'there are 60 hosts'],
    ['seventeen hosts', '17 hosts'],
    ['twenty-five hosts', '25 hosts'],
    ['25 hosts', 'twenty five hosts'],
    ['one hundred and five hosts', '105 hosts'],
    ['two hundred thousand rows', '200,000 rows'],
    ['2 million rows', '2,000,000 rows'],
    ['2,000,000 rows', 'two million rows'],
    ['1.5 billion rows', '1500000000 rows'],
    ['two and a half hours', '2.5 hours'],
    ['three point five hours', '3.5 hours'],
    ['in nineteen ninety-nine', 'in 1999'],
    ['2-3 million rows', 'some 2-3 million rows'],
    ['thirty to sixty seconds', '30-60 seconds'],
    ['the sixty-second timeout', 'a timeout of 60 seconds'],
    ['the twenty-second one', 'the 22nd one'],
    ['a dozen hosts, and half a dozen more', '12 hosts, and 6 more'],
    ['two dozen hosts', '24 hosts'],
    ['half a minute', '30 seconds'],
    ['half an hour', 'half an hour'],
    ['half a million rows', '500,000 rows'],
    ['hundreds of files', '340 files'],
    ['a few hundred files', '300 files'],
    ['1 host', 'there is one host'],
    // With a letter or an abbreviation that multiplies them.
    ['a limit of 500k euros', 'a limit of 500,000 euros'],
    ['a limit of 500,000 euros', 'a limit of 500k euros'],
    ['a limit of five hundred thousand', 'a limit of 500K'],
    ['1.5M rows', '1,500,000 rows'],
    ['1.5M rows', '1.5 million rows'],
    ['1.005k rows', '1,005 rows'],
    ['2 Mio Zeilen und 3 Mrd', '2000000 Zeilen und 3 billion'],
    ['a heap of 512M', 'a heap of 512 MB'],
    ['a heap of 512 MB, 5ms, 3x and 4th', 'a heap of 512 MB, 5 ms, 3 x and 4 th'],
    ['a 4K screen', 'a screen of 4K'],
    ['the 7B model', 'a model of 7B'],
    ['it was -5 degrees', 'it was minus 5 degrees'],
    ['it was -5 degrees, exit code -1', 'it was −5 degrees and the exit code: -1'],
    ['from 3-5 hosts on 2026-11-05', 'from 3-5 hosts on 2026-11-05'],
    ['the 7b model and the 3B flat', 'the 7B model and the 3b flat'],
    ['the 7B model', 'we use llama-7B'],
    ['from 3k to 5k', 'it rose 3k-5k'],
    ['from 3k to 5k', 'it rose from 3-5k'],
    ['3-5k rows', 'between 3,000 and 5,000 rows'],
    ['it tested negative 2 times', 'it tested negative two times'],
    ['it was -5 degrees', 'it was negative 5 degrees'],
    // Ordinary words.
    ['one of them failed', 'it failed'],
    ['no one waited a second', 'it did not wait'],
    ['a couple of hosts often fail, at one point', 'hosts fail'],
    ['at first the others weighted it', 'it was weighed'],
    ['half of it is done', 'it is done'],
    ['the one in the attention of someone', 'it'],
    // Chinese and Japanese.
    ['超时是六十秒', '超时是60秒'],
    ['超时是60秒', '超时是六十秒'],
    ['有三百二十万行', '有3,200,000行'],
    ['有30万行', '有三十万行'],
    ['在二〇二四年八月', '在2024年8月'],
    ['等两个半小时，再等半小时', '等2.5小时，再等30分钟'],
    ['十分重要，万一失败，千万别重启', '重要'],
    ['星期五开一个会，四川的第二个问题', '开会'],
    ['タイムアウトは六十秒です', 'タイムアウトは60秒です'],
  ])('takes %j from %j', (sentence, source) => {
    expect(lackingIn(sentence, source)).toEqual([])
  })

  it.each([
    ['the proxy waits sixty seconds', 'it waits 30 seconds', 'sixty'],
    ['the proxy waits 60 seconds', 'it waits thirty seconds', '60'],
    ['Thirteen hosts', '30 hosts', 'thirteen'],
    ['ninety hosts', '19 hosts', 'ninety'],
    ['twenty-five hosts', '20 hosts of 5', 'twenty-five'],
    ['twenty hosts', 'twenty-five hosts', 'twenty'],
    ['two hosts', 'two hundred hosts', 'two'],
    ['two million rows', 'two rows of a million', 'two million'],
    ['2 million rows', 'two billion rows', '2 million'],
    ['a billion rows', '1,000,000 rows', 'a billion'],
    ['half a minute', '60 seconds', 'half a minute'],
    ['half a dozen hosts', '12 hosts', 'half a dozen'],
    ['two and a half hours', '2 hours', 'two and a half'],
    ['thousands of files', '340 files', 'thousands'],
    ['100 files', 'hundreds of files', '100'],
    ['1 host', 'one of them', '1'],
    ['a limit of 500k euros', 'a limit of 500 euros', '500k'],
    ['a limit of 500 euros', 'a limit of 500k euros', '500'],
    ['a limit of 500M euros', 'a limit of 500k euros', '500M'],
    ['12k rows', '12 rows', '12k'],
    ['2bn rows', '2 rows', '2bn'],
    ['2 Mio Zeilen', '2 Zeilen', '2 Mio'],
    ['it was -500 euros', 'it was 500 euros', '-500'],
    ['it was −500 euros', 'it was some 500 euros', '−500'],
    ['超时是六十秒', '超时是30秒', '六十'],
    ['超时是60秒', '超时是三十秒', '60'],
    ['百分之六十', '百分之三十', '六十'],
    ['有三百二十万行', '有320行', '三百二十万'],
    ['等半小时', '等60分钟', '半小时'],
  ])('drops %j from %j', (sentence, source, lacking) => {
    expect(isBorneOut(sentence, source)).toBe(false)
    expect(lackingIn(sentence, source)).toEqual([lacking])
  })

  it('takes every number that it can write', () => {
    const units = ' one two three four five six seven eight nine'.split(' ')
    const teens = 'ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split(' ')
    const tens = '  twenty thirty forty fifty sixty seventy eighty ninety'.split(' ')
    const small = (of: number) =>
      of < 10 ? units[of] : of < 20 ? teens[of - 10] : [tens[Math.floor(of / 10)], units[of % 10]].join('-')
    const written = (of: number): string =>
      of < 100
        ? (small(of) ?? '').replace(/-$/u, '')
        : `${small(Math.floor(of / 100))} hundred${of % 100 === 0 ? '' : ` and ${written(of % 100)}`}`
    const wrong: string[] = []
    for (let of = 2; of < 1_000; of++) {
      const words = written(of)
      const isRight =
        isBorneOut(`${words} hosts`, `${of} hosts`) &&
        isBorneOut(`${of} hosts`, `${words} hosts`) &&
        !isBorneOut(`${words} hosts`, `${of + 1} hosts`) &&
        isBorneOut(`${words} thousand hosts`, `${of}000 hosts`)
      if (!isRight) wrong.push(words)
    }
    expect(wrong).toEqual([])
  })
})
