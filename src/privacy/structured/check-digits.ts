/** The digits of a text, without what separates them. */
export function digitsOf(text: string): string {
  return text.replace(/\D/gu, '')
}

/** The check of payment cards, Canadian and Swedish numbers (ISO/IEC 7812-1). */
export function passesLuhn(digits: string): boolean {
  let sum = 0
  for (let at = 0; at < digits.length; at++) {
    const digit = Number(digits[digits.length - 1 - at])
    const doubled = at % 2 === 1 ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}

/** The remainder by 97 of a number of any length, in which letters count from A = 10 (ISO 7064, as in IBANs). */
export function remainderBy97(text: string): number {
  let remainder = 0
  for (const character of text.toUpperCase()) {
    const value = Number.parseInt(character, 36)
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97
  }
  return remainder
}

/** The sum of the digits, each multiplied by the weight in its place. */
export function weightedSum(digits: string, weights: readonly number[]): number {
  return weights.reduce((sum, weight, at) => sum + weight * Number(digits[at] ?? 0), 0)
}

const verhoeffProducts = [
  '0123456789',
  '1234067895',
  '2340178956',
  '3401289567',
  '4012395678',
  '5987604321',
  '6598710432',
  '7659821043',
  '8765932104',
  '9876543210',
]
const verhoeffPermutations = [
  '0123456789',
  '1576283094',
  '5803796142',
  '8916043527',
  '9453126870',
  '4286573901',
  '2793806415',
  '7046913258',
]

/** The check of India's Aadhaar: Verhoeff's, in the dihedral group of ten. */
export function passesVerhoeff(digits: string): boolean {
  const value = Array.from(digits)
    .toReversed()
    .reduce((check, digit, at) => {
      const permuted = Number(verhoeffPermutations[at % 8]?.[Number(digit)])
      return Number(verhoeffProducts[check]?.[permuted])
    }, 0)
  return value === 0
}
