import { detectionsOf, type Detector } from '../detection.ts'

const letters = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ')

/** The names of all countries, as the platform knows them, in English and as they are also called. */
function countryNames(): string[] {
  const names = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' })
  const codes = letters.flatMap((first) => letters.map((second) => `${first}${second}`))
  const known = codes.flatMap((code) => names.of(code) ?? [])
  return [
    ...new Set([
      ...known,
      'Czech Republic',
      'Ivory Coast',
      'Great Britain',
      'Burma',
      'Swaziland',
      'Macedonia',
      'Cape Verde',
      'East Timor',
    ]),
  ]
    .filter((name) => /^\p{L}[\p{L} .'’&-]{3,}$/u.test(name) && !name.startsWith('Pseudo'))
    .toSorted((a, b) => b.length - a.length)
}

const pattern = new RegExp(
  `(?<![\\p{L}\\p{N}-])(?:${countryNames()
    .map((name) => name.replace(/[.*+?^${}()|[\]\\]/gu, '\\$&'))
    .join('|')})(?![\\p{L}\\p{N}])`,
  'giu',
)

export const countries: Detector = (text) => detectionsOf(text, { type: 'place', pattern, confidence: 0.45 })
