/** Soft hyphen, joiners, word joiner, BOM and variation selectors: they change how a word looks, never which word it is. */
const invisibles = /[\u{ad}\u{200b}-\u{200d}\u{2060}\u{feff}\p{Variation_Selector}]/gu
/** Arabic and Hebrew write vowels as optional points; almost nobody types them. Tatweel only stretches a line. */
const optionalPoints = /[\u{591}-\u{5c7}]|[\u{64b}-\u{652}]|\u{670}|\u{640}/gu
const markedLatinOrGreek = /([\p{sc=Latin}\p{sc=Greek}])\p{M}+/gu
const hasLatinOrGreek = /[\p{sc=Latin}\p{sc=Greek}]/u
const hasSpecial = /[ßæœøłđðþıςёأإآٱىة’＇]/u
const printableAscii = /^[ -~]*$/

/**
 * Letters that Unicode does not decompose but that writers interchange. `ё` is the one Cyrillic letter here: Russian print
 * writes it as `е`, so both spellings are one word, unlike `й` and `и`, which stay apart.
 */
const specials: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ı: 'i',
  ς: 'σ',
  ё: 'е',
  أ: 'ا',
  إ: 'ا',
  آ: 'ا',
  ٱ: 'ا',
  ى: 'ي',
  ة: 'ه',
  '’': "'",
  '＇': "'",
}

/** Compatibility form, lower case, without invisible characters; accents are kept, because stemmers need them. */
export function lower(word: string): string {
  if (printableAscii.test(word)) return word.toLowerCase()
  return word.normalize('NFKC').toLowerCase().normalize('NFC').replace(invisibles, '')
}

/** Takes the accents off what `lower` made: Latin and Greek marks go, the marks of Cyrillic, kana and Indic scripts stay. */
export function withoutAccents(word: string): string {
  if (printableAscii.test(word)) return word
  let folded = word.replace(optionalPoints, '')
  if (hasLatinOrGreek.test(folded)) folded = folded.normalize('NFD').replace(markedLatinOrGreek, '$1').normalize('NFC')
  if (hasSpecial.test(folded)) folded = Array.from(folded, (letter) => specials[letter] ?? letter).join('')
  return folded
}

/**
 * The form in which two spellings of one word are equal: NFKC, case-folded, `ß` as `ss`, without the accents of Latin and
 * Greek letters. The search text and the query go through the same function, so a word always matches itself.
 */
export function fold(word: string): string {
  return withoutAccents(lower(word))
}

/**
 * A copy that shares no memory with the text it was cut from. V8 represents a slice of 13 units or more as a view, so one
 * word kept in a cache would keep a whole 8 MiB message alive.
 */
export function detached(word: string): string {
  return word.length < 13 ? word : Buffer.from(word, 'utf16le').toString('utf16le')
}
