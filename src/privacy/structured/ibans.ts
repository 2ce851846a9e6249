import type { Detection, Detector } from '../detection.ts'
import { remainderBy97 } from './check-digits.ts'

/** How many characters the accounts of a country have, of SWIFT's registry and of the countries that use the form without being in it. */
const lengths = new Map(
  Object.entries({
    15: 'NO',
    16: 'BE',
    18: 'DK FI FK FO GL NL SD',
    19: 'MK SI',
    20: 'AT BA EE KZ LT LU MN XK',
    21: 'CH HR LI LV',
    22: 'BG BH CR DE GB GE IE ME RS VA',
    23: 'AE GI IL IQ OM SO TL',
    24: 'AD CZ DZ ES MD PK RO SA SE SK TN VG',
    25: 'AO CV GW LY MZ PT ST',
    26: 'IR IS TR',
    27: 'BI CF CG CM DJ FR GA GQ GR IT KM MC MG MR SM TD',
    28: 'AL AZ BF BJ BY CI CY DO GT HN HU LB MA ML NE NI PL SN SV TG',
    29: 'BR EG PS QA UA',
    30: 'JO KW MU YE',
    31: 'MT SC',
    32: 'LC',
    33: 'RU',
  }).flatMap(([length, countries]) =>
    countries.split(' ').map((country): readonly [string, number] => [country, Number(length)]),
  ),
)
const start = /(?<![\p{L}\p{N}])([a-z]{2})\d{2}(?=[ -]?[a-z\d])/giu
/** An account with as many separators as it may have. */
const charactersMax = 34 + 12

/** IBANs in one piece or in groups, in capitals or not, as long as their country's are and with check digits that are right. */
export const ibans: Detector = (text) => {
  const found: Detection[] = []
  for (const { 0: head, 1: country = '', index } of text.matchAll(start)) {
    const length = lengths.get(country.toUpperCase())
    const rest = text.slice(index + head.length, index + charactersMax)
    const tail =
      length === undefined
        ? undefined
        : new RegExp(`^(?:[ -]?[a-z\\d]){${length - 4}}(?![\\p{L}\\p{N}])`, 'iu').exec(rest)
    if (tail === null || tail === undefined) continue
    const account = tail[0].replace(/[ -]/gu, '')
    if (remainderBy97(account + head) !== 1) continue
    found.push({ type: 'iban', start: index, end: index + head.length + tail[0].length, confidence: 0.99 })
  }
  return found
}
