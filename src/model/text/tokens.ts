/**
 * An approximation, without a model's vocabulary, of how many tokens a text costs, made to err upwards: about 1 per 4 letters
 * of ordinary words, 0.6 per letter of very long ones (encoded data, which vocabularies do not know), 1 per 2.2 digits,
 * 0.6 per mark of punctuation, 1 per 2 letters of other alphabets, 1.1 per CJK character, 1.5 per unit of anything else.
 */
export function estimateTokens(text: string): number {
  let tokens = 0
  let word = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    const isLetter = (code >= 97 && code <= 122) || (code >= 65 && code <= 90)
    word = isLetter || (code >= 48 && code <= 57) ? word + 1 : 0
    tokens += isLetter ? (word > 14 ? 0.6 : 0.25) : costOf(code)
  }
  return Math.ceil(tokens)
}

function costOf(code: number): number {
  if (code === 32) return 0.1
  if (code < 128) return code >= 48 && code <= 57 ? 0.45 : code === 10 ? 0.5 : 0.6
  if (code < 0xe00) return 0.5
  if (code >= 0x2e80 && code <= 0xd7a3) return 1.1
  return code < 0x1100 || (code >= 0x1e00 && code < 0x2000) ? 0.8 : 1.5
}

/** How many bytes of JSON a budget of tokens holds: about 3.5 to a token, fewer than of English as JSON is denser. */
export function bytesOfTokens(tokens: number): number {
  return Math.floor(tokens * 3.5)
}
