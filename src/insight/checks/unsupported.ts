/** Names: words with a capital, also inside of them. A word that begins the sentence may have its capital from that. */
const name = /(?<![\p{L}\p{N}])\p{L}*\p{Lu}[\p{L}\p{M}\p{N}'’_-]*/gu
/** The words that names stand in. */
const whole = /(?<![\p{L}\p{M}\p{N}_'’-])[\p{L}\p{M}\p{N}_'’-]*\p{Lu}[\p{L}\p{M}\p{N}_'’-]*/gu
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
const mixedWord = String.raw`(?<![\p{L}\p{N}_-])(?=[\p{L}\p{N}_-]*${spaced})(?=[\p{L}\p{N}_-]*\d)(?:${spaced}|[\p{M}\p{N}_-])+`
const mixed = new RegExp(mixedWord, 'gu')
/** These with the numbers that go on behind them: gpt-4.1, 2026-11-28T11:50:58. */
const mixedOn = new RegExp(String.raw`(?<!\d[.,:/])${mixedWord}(?:[.,:/]\d+)*`, 'gu')
/** What is a number, with what it counts behind it. */
const withUnit = /^(?:v)?\d[\d-]*\p{L}*$/u
/** A unit that is written to its number: the GB of 5GB. */
const unit = /^\d+(\p{L}{1,3})$/u
/** What stands around a word and is no part of it: quotation marks, and the marks of options and private names (--noEmit, _agent). */
const around = /^['’_-]+|(?<!['’_-])['’_-]+$/gu
/** What is put before a number with a hyphen. */
const prefixes = new Set(['pre', 'post', 'mid', 'early', 'late', 'top'])
const possessive = /['’]s$/u

const folded = (text: string) => text.normalize('NFKC').toLowerCase()

/** 1,000 and 1000 are one number. */
export function numbersIn(text: string): string[] {
  const found = text.normalize('NFKC').match(number) ?? []
  return found.map((one) => (/^\d{1,3}(?:,\d{3})+(?:\.\d+)?$/u.test(one) ? one.replaceAll(',', '') : one))
}

/**
 * The names and numbers of a text that its source does not have; `spelled` are numbers that it has in words. A text without any says nothing
 * that could be checked so.
 */
export function unsupportedIn(
  text: string,
  source: string,
  spelled: ReadonlySet<string> = new Set(),
): readonly string[] {
  const words = wordsIn(source)
  const numbers = new Set([...numbersIn(source), ...spelled])
  const has = (one: string) => words.has(bare(one)) || words.has(bare(one).replace(possessive, ''))
  const begins = /^\W*/u.exec(text)?.[0].length ?? 0
  const names = [...text.matchAll(whole)].flatMap(({ index: at, 0: one }) =>
    has(one)
      ? []
      : [...one.matchAll(name)]
          .filter(({ index, 0: part }) => at + index !== begins || /.\p{Lu}|\p{N}/u.test(part) || !isCommonStart(part))
          .map(([part]) => part),
  )
  const withDigits = (folded(text).match(mixed) ?? []).filter((one) => !withUnit.test(one))
  const known = new Set(withDigits.filter(has))
  const namesThere = new Set(
    folded(source)
      .match(mixedOn)
      ?.filter((one) => !/^v?\d+(?:\p{L}*$|[.,:/])/u.test(one)),
  )
  const others = text.normalize('NFKC').replaceAll(mixedOn, (one) => (namesThere.has(folded(one)) ? ' ' : one))
  const isJoined = (one: string) =>
    one.includes('-') && one.split('-').every((part) => words.has(part) || numbers.has(part) || prefixes.has(part))
  return [
    ...names.filter((one) => !has(one)),
    ...withDigits.filter((one) => !known.has(one) && !isJoined(one)),
    ...numbersIn(others).filter((one) => !numbers.has(one)),
  ]
}

const bare = (one: string) => folded(one).replaceAll(around, '')

/** The words of a source, folded, with what stands around them and without. */
function wordsIn(source: string): ReadonlySet<string> {
  const words = new Set<string>()
  for (const one of new Set(folded(source).match(word))) {
    const inner = one.replaceAll(around, '')
    const [, counted] = unit.exec(one) ?? []
    for (const form of [one, inner, inner.replace(possessive, ''), counted]) if (form !== undefined) words.add(form)
  }
  return words
}

/** Words that begin a sentence about somebody or something and are no names. */
function isCommonStart(one: string): boolean {
  return /^(?:the|a|an|user|we|they|he|she|it|i|use|uses|using|to|for|when|always|never|prefers?|in|on|after|before|upgrading|setting|this|that|their|his|her|our|my|decided|fix(?:ed|ing)?)$/iu.test(
    one,
  )
}
