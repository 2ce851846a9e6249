import type { SpelledNumber } from './spelled-numbers.ts'

/*
 * Numbers in the characters of Chinese and Japanese, as 六十 and 三百二十万. Many of these characters are parts of other words, as in 十分 (very),
 * 万一 (in case) and 星期五 (Friday), so that a text claims a number only where it is one for sure.
 */

const digits = new Map(
  '零 一 二 三 四 五 六 七 八 九'.split(' ').map((character, value) => [character, value] as const),
)
for (const [character, value] of [
  ['〇', 0],
  ['两', 2],
  ['兩', 2],
] as const)
  digits.set(character, value)
const units = new Map([
  ['十', 10],
  ['百', 100],
  ['千', 1e3],
])
const scales = new Map([
  ['万', 1e4],
  ['萬', 1e4],
  ['亿', 1e8],
  ['億', 1e8],
])

const run = /(?:(?<![\p{N}.,])\d+(?:\.\d+)?(?=[百千万萬亿億]))?[〇零一二三四五六七八九两兩十百千万萬亿億]+/gu
/** What is counted. */
const counted =
  /^(?:毫?秒|分[钟鐘間]|分|小[时時]|[时時][间間]|[点點天日周週年月次回台人位名元块塊円倍岁歲条條行页頁件家本张張层層种種号號步度米]|[个個])/u
/** Before these it is a day or a place in an order. */
const noNumberAfter = /(?:[第周週初双雙]|星期|[礼禮]拜)$/u
/** Words of these characters that are no number. */
const words = new Set(['万一', '萬一', '千万', '千萬', '万万', '萬萬'])
const half = /半[个個]?(?:分[钟鐘]|小[时時]|年)/gu

/** With `isClaim` only what is a number for sure. */
export function hanNumbers(text: string, isClaim: boolean): SpelledNumber[] {
  const halves = [...text.matchAll(half)].flatMap(({ index: start, 0: found }) => {
    const isBehindOne = /[〇零一二三四五六七八九两兩十百千万][个個]?$/u.test(text.slice(Math.max(0, start - 2), start))
    if (isBehindOne) return []
    const readings = [[0.5], [found.endsWith('年') ? 6 : 30]]
    return [{ text: found, start, end: start + found.length, readings, isVague: false }]
  })
  const numbers = [...text.matchAll(run)].flatMap(({ index: start, 0: found }) => {
    const end = start + found.length
    const value = valueOf(found)
    if (value === undefined) return []
    const behind = text.slice(end, end + 3)
    if (isClaim && !isSure(found, value, { before: text.slice(Math.max(0, start - 2), start), behind })) return []
    const readings = /^[个個]?半/u.test(behind) ? [[value + 0.5], [value]] : [[value]]
    return [{ text: found, start, end, readings, isVague: false }]
  })
  return [...halves, ...numbers]
}

function isSure(
  found: string,
  value: number,
  { before, behind }: { readonly before: string; readonly behind: string },
): boolean {
  if (/^\d/u.test(found)) return true
  const isBare = found.length === 1 && found !== '十'
  if (value < 2 || words.has(found) || noNumberAfter.test(before) || behind.startsWith('分之')) return false
  // Very; enough.
  if (found === '十' && /^分(?![钟鐘間])/u.test(behind)) return false
  if (counted.test(behind)) return !isBare || digits.has(found)
  return found.length > 1 && /[十百千万萬亿億]/u.test(found)
}

/** Undefined where the characters stand in no order that a number has. */
function valueOf(written: string): number | undefined {
  const [lead] = /^[\d.]+/u.exec(written) ?? []
  const characters = written.slice(lead?.length ?? 0).match(/./gu) ?? []
  if (lead === undefined && characters.every((character) => digits.has(character)))
    return Number(characters.map((character) => digits.get(character)).join(''))
  let [total, section, scaleMax, unitMax] = [0, 0, Infinity, Infinity]
  let digit: number | undefined = lead === undefined ? undefined : Number(lead)
  // What a digit at the end counts, as in 三百二 (320).
  let last = 1
  for (const character of characters) {
    const [unit, scale, own] = [units.get(character), scales.get(character), digits.get(character)]
    if (own !== undefined) {
      if (digit !== undefined && digit !== 0) return undefined
      digit = own
      if (own === 0) last = 1
    } else if (unit !== undefined) {
      if (unit >= unitMax) return undefined
      section += (digit ?? 1) * unit
      ;[digit, unitMax, last] = [undefined, unit, unit / 10]
    } else if (scale !== undefined) {
      if (scale >= scaleMax) return undefined
      total += (section + (digit ?? (section === 0 ? 1 : 0))) * scale
      ;[digit, section, unitMax, scaleMax, last] = [undefined, 0, Infinity, scale, scale / 10]
    }
  }
  return total + section + (digit ?? 0) * last
}
