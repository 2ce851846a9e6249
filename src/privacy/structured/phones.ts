import { parsePhoneNumberFromString } from 'libphonenumber-js'

import { after, before, detectionsOf, type Detector, type Place } from '../detection.ts'
import { digitsOf } from './check-digits.ts'

const cueBefore =
  /(?:phone|tel|tél|telefon|rufnummer|erreichbar|anrufen|puhelin|telefoon|telefono|τηλ[\p{L}.]*|тел(?:ефон)?|телефону|電話(?:番号|號碼)?|携帯(?:電話|番号)*|电话(?:号码)?|手机(?:号码?)?|手機(?:號碼)?|전화(?:번호)?|휴대폰|핸드폰|연락처|sđt|điện\sthoại|di\sđộng|โทร[\p{L}\p{M}.]*|मोबाइल|फ़ोन|फोन|جوال|موبايل|טלפון|נייד|هاتف|teléfono|telefono|téléphone|telefone|fone|handy|mobile?|móvil|cell|celular|fax|desk|office|whatsapp|sms|hotline|call(?:ing|ed)?|dial(?:ed)?|ring|text(?:ed)?|reach|contact|answering|registered|messages?|(?:my|his|her|their|our|your|whose)\s(?:new\s|old\s|own\s|private\s|direct\s)?number|meine\snummer|mon\snuméro|mi\snúmero|meu\snúmero|mio\snumero|mijn\snummer)(?:\s+(?:number|no\.?|nr\.?|#|nummer))?(?:[\s:.,(=：、はがの是为為는은-]|नंबर|\b(?:is|ist|est|es|was|are|me|mich|uns|mir|unter|al|au|'s|’s|me|us|you|him|her|them|at|on|to|under|via|my|your|the|new|old|it'?s|or|and|by)\b){0,8}$/iu
const cueAfter = /^[\s(,;-]{0,3}(?:office|fax|mobile|cell|home|work|desk|phone|tel)\b/iu
/** North American numbers are known by their form alone: three, three and four digits with the same separator. */
const northAmerican =
  /^(?:\+?\d{1,3}[-. ]|00\d{1,2}[-. ])?(?:\(\d{3}\) ?\d{3}[-. ]|\d{3}([-.])\d{3}\1)\d{4}(?:\s?x\d{1,6})?$/u
/** French numbers, in five pairs with the same separator. */
const french = /^0[1-9]([-. ])\d\d(?:\1\d\d){3}$/u
/** A date, a time, a version or an amount. */
const otherNumber =
  /^(?:(?:19|20)\d\d([-./ ])\d{1,2}\1\d{1,2}(?:[ T].*)?|\d{1,2}([-./ ])\d{1,2}\2(?:19|20)\d\d|\d{1,3}(?:\.\d{1,3}){3}|\d+\.\d+|(?:19|20)\d\d(?:[ -](?:19|20)\d\d)?)$/u

/** A number with its country, written with a plus or two zeros, that is possible there. */
function isInternational(found: string): boolean {
  if (!/^(?:\+|00)/u.test(found)) return false
  const parsed = parsePhoneNumberFromString(found.replace(/^00/u, '+').replace(/\s?x\d+$/u, ''))
  return parsed?.isPossible() ?? false
}

function accepts(found: string, place: Place): boolean {
  const count = digitsOf(found.replace(/\s?x\d+$/u, '')).length
  if (count < 6 || count > 15 || otherNumber.test(found)) return false
  if (isInternational(found) || northAmerican.test(found)) return true
  if (french.test(found) && parsePhoneNumberFromString(found, 'FR')?.isValid() === true) return true
  return cueAfter.test(after(place, 12)) || cueBefore.test(before(place, 60))
}

/**
 * Phone numbers: with their country as libphonenumber knows it, in the North American or the French form, or in any grouping of six to
 * fifteen digits beside a word that says what they are.
 */
export const phones: Detector = (text) =>
  detectionsOf(text, {
    type: 'phone',
    pattern:
      /(?<![\w.@#$€£/+-])(?:\+|\(|\d)(?:\d|\)?[ ./-]?\(?(?=\d)|\)(?=[ ./-]?\d)){4,22}\d(?:\s?x\d{1,6})?(?![\w@%/]|[.,:]\d|-\d)/gu,
    confidence: 0.9,
    accepts,
  })
