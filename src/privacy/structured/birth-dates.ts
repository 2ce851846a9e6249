import { before, detectionsOf, type Detector } from '../detection.ts'

const months =
  'jan(?:uary|uar|vier)?|feb(?:ruary|ruar)?|février|mar(?:ch|s)?|märz|apr(?:il)?|avril|may|mai|jun[ei]?|juin|jul[iy]?|juillet|aug(?:ust)?|août|sept?(?:ember|embre)?|oct(?:ober|obre)?|okt(?:ober)?|nov(?:ember|embre)?|de[cz](?:ember)?|décembre|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre'
const date = [
  '\\d{4}[-./]\\d{1,2}[-./]\\d{1,2}',
  '\\d{1,2}[-./]\\d{1,2}[-./](?:\\d{4}|\\d{2})',
  `\\d{1,2}(?:st|nd|rd|th|\\.|er)?\\s(?:of\\s|de\\s)?(?:${months})\\.?,?\\s(?:de\\s)?\\d{4}`,
  `(?:${months})\\.?\\s\\d{1,2}(?:st|nd|rd|th)?,?\\s\\d{4}`,
  '(?:18|19|20)\\d{2}',
].join('|')
const cue =
  /(?:\bborn\b|birth|\bd\.?o\.?b\b|geboren|geb\.|geburt|née?\s|naissance|nacid[oa]|nacimiento|nat[oa]\s|nascita|nascid[oa]|nascimento|urodzon|födelse)[^\n.!?]{0,40}(?:[.?]\s{1,2}(?:it[’']s|it is)\s|[:?]\s{0,2})?$/iu

/** Dates of birth: a date or a year shortly after a word for birth. */
export const birthDates: Detector = (text) =>
  detectionsOf(text, {
    type: 'date_of_birth',
    pattern: new RegExp(`(?<![\\p{L}\\p{N}/.-])(?:${date})(?![\\p{L}\\p{N}/]|[.-]\\d)`, 'giu'),
    confidence: 0.92,
    accepts: (_, place) => cue.test(before(place, 60)),
  })
