import { digitsOf, passesLuhn, weightedSum } from './check-digits.ts'
import type { NationalId } from './national-id.ts'

const monthDay = '(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\\d|3[01])'

/** ISO 7064, modulo 11, 2: the last may be an X. */
function isChinese(found: string): boolean {
  const sum = weightedSum(found, [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
  return '10X98765432'[sum % 11] === found[17]?.toUpperCase()
}

function isHongkong(found: string): boolean {
  const code = found.replace(/[()]/gu, '').toUpperCase()
  const letters = /^[A-Z]+/u.exec(code)?.[0] ?? ''
  const values = [
    ...(letters.length === 1 ? [36] : []),
    ...Array.from(letters, (letter) => letter.charCodeAt(0) - 55),
    ...Array.from(code.slice(letters.length), (digit) => (digit === 'A' ? 10 : Number(digit))),
  ]
  return values.reduce((sum, value, at) => sum + value * (9 - at), 0) % 11 === 0
}

function isTaiwanese(found: string): boolean {
  const area = 'ABCDEFGHJKLMNPQRSTUVXYWZIO'.indexOf(found[0] ?? '') + 10
  const sum = Math.floor(area / 10) + (area % 10) * 9 + weightedSum(found.slice(1), [8, 7, 6, 5, 4, 3, 2, 1, 1])
  return sum % 10 === 0
}

function isKorean(found: string): boolean {
  const digits = digitsOf(found)
  return (11 - (weightedSum(digits, [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]) % 11)) % 10 === Number(digits[12])
}

function isJapanese(found: string): boolean {
  const digits = digitsOf(found)
  const remainder = weightedSum(digits, [6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11
  return (remainder <= 1 ? 0 : 11 - remainder) === Number(digits[11])
}

function isSingaporean(found: string): boolean {
  const code = found.toUpperCase()
  const [kind = ''] = code
  const sum = weightedSum(code.slice(1, 8), [2, 7, 6, 5, 4, 3, 2]) + (/[TG]/u.test(kind) ? 4 : kind === 'M' ? 3 : 0)
  const letters = /[ST]/u.test(kind) ? 'JZIHGFEDCBA' : kind === 'M' ? 'KLJNPQRTUWX' : 'XWUTRQPNMLK'
  return (kind === 'M' ? letters[10 - (sum % 11)] : letters[sum % 11]) === code[8]
}

function isThai(found: string): boolean {
  const digits = digitsOf(found)
  return (11 - (weightedSum(digits, [13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)) % 10 === Number(digits[12])
}

function isIsraeli(found: string): boolean {
  return passesLuhn(digitsOf(found).padStart(9, '0'))
}

function isAustralianTaxFile(found: string): boolean {
  return weightedSum(digitsOf(found), [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0
}

function isMedicare(found: string): boolean {
  const digits = digitsOf(found)
  return weightedSum(digits, [1, 3, 7, 9, 1, 3, 7, 9]) % 10 === Number(digits[8])
}

function isMexican(found: string): boolean {
  const values = '0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ'
  const sum = Array.from(found.toUpperCase().slice(0, 17)).reduce(
    (total, character, at) => total + values.indexOf(character) * (18 - at),
    0,
  )
  return (10 - (sum % 10)) % 10 === Number(found[17])
}

function isArgentine(found: string): boolean {
  const digits = digitsOf(found)
  return weightedSum(digits, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11 === 0
}

function isChilean(found: string): boolean {
  const code = found.replace(/[.-]/gu, '').toUpperCase()
  const sum = Array.from(code.slice(0, -1))
    .toReversed()
    .reduce((total, digit, at) => total + Number(digit) * (2 + (at % 6)), 0)
  return '0K987654321'[sum % 11] === code.at(-1)
}

/** Asia, Africa, Australia and the Americas but for those that `national-ids.ts` has. */
export const furtherIds: readonly NationalId[] = [
  {
    pattern: new RegExp(`(?<!\\w)[1-9]\\d{5}(?:19|20)\\d{2}${monthDay}\\d{3}[\\dX](?!\\w)`, 'giu'),
    isValid: isChinese,
  },
  { pattern: /(?<!\w)[A-Z]{1,2}\d{6}\([\dA]\)/gu, isValid: isHongkong },
  {
    pattern: /(?<!\w)[A-Z][1289]\d{8}(?!\w)/gu,
    cue: /\bid\b|identity|national|taiwan|身[分份]證|統一編號/iu,
    isValid: isTaiwanese,
  },
  { pattern: new RegExp(`(?<!\\w)\\d{2}${monthDay}-\\d{7}(?!\\w)`, 'gu'), isValid: isKorean },
  // Those given since 2020 have no check digit.
  { pattern: new RegExp(`(?<!\\w)\\d{2}${monthDay}-\\d{7}(?!\\w)`, 'gu'), cue: /\brrn\b|주민|resident registration/iu },
  {
    pattern: /(?<!\w)\d{4}[ -]?\d{4}[ -]?\d{4}(?!\w)/gu,
    cue: /my ?number|individual number|マイナンバー|個人番号/iu,
    isValid: isJapanese,
  },
  { pattern: /(?<!\w)[STFGM]\d{7}[A-Z](?!\w)/gu, isValid: isSingaporean },
  { pattern: new RegExp(`(?<!\\w)\\d{2}${monthDay}-\\d{2}-\\d{4}(?!\\w)`, 'gu') },
  { pattern: /(?<!\w)\d-\d{4}-\d{5}-\d{2}-\d(?!\w)/gu, isValid: isThai },
  { pattern: /(?<!\w)\d{13}(?!\w)/gu, cue: /thai|บัตรประชาชน/iu, isValid: isThai },
  { pattern: /(?<!\w)\d{16}(?!\w)/gu, cue: /\bnik\b|\bktp\b/iu },
  { pattern: /(?<!\w)\d{5}-\d{7}-\d(?!\w)/gu, cue: /cnic|identity|\bid\b/iu },
  { pattern: /(?<!\w)784-?(?:19|20)\d{2}-?\d{7}-?\d(?!\w)/gu, isValid: (found) => passesLuhn(digitsOf(found)) },
  { pattern: /(?<!\w)\d{8,9}(?!\w)/gu, cue: /teudat|zehut|israeli id|תעודת זהות|ת\.ז/iu, isValid: isIsraeli },
  {
    pattern: new RegExp(`(?<!\\w)\\d{2}${monthDay} ?\\d{4} ?[01]\\d{2}(?!\\w)`, 'gu'),
    cue: /\bid\b|identity|\brsa\b|south africa/iu,
    isValid: (found) => passesLuhn(digitsOf(found)),
  },
  { pattern: /(?<!\w)\d{3} ?\d{3} ?\d{3}(?!\w)/gu, cue: /\btfn\b|tax file/iu, isValid: isAustralianTaxFile },
  { pattern: /(?<!\w)[2-6]\d{3} ?\d{5} ?\d(?!\w)/gu, cue: /medicare/iu, isValid: isMedicare },
  { pattern: /(?<!\w)\d{2,3}-?\d{3}-?\d{3}(?!\w)/gu, cue: /\bird\b/iu },
  {
    pattern: new RegExp(`(?<!\\w)[A-Z][AEIOUX][A-Z]{2}\\d{2}${monthDay}[HMX][A-Z]{5}[A-Z\\d]\\d(?!\\w)`, 'giu'),
    isValid: isMexican,
  },
  { pattern: new RegExp(`(?<!\\w)[A-ZÑ&]{4}\\d{2}${monthDay}[A-Z\\d]{3}(?!\\w)`, 'gu'), cue: /\brfc\b/iu },
  { pattern: /(?<!\w)(?:20|2[3-7])-?\d{8}-?\d(?!\w)/gu, cue: /cui[tl]/iu, isValid: isArgentine },
  { pattern: /(?<!\w)\d{1,2}\.\d{3}\.\d{3}-[\dK](?!\w)/giu, isValid: isChilean },
  { pattern: /(?<!\w)\d{7,8}-[\dK](?!\w)/giu, cue: /\brut\b|\brun\b/iu, isValid: isChilean },
  {
    pattern: /(?<!\w)(?:\d{1,3}(?:\.\d{3}){2,3}|\d{7,10})(?!\w)/gu,
    cue: /\bdni\b|c[ée]dula|documento (?:nacional )?de identidad/iu,
  },
]
