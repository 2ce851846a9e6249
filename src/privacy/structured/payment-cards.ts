import { before, detectionsOf, type Detector } from '../detection.ts'
import { digitsOf, passesLuhn } from './check-digits.ts'

/** The ranges of issuers, with the lengths of their numbers. */
const issuers: readonly { readonly range: RegExp; readonly lengths: readonly number[] }[] = [
  { range: /^4/u, lengths: [13, 16, 19] },
  { range: /^(?:5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/u, lengths: [16] },
  { range: /^3[47]/u, lengths: [15] },
  { range: /^(?:6011|65|64[4-9])/u, lengths: [16, 19] },
  { range: /^3(?:0[0-5]|[68])/u, lengths: [14] },
  { range: /^(?:352[89]|35[3-8]|2131|1800)/u, lengths: [15, 16] },
  { range: /^62/u, lengths: [16, 17, 18, 19] },
  { range: /^(?:5018|5020|5038|5[6-8]|6304|67)/u, lengths: [12, 13, 14, 15, 16, 17, 18, 19] },
]
const cue = /card|visa|master|amex|maestro|credit|debit|karte|carte|tarjeta|\bcc\b|\bpan\b/iu

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
      const issuer = issuers.find(({ range, lengths }) => range.test(digits) && lengths.includes(digits.length))
      // Thirteen digits are the milliseconds of a time as well, and the shortest forms other numbers.
      return issuer !== undefined && (digits.length >= 14 || cue.test(before(place, 60)))
    },
  })
