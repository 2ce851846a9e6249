import { detectionsOf, type Detector } from '../detection.ts'

const word = "[\\p{L}\\d'’.-]{1,24}"
/** "Court" and "place" are left out: where they follow a number it is mostly a date and a court of law. */
const englishStreet =
  'street|st|avenue|ave|road|rd|lane|ln|drive|dr|boulevard|blvd|square|way|terrace|crescent|close|highway|hwy|parkway|pkwy|circle|trail|row|mews'
const otherStreet =
  '\\p{L}{2,24}(?:straße|strasse|str\\.|weg|gasse|platz|allee|ring|ufer|damm|straat|laan|gracht|vej|gade|gatan|vägen|veien|gata|katu|tie|utca)'
const leadingStreet =
  '(?:rue|avenue|boulevard|chemin|allée|via|viale|piazza|corso|calle|avenida|plaza|paseo|rua|travessa|praça|ul\\.|ulica|ulice)'

/** Streets with a house number, before or after it; rooms; and boxes of the post. */
export const postalAddresses: Detector = (text) =>
  [
    new RegExp(
      `(?<![\\p{L}\\p{N}])\\d{1,5}[a-z]?,? (?:${word} ){1,4}(?:${englishStreet})(?![\\p{L}\\p{N}])\\.?`,
      'giu',
    ),
    new RegExp(`(?<![\\p{L}\\p{N}])(?:${otherStreet}),? ?\\d{1,4}[a-z]?(?![\\p{L}\\p{N}])`, 'giu'),
    new RegExp(
      `(?<![\\p{L}\\p{N}])(?:\\d{1,4},? )?${leadingStreet} (?:${word} ){0,4}${word},? ?\\d{0,4}(?![\\p{L}\\p{N}])`,
      'gu',
    ),
    /(?<![\p{L}\p{N}])(?:apt|apartment|suite|ste|flat|unit)\.? (?:no\.? |#)?\d{1,5}[a-z]?(?![\p{L}\p{N}])/giu,
    /(?<![\p{L}\p{N}])(?:(?:(?:zip|postal|post) ?codes?|plz|postleitzahl|code postal|código postal)(?: is)?\s?:?|zip:)\s{1,3}((?=[A-Z\d -]{0,6}\d)[A-Z\d]{2,5}(?:[ -]?[A-Z\d]{2,4})?)(?![\p{L}\p{N}])/giu,
    /(?<![\p{L}\p{N}])(?:p\.? ?o\.? box|postfach|postbus|apartado)\s\d{1,8}(?![\p{L}\p{N}])/giu,
  ].flatMap((pattern) => detectionsOf(text, { type: 'address', pattern, confidence: 0.6 }))
