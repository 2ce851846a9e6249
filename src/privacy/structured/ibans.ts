import { detectionsOf, type Detector } from '../detection.ts'
import { remainderBy97 } from './check-digits.ts'

/** IBANs in one piece or in groups of four, in capitals or not, whose check digits are right. */
export const ibans: Detector = (text) =>
  detectionsOf(text, {
    type: 'iban',
    pattern: /(?<![\p{L}\p{N}])[a-z]{2}\d{2}(?:[ -]?[a-z\d]{4}){2,7}(?:[ -]?[a-z\d]{1,3})?(?![\p{L}\p{N}])/giu,
    confidence: 0.99,
    accepts: (found) => {
      const compact = found.replace(/[ -]/gu, '')
      return (
        compact.length >= 15 &&
        compact.length <= 34 &&
        // Groups of words can be in the form of one; an account has digits.
        (compact.match(/\d/gu)?.length ?? 0) >= 8 &&
        remainderBy97(compact.slice(4) + compact.slice(0, 4)) === 1
      )
    },
  })
