import { detectionsOf, type Detector } from '../detection.ts'

/** The legal forms of companies, of many countries. */
const legalForm =
  'GmbH(?: & Co\\.? KG)?|AG|KG|Ltd\\.?|Limited|Inc\\.?|Incorporated|LLC|LLP|PLC|plc|Corp\\.?|Corporation|S\\.A\\.(?:R\\.L\\.)?|SARL|S\\.?r\\.?l\\.?|S\\.?p\\.?A\\.?|B\\.?V\\.?|N\\.?V\\.?|A\\.?[ŞS]\\.?|d\\.o\\.o\\.|d\\.d\\.|OOD|EOOD|OAO|ZAO|Sp\\. z o\\.o\\.|Oyj?|A/S|ApS|Kft\\.?|Zrt\\.?|s\\.r\\.o\\.|a\\.s\\.|OÜ|UAB|Pty Ltd|K\\.K\\.'
const word = "\\p{Lu}[\\p{L}\\p{M}\\p{N}&'’-]{1,30}"
const company = new RegExp(
  `(?<![\\p{L}\\p{N}])(?:${word}(?: (?:and|und|et|e|y|&))?,? ){1,5}(?:${legalForm})(?![\\p{L}\\p{N}])`,
  'gu',
)
/** Whoever a court calls the applicant, right before it does. */
const applicant = new RegExp(
  `(?<![\\p{L}\\p{N}])((?:(?:${word}|\\p{Lu}\\.)[.,]? ){1,8})\\([“"]the (?:first |second |third )?applicant`,
  'gu',
)

/** Companies by their legal form, and parties of a case. */
export const companies: Detector = (text) =>
  [company, applicant].flatMap((pattern) => detectionsOf(text, { type: 'organization', pattern, confidence: 0.52 }))
