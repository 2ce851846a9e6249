import { after, before, detectionsOf, type Detector } from '../detection.ts'

/** After a word for birth any word between a day and a year is a month, in whichever language. */
const month = '\\p{L}[\\p{L}\\p{M}]{2,14}'
/** Where no year follows, one of these. */
const knownMonth =
  'jan(?:uary|uar|vier)?|feb(?:ruary|ruar)?|février|mar(?:ch|s)?|märz|apr(?:il)?|avril|may|mai|jun[ei]?|juin|jul[iy]?|juillet|aug(?:ust)?|août|sept?(?:ember|embre)?|oct(?:ober|obre)?|okt(?:ober)?|nov(?:ember|embre)?|de[cz](?:ember)?|décembre|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre'
const day = '\\d{1,2}(?:st|nd|rd|th|\\.|er|º|ª)?'
const date = [
  '\\d{4}[-./]\\s?\\d{1,2}[-./]\\s?\\d{1,2}',
  '\\d{1,2}[-./]\\s?\\d{1,2}[-./]\\s?(?:\\d{4}|\\d{2})',
  `${day}[\\s-](?:of\\s|de\\s|d['’])?${month}\\.?,?[\\s-](?:del?\\s)?(?:\\d{4}|['’]?\\d{2})`,
  `${month}\\.?\\s${day},?\\s\\d{4}`,
  `\\d{4}\\.?\\s${month}\\s\\d{1,2}`,
  '\\d{4}\\s?[年년]\\s?\\d{1,2}\\s?[月월]\\s?\\d{1,2}\\s?[日일]?',
  `${day}\\s(?:of\\s|de\\s)?(?:${knownMonth})`,
  `(?:${knownMonth})\\.?\\s${day}`,
  '(?:18|19|20)\\d{2}(?:0[1-9]|1[0-2])(?:[0-2]\\d|3[01])',
  '(?:[0-2]\\d|3[01])(?:0[1-9]|1[0-2])(?:18|19|20)\\d{2}',
  '(?:18|19|20)\\d{2}',
].join('|')
/** Birth in some thirty languages. */
const births = [
  '\\bborn\\b|(?<!child|still|re)birth(?! (?:rate|control|defect|statistic))|\\bd\\.?o\\.?b\\b\\.?',
  'geboren|geboorte|geb\\.|geburt|née?\\s|naissance|nacid[oa]|nacimiento|cumpleaños|nat[oa]\\s|nascita|nascid[oa]|nascimento|născut|nașteri',
  'urodz|född|födel|født|fødsel|fødd|fæðing|synty|narozen|rođen|rojen|született|születés|doğum|gimim|gimęs|dzimš|dzimis|sündi',
  'родил|рожд|народ[жи]|γέννησ|γεννή|生年月日|出生|誕生日|生日|생년월일|출생|생일|תאריך לידה|الميلاد|जन्म|วันเกิด|ngày sinh|tanggal lahir',
].join('|')
const cue = new RegExp(
  `(?:(?:${births})[^\\n.!?]{0,40}(?:[.?]\\s{1,2}(?:it[’']s|it is)\\s|[.:?：]?\\s{0,3})?|(?:[(,]\\s?|\\p{L}\\s)b\\.\\s)$`,
  'iu',
)
/** Where the word for birth follows the date. */
const cueAfter = /^\s?(?:生まれ|誕生|出生|生(?=の|\P{L}|$)|생(?=입|이|으로|\P{L}|$)|년생|에\s?(?:태어|출생))/u

/** Dates of birth: a date or a year shortly after a word for birth, or right before one. */
export const birthDates: Detector = (text) =>
  detectionsOf(text, {
    type: 'date_of_birth',
    pattern: new RegExp(`(?<![\\p{Script=Latin}\\p{N}/.-])(?:${date})(?![\\p{Script=Latin}\\p{N}/]|[.-]\\d)`, 'giu'),
    confidence: 0.92,
    accepts: (_, place) => cue.test(before(place, 60)) || cueAfter.test(after(place, 8)),
  })
