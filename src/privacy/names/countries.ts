import { countryNames } from '../../model/country-names.ts'
import { detectionsOf, type Detector } from '../detection.ts'

const pattern = new RegExp(
  `(?<![\\p{L}\\p{N}-])(?:${countryNames()
    .map((name) => name.replace(/[.*+?^${}()|[\]\\]/gu, '\\$&'))
    .join('|')})(?![\\p{L}\\p{N}])`,
  'giu',
)

export const countries: Detector = (text) => detectionsOf(text, { type: 'place', pattern, confidence: 0.45 })
