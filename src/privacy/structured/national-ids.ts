import { after, before, detectionsOf, type Detector, type Place } from '../detection.ts'
import { digitsOf, passesLuhn, passesVerhoeff, remainderBy97, weightedSum } from './check-digits.ts'
import { europeanIds } from './european-ids.ts'
import { furtherIds } from './further-ids.ts'
import type { NationalId } from './national-id.ts'

const spanishLetters = 'TRWAGMYFPDXBNJZSQVHLCKE'

function isSpanish(found: string): boolean {
  const compact = found.replace(/[ -]/gu, '').toUpperCase()
  const digits = compact.slice(0, -1).replace(/^[XYZ]/u, (letter) => String('XYZ'.indexOf(letter)))
  return spanishLetters[Number(digits) % 23] === compact.at(-1)
}

const italianOdd = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23]

/** The last letter of a codice fiscale follows from the fifteen characters before it. */
function isItalian(found: string): boolean {
  const code = found.toUpperCase()
  const valueOf = (character: string) => (/\d/u.test(character) ? Number(character) : character.charCodeAt(0) - 65)
  const sum = Array.from(code.slice(0, 15)).reduce(
    (total, character, at) => total + (at % 2 === 0 ? (italianOdd[valueOf(character)] ?? 0) : valueOf(character)),
    0,
  )
  return code.charCodeAt(15) - 65 === sum % 26
}

/** The two check digits of a Brazilian CPF. */
function isBrazilian(found: string): boolean {
  const digits = digitsOf(found)
  const check = (length: number) =>
    ((weightedSum(
      digits,
      Array.from({ length }, (_, at) => length + 1 - at),
    ) *
      10) %
      11) %
    10
  return check(9) === Number(digits[9]) && check(10) === Number(digits[10]) && !/^(\d)\1+$/u.test(digits)
}

/** The check digit of a German tax number (ISO 7064, modulo 11, 10). */
function isGermanTaxNumber(found: string): boolean {
  const digits = digitsOf(found)
  const product = Array.from(digits.slice(0, 10)).reduce((carried, digit) => {
    const sum = (Number(digit) + carried) % 10
    return ((sum === 0 ? 10 : sum) * 2) % 11
  }, 10)
  return (11 - product) % 10 === Number(digits[10])
}

function isFrench(found: string): boolean {
  const compact = found.replace(/\s/gu, '').toUpperCase().replace('2A', '19').replace('2B', '18')
  return 97 - remainderBy97(compact.slice(0, 13)) === Number(compact.slice(13))
}

function isNhs(found: string): boolean {
  const digits = digitsOf(found)
  return (11 - (weightedSum(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)) % 11 === Number(digits[9])
}

/** One form a country. The names of the numbers stand in the cues. */
const nationalIds: readonly NationalId[] = [
  // United States: social security and taxpayer numbers.
  { pattern: /(?<![\w./-])(?!000|666)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w/]|[.-]\w)/gu },
  { pattern: /(?<!\w)\d{3} ?\d{2} ?\d{4}(?!\w)/gu, cue: /\bssn\b|social[ -]security|\bitin\b|taxpayer/iu },
  // United Kingdom: national insurance, National Health Service.
  {
    pattern:
      /(?<!\w)(?:QQ|(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]) ?\d{2} ?\d{2} ?\d{2} ?[A-D](?!\w)/gu,
  },
  { pattern: /(?<!\w)\d{3}[ -]?\d{3}[ -]?\d{4}(?!\w)/gu, cue: /\bnhs\b|health service/iu, isValid: isNhs },
  // Spain: DNI, NIE.
  { pattern: /(?<!\w)(?:\d{8}|[XYZ][ -]?\d{7})[ -]?[A-HJ-NP-TV-Z](?!\w)/gu, isValid: isSpanish },
  { pattern: /(?<!\w)[A-Z]{6}\d{2}[A-EHLMPR-T]\d{2}[A-Z]\d{3}[A-Z](?!\w)/giu, isValid: isItalian },
  // France: social security.
  {
    pattern: /(?<!\w)[12] ?\d{2} ?(?:0[1-9]|1[0-2]) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}(?!\w)/giu,
    isValid: isFrench,
  },
  {
    pattern: /(?<!\w)[1-9]\d ?\d{3} ?\d{3} ?\d{3}(?!\w)/gu,
    cue: /steuer|tax id|\btin\b|idnr/iu,
    isValid: isGermanTaxNumber,
  },
  { pattern: /(?<!\w)\d{3}\.\d{3}\.\d{3}-\d{2}(?!\w)/gu, isValid: isBrazilian },
  { pattern: /(?<!\w)\d{9}-?\d{2}(?!\w)/gu, cue: /\bcpf\b/iu, isValid: isBrazilian },
  // India: Aadhaar, PAN.
  {
    pattern: /(?<!\w)[2-9]\d{3} ?\d{4} ?\d{4}(?!\w)/gu,
    cue: /aadha?ar|uidai|आधार/iu,
    isValid: (found) => passesVerhoeff(digitsOf(found)),
  },
  { pattern: /(?<!\w)[A-Z]{3}[ABCFGHLJPTK][A-Z]\d{4}[A-Z](?!\w)/gu, cue: /\bpan\b|permanent account/iu },
  {
    pattern: /(?<!\w)\d{11}(?!\w)/gu,
    cue: /pesel/iu,
    isValid: (found) => (10 - (weightedSum(found, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10)) % 10 === Number(found[10]),
  },
  // Sweden.
  {
    pattern: /(?<!\w)(?:19|20)?\d{2}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])[-+]\d{4}(?!\w)/gu,
    isValid: (found) => passesLuhn(digitsOf(found).slice(-10)),
  },
  // The Netherlands.
  {
    pattern: /(?<!\w)\d{9}(?!\w)/gu,
    cue: /\bbsn\b|burgerservice|sofi/iu,
    isValid: (found) => weightedSum(found, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0,
  },
  // Canada.
  {
    pattern: /(?<!\w)\d{3}[ -]?\d{3}[ -]?\d{3}(?!\w)/gu,
    cue: /\bsin\b|social insurance/iu,
    isValid: (found) => passesLuhn(digitsOf(found)),
  },
]

/** "… is my social security number". */
const saysWhatItIs = /^,?\s(?:is|was|ist|est|es|è|é)\s[^.!?\n]{0,45}/iu

function isCued(cue: RegExp | undefined, place: Place): boolean {
  if (cue === undefined || cue.test(before(place, 60))) return true
  const [said] = saysWhatItIs.exec(after(place, 50)) ?? []
  return said !== undefined && cue.test(said)
}

/** Numbers that a state gives to a person, by their form, their check digits where they have some, and the words before. */
export const nationalIdNumbers: Detector = (text) =>
  [...nationalIds, ...europeanIds, ...furtherIds].flatMap(({ pattern, cue, isValid }) =>
    detectionsOf(text, {
      type: 'national_id',
      pattern,
      confidence: 0.95,
      accepts: (found, place) => isCued(cue, place) && (isValid?.(found) ?? true),
    }),
  )
