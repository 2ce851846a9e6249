/** Names: words with a capital, also inside of them. A word that begins the sentence may have its capital from that. */
const name = /(?<![\p{L}\p{N}])\p{L}*\p{Lu}[\p{L}\p{M}\p{N}'’_-]*/gu
const word = /[\p{L}\p{M}\p{N}_'’-]+/gu

/** Letters of scripts that put blanks between words: a digit beside one is part of a word, where beside a character of Chinese it is a number. */
const spaced = String.raw`[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}]`
/**
 * Numbers that stand as such, also before a unit (5ms, 17th), after the v of a version and in a time (2026-11-28T11:50): not those in node22, ABC-123
 * or a1b2c3d4.
 */
const number = new RegExp(
  String.raw`(?:(?<![\p{N}_]|${spaced}|[\p{Lu}\p{N}]-)|(?<=(?<![\p{L}\p{N}_])[vV])|(?<=\d[tT]))(?:\d+(?:[.,:/-]\d+)+|\d+(?!${spaced}+\d))(?!\d)`,
  'gu',
)
/** Words with digits in them: node22, db7, a1b2c3. */
const mixed = new RegExp(
  String.raw`(?<![\p{L}\p{N}_-])(?=[\p{L}\p{N}_-]*${spaced})(?=[\p{L}\p{N}_-]*\d)(?:${spaced}|[\p{M}\p{N}_-])+`,
  'gu',
)
/** What is a number, with what it counts behind it. */
const withUnit = /^(?:v)?\d[\d-]*\p{L}*$/u

const folded = (text: string) => text.normalize('NFKC').toLowerCase()

/** 1,000 and 1000 are one number. */
function numbersIn(text: string): string[] {
  const found = text.normalize('NFKC').match(number) ?? []
  return found.map((one) => (/^\d{1,3}(?:,\d{3})+(?:\.\d+)?$/u.test(one) ? one.replaceAll(',', '') : one))
}

/** The names and numbers of a text that its source does not have. A text without any says nothing that could be checked so. */
export function unsupportedIn(text: string, source: string): readonly string[] {
  const words = new Set(folded(source).match(word))
  const numbers = new Set(numbersIn(source))
  const begins = /^\W*/u.exec(text)?.[0].length ?? 0
  const names = [...text.matchAll(name)]
    .filter(({ index, 0: one }) => index !== begins || /.\p{Lu}|\p{N}/u.test(one) || !isCommonStart(one))
    .map(([one]) => one)
  const withDigits = (folded(text).match(mixed) ?? []).filter((one) => !withUnit.test(one))
  return [
    ...[...names, ...withDigits].filter(
      (one) => !words.has(folded(one)) && !words.has(folded(one).replace(/['’]s$/u, '')),
    ),
    ...numbersIn(text).filter((one) => !numbers.has(one)),
  ]
}

/** Words that begin a sentence about somebody or something and are no names. */
function isCommonStart(one: string): boolean {
  return /^(?:the|a|an|user|we|they|he|she|it|i|use|uses|using|to|for|when|always|never|prefers?|in|on|after|before|upgrading|setting|this|that|their|his|her|our|my|decided|fix(?:ed|ing)?)$/iu.test(
    one,
  )
}
