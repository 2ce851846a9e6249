/** Names: words with a capital, also inside of them. A word that begins the sentence may have its capital from that. */
const name = /(?<![\p{L}\p{N}])\p{L}*\p{Lu}[\p{L}\p{M}\p{N}'’_-]*/gu
const number = /\d+(?:[.,:/-]\d+)*/gu

const folded = (text: string) => text.normalize('NFKC').toLowerCase()

/** The names and numbers of a text that its source does not have. A text without any says nothing that could be checked so. */
export function unsupportedIn(text: string, source: string): readonly string[] {
  const words = new Set(folded(source).match(/[\p{L}\p{M}\p{N}_'’-]+/gu))
  const numbers = new Set(folded(source).match(number))
  const begins = /^\W*/u.exec(text)?.[0].length ?? 0
  const names = [...text.matchAll(name)]
    .filter(({ index, 0: word }) => index !== begins || /.\p{Lu}|\p{N}/u.test(word) || !isCommonStart(word))
    .map(([word]) => word)
  return [
    ...names.filter((word) => !words.has(folded(word)) && !words.has(folded(word).replace(/['’]s$/u, ''))),
    ...(folded(text).match(number) ?? []).filter((one) => !numbers.has(one)),
  ]
}

/** Words that begin a sentence about somebody or something and are no names. */
function isCommonStart(word: string): boolean {
  return /^(?:the|a|an|user|we|they|he|she|it|i|use|uses|using|to|for|when|always|never|prefers?|in|on|after|before|upgrading|setting|this|that|their|his|her|our|my|decided|fix(?:ed|ing)?)$/iu.test(
    word,
  )
}
