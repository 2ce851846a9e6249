import { digitsOf, passesLuhn, remainderBy97, weightedSum } from './check-digits.ts'
import type { NationalId } from './national-id.ts'

/** Day and month, as many of these numbers begin or go on with. */
const dayMonth = '(?:0[1-9]|[12]\\d|3[01])(?:0[1-9]|1[0-2])'
const monthDay = '(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\\d|3[01])'

function isBelgian(found: string): boolean {
  const digits = digitsOf(found)
  const [number, check] = [digits.slice(0, 9), Number(digits.slice(9))]
  // Who was born since 2000 has a 2 before the number.
  return [number, `2${number}`].some((one) => 97 - remainderBy97(one) === check)
}

function isPortuguese(found: string): boolean {
  const digits = digitsOf(found)
  return Math.max(0, 11 - (weightedSum(digits, [9, 8, 7, 6, 5, 4, 3, 2]) % 11)) % 10 === Number(digits[8])
}

function isNorwegian(found: string): boolean {
  const digits = digitsOf(found)
  return (
    weightedSum(digits, [3, 7, 6, 1, 8, 9, 4, 5, 2, 1]) % 11 === 0 &&
    weightedSum(digits, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11 === 0
  )
}

function isFinnish(found: string): boolean {
  return '0123456789ABCDEFHJKLMNPRSTUVWXY'[Number(digitsOf(found.slice(0, -1))) % 31] === found.at(-1)?.toUpperCase()
}

function isAustrian(found: string): boolean {
  const digits = digitsOf(found)
  return weightedSum(digits, [3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11 === Number(digits[3])
}

/** Thirteen digits with the check of an EAN. */
function isSwiss(found: string): boolean {
  return weightedSum(digitsOf(found), [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]) % 10 === 0
}

function isIrish(found: string): boolean {
  const code = found.replace(/\s/gu, '').toUpperCase()
  const second = code[8] === undefined || code[8] === 'W' ? 0 : code.charCodeAt(8) - 64
  return 'WABCDEFGHIJKLMNOPQRSTUV'[(weightedSum(code, [8, 7, 6, 5, 4, 3, 2]) + 9 * second) % 23] === code[7]
}

function isCzech(found: string): boolean {
  const digits = digitsOf(found)
  const remainder = Number(digits.slice(0, 9)) % 11
  return (remainder === 10 ? 0 : remainder) === Number(digits[9])
}

function isRomanian(found: string): boolean {
  const remainder = weightedSum(found, [2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11
  return (remainder === 10 ? 1 : remainder) === Number(found[12])
}

function isBulgarian(found: string): boolean {
  return (weightedSum(found, [2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11) % 10 === Number(found[9])
}

/** Estonia and Lithuania. */
function isBaltic(found: string): boolean {
  const first = weightedSum(found, [1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11
  const remainder = first < 10 ? first : weightedSum(found, [3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11
  return remainder % 10 === Number(found[10])
}

/** Countries that had been one: the check is the same. */
function isYugoslavian(found: string): boolean {
  const remainder = 11 - (weightedSum(found, [7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11)
  return (remainder > 9 ? 0 : remainder) === Number(found[12])
}

/** ISO 7064, modulo 11, 10. */
function isCroatian(found: string): boolean {
  const carried = Array.from(found.slice(0, 10)).reduce((carry, digit) => {
    const sum = (carry + Number(digit)) % 10
    return ((sum === 0 ? 10 : sum) * 2) % 11
  }, 10)
  return (11 - carried) % 10 === Number(found[10])
}

function isTurkish(found: string): boolean {
  const at = (place: number) => Number(found[place])
  const odd = at(0) + at(2) + at(4) + at(6) + at(8)
  const even = at(1) + at(3) + at(5) + at(7)
  return (odd * 7 - even) % 10 === at(9) && (odd + even + at(9)) % 10 === at(10)
}

function isUkrainian(found: string): boolean {
  const sum = weightedSum(found, [-1, 5, 7, 9, 4, 6, 10, 5, 7])
  return (((sum % 11) + 11) % 11) % 10 === Number(found[9])
}

function isRussian(found: string): boolean {
  const digits = digitsOf(found)
  return (weightedSum(digits, [9, 8, 7, 6, 5, 4, 3, 2, 1]) % 101) % 100 === Number(digits.slice(9))
}

/** Denmark's has no check digit any more, and Latvia's new one none. */
export const europeanIds: readonly NationalId[] = [
  { pattern: /(?<!\w)\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}(?!\w)/gu, isValid: isBelgian },
  {
    pattern: /(?<!\w)\d{11}(?!\w)/gu,
    cue: /rijksregister|registre national|niss|insz|national register/iu,
    isValid: isBelgian,
  },
  { pattern: /(?<!\w)[1235689]\d{2} ?\d{3} ?\d{3}(?!\w)/gu, cue: /\bnif\b|contribuinte/iu, isValid: isPortuguese },
  {
    pattern: new RegExp(`(?<!\\w)${dayMonth}\\d{2}-\\d{4}(?!\\w)`, 'gu'),
    cue: /\bcpr\b|personnummer|personal number/iu,
  },
  {
    pattern: new RegExp(`(?<![\\w.])[0-7]\\d(?:0[1-9]|1[0-2])\\d{2} ?\\d{5}(?![\\w.])`, 'gu'),
    cue: /fødselsnummer|personnummer|d-nummer|\bfnr\b|national id/iu,
    isValid: isNorwegian,
  },
  { pattern: new RegExp(`(?<!\\w)${dayMonth}\\d{2}[-+A-FU-Y]\\d{3}[\\dA-FHJ-NPR-Y](?!\\w)`, 'gu'), isValid: isFinnish },
  {
    pattern: new RegExp(`(?<!\\w)\\d{4} ?${dayMonth}\\d{2}(?!\\w)`, 'gu'),
    cue: /svnr|sozialversicherung|versicherungsnummer|\bsvn\b|social[ -]security/iu,
    isValid: isAustrian,
  },
  { pattern: /(?<!\w)756[. ]?\d{4}[. ]?\d{4}[. ]?\d{2}(?!\w)/gu, isValid: isSwiss },
  { pattern: /(?<!\w)\d{7}[A-W][A-IW]?(?!\w)/gu, cue: /\bppsn?\b|personal public service/iu, isValid: isIrish },
  { pattern: /(?<!\w)\d{2}(?:[0257][1-9]|[1368][0-2])(?:0[1-9]|[12]\d|3[01])\/\d{4}(?!\w)/gu, isValid: isCzech },
  {
    pattern: new RegExp(`(?<!\\w)[1-8]\\d{2}${monthDay}\\d{6}(?!\\w)`, 'gu'),
    cue: /\bcnp\b|cod numeric|personal numeric/iu,
    isValid: isRomanian,
  },
  { pattern: /(?<!\w)\d{10}(?!\w)/gu, cue: /\begn\b|егн/iu, isValid: isBulgarian },
  {
    pattern: new RegExp(`(?<!\\w)[1-6]\\d{2}${monthDay}\\d{4}(?!\\w)`, 'gu'),
    cue: /isikukood|asmens kod|personal (?:identification )?code/iu,
    isValid: isBaltic,
  },
  { pattern: /(?<!\w)\d{6}-\d{5}(?!\w)/gu, cue: /personas kod|personal (?:identity )?code/iu },
  {
    pattern: new RegExp(`(?<!\\w)${dayMonth}\\d{9}(?!\\w)`, 'gu'),
    cue: /em[šs]o|jmbg|јмбг|ембг/iu,
    isValid: isYugoslavian,
  },
  { pattern: /(?<!\w)\d{11}(?!\w)/gu, cue: /\boib\b/iu, isValid: isCroatian },
  { pattern: /(?<!\w)[1-9]\d{10}(?!\w)/gu, cue: /\btckn?\b|\btc\b|t\.c\.|kimlik/iu, isValid: isTurkish },
  { pattern: new RegExp(`(?<!\\w)${dayMonth}\\d{2}\\d{5}(?!\\w)`, 'gu'), cue: /amka|αμκα/iu, isValid: passesLuhn },
  { pattern: /(?<!\w)\d{10}(?!\w)/gu, cue: /рнокпп|іпн|\binn\b|rnokpp|tax number/iu, isValid: isUkrainian },
  { pattern: /(?<!\w)\d{3}-\d{3}-\d{3}[ -]\d{2}(?!\w)/gu, isValid: isRussian },
  { pattern: /(?<!\w)\d{2} ?\d{2} ?\d{6}(?!\w)/gu, cue: /паспорт/iu },
  // Germany: identity card, pension insurance.
  {
    pattern: /(?<!\w)[CFGHJKLMNPRTVWXYZ][CFGHJKLMNPRTVWXYZ\d]{8}\d?(?!\w)/gu,
    cue: /personalausweis|ausweisnummer|perso\b/iu,
  },
  {
    pattern: /(?<!\w)\d{2} ?[0-3]\d[01]\d{3} ?[A-Z] ?\d{3}(?!\w)/gu,
    cue: /versicherungsnummer|rvnr|rentenversicherung|\bsvnr\b/iu,
  },
  // Hungary, tax and social security; Poland's identity card.
  { pattern: /(?<!\w)\d{3}[ -]?\d{3}[ -]?\d{3}(?!\w)/gu, cue: /\btaj\b/iu },
  { pattern: /(?<!\w)8\d{9}(?!\w)/gu, cue: /adóazonosító/iu },
  { pattern: /(?<!\w)[A-Z]{3} ?\d{6}(?!\w)/gu, cue: /dow[oó]d/iu },
]
