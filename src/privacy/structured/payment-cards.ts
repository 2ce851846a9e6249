import { before, detectionsOf, type Detector } from '../detection.ts'
import { digitsOf, passesLuhn } from './check-digits.ts'

interface Issuer {
  readonly range: RegExp
  readonly lengths: readonly number[]
}

/** The ranges of issuers, with the lengths of their numbers. */
const issuers: readonly Issuer[] = [
  { range: /^4/u, lengths: [13, 16, 19] },
  { range: /^(?:5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/u, lengths: [16] },
  { range: /^3[47]/u, lengths: [15] },
  { range: /^(?:6011|65|64[4-9])/u, lengths: [16, 19] },
  { range: /^3(?:0[0-59]|[689])/u, lengths: [14] },
  { range: /^(?:352[89]|35[3-8]|2131|1800)/u, lengths: [15, 16] },
  { range: /^62/u, lengths: [16, 17, 18, 19] },
  { range: /^(?:5018|5020|5038|5[6-8]|6304|67)/u, lengths: [12, 13, 14, 15, 16, 17, 18, 19] },
]
/** Those of one country, or of few: Mir, RuPay, Elo, Hipercard, Troy, Verve, Dankort, InstaPayment, InterPayment, UnionPay's second range. */
const rarer: readonly Issuer[] = [
  { range: /^220[0-4]/u, lengths: [16, 17, 18, 19] },
  { range: /^(?:60|8[12]|508)/u, lengths: [16, 17, 18, 19] },
  { range: /^(?:36297|36368|50(?:40|4[12]|67|90|99)|63(?:6[0-9]|[7-9]))/u, lengths: [16] },
  { range: /^(?:9792|5019|438935|451416)/u, lengths: [16] },
  { range: /^506[01]/u, lengths: [16, 18, 19] },
]
/** Of airlines. */
const travel: readonly Issuer[] = [{ range: /^1/u, lengths: [15] }]
const cue =
  /card|visa|master|amex|maestro|credit|debit|discover|diners|unionpay|rupay|hipercard|dankort|uatp|karte|carte|carta|cartão|tarjeta|kort\b|карт|カード|卡|\b(?:cc|pan|mir|elo|troy|verve|jcb)\b/iu
/** As it is printed on a card: in groups of four. */
const grouped = /^\d{4}([ -])\d{4}\1\d{4}(?:\1\d{1,4}){1,2}$/u

function isOf(issuersOf: readonly Issuer[], digits: string): boolean {
  return issuersOf.some(({ range, lengths }) => range.test(digits) && lengths.includes(digits.length))
}

/** Numbers of payment cards: 12 to 19 digits of a known issuer, in groups or not, whose check digit is right. */
export const paymentCards: Detector = (text) =>
  detectionsOf(text, {
    type: 'payment_card',
    // No more than one separator between two digits, and no digit or decimal point beside the number.
    pattern: /(?<![\w.,/+-])\d(?:[ -]?\d){11,18}(?![\d/]|[.,]\d|-\w)/gu,
    confidence: 0.99,
    accepts: (found, place) => {
      const digits = digitsOf(found)
      if (/^(\d)\1+$/u.test(digits) || !passesLuhn(digits)) return false
      const isNamed = cue.test(before(place, 60))
      const isGrouped = grouped.test(found)
      // Thirteen digits are the milliseconds of a time as well, and the shortest forms other numbers.
      if (isOf(issuers, digits)) return digits.length >= 14 || isNamed || isGrouped
      return isOf(rarer, digits) ? isNamed || isGrouped : isNamed && isOf(travel, digits)
    },
  })
