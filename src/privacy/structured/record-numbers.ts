import { detectionsOf, type Detector } from '../detection.ts'

/** The words for what is numbered, before a word for "number". */
const subject =
  "applications?|complaint|case|file|docket|polic(?:y|ies)|account|customer|client|member(?:ship)?|claim|invoice|order|booking|reservation|passport|driver[’']?s? licen[cs]e|driving licen[cs]e|licen[cs]e|permit|registration|certificate|patient|medical record|record|employee|student|personnel|identity card|id card|badge|vehicle|plate|tax|insurance|reference|akte|aktenzeichen|kunden|vertrags|konto|mitglieds|ausweis|reisepass|führerschein|dossier|passeport|expediente|pasaporte|licencia|cuenta"
const number = 'numbers?|numéro|número|numero|nummer|nos?|nrs?|num|n[°º]|#'
const value =
  '(?=[A-Z\\d/.-]{0,20}\\d[A-Z\\d/.-]{0,20}\\d[A-Z\\d/.-]{0,20}\\d)[A-Z\\d](?:[A-Z\\d/-]|\\.(?=[A-Z\\d])){2,24}[A-Z\\d]'
const named = new RegExp(
  `(?<![\\p{L}\\p{N}])(?:${subject})[ -]{0,2}\\(?(?:${number})(?![\\p{L}])[.:)]{0,2}\\s{0,2}(?:is|was|are|lautet|est|es)?\\s{0,2}[:#]?\\s{0,2}(${value})(?![\\p{L}\\p{N}])`,
  'giu',
)
/** Words that say by themselves that a number follows. */
const document = new RegExp(
  `(?<![\\p{L}\\p{N}])(?:passport|reisepass(?:nummer|nr)?|pass(?:nummer|nr)|paspoort(?:nummer)?|(?:numéro de )?passeport|(?:número de )?pasaporte|(?:número do )?passaporte|(?:numero di )?passaporto|(?:numer )?paszportu|(?:номер )?(?:загран)?паспорта|driver[’']?s? licen[cs]e|driving licen[cs]e|dl|licen[cs]e plate|number plate|voter id|id card|identity card|ausweis)(?:\\s(?:no\\.?|nr\\.?|number))?(?:\\s(?:is|was))?[:#]?\\s{1,2}(${value})(?![\\p{L}\\p{N}])`,
  'giu',
)
/** The same in scripts that put no spaces around. */
const unspacedDocument = new RegExp(
  `(?:パスポート番号|旅券番号|免許証番号|护照号码?|護照號碼|여권\\s?번호)[\\sは是：:는은]{0,3}(${value})(?![\\p{Script=Latin}\\p{N}])`,
  'giu',
)
/** "no. 12345/99", as courts and authorities write it, and the further numbers of such a list. */
const docket = /(?<![\p{L}\p{N}])(?:nos?|nrs?|numbers?|n[°º])[.:]?\s{0,2}(\d{2,7}\/\d{2,4})(?![\p{L}\p{N}/])/giu
const furtherDocket = /(?<=\d\/\d{2,4}(?:,|;| and| et| und)\s)(\d{2,7}\/\d{2,4})(?![\p{L}\p{N}/])/gu

const documents: readonly RegExp[] = [document, unspacedDocument]

/** Numbers under which an authority or a firm keeps a person: files, policies, accounts, licences, passports. */
export const recordNumbers: Detector = (text) =>
  [named, document, unspacedDocument, docket, furtherDocket].flatMap((pattern) =>
    // By chance such a number has the check digit of a country as well.
    detectionsOf(text, { type: 'record_number', pattern, confidence: documents.includes(pattern) ? 0.96 : 0.85 }),
  )
