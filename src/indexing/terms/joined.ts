/** As many words as names in code are made of; more are a title or a slug, which nobody writes as one word. */
const tiedMax = 6
const word = String.raw`[\p{L}\p{M}\p{N}]+`
const tiedWords = new RegExp(String.raw`^${word}([-_])${word}(?:\1${word}){0,${tiedMax - 2}}$`, 'u')
/** Figures in groups of three: `10,000` here and `10.000` there. */
const groupedFigures = /^[1-9][0-9]{0,2}([,.])[0-9]{3}(?:\1[0-9]{3})*$/
const charactersMax = 64

/**
 * What some write as one word and others with something between its parts: `e-mail` and `email`, `GPT-4` and `GPT4`, `user_name` and
 * `userName`, `10,000` and `10000`. The one word, or undefined for what nobody writes so.
 */
export function joinedWord(written: string): string | undefined {
  if (written.length > charactersMax) return undefined
  if (groupedFigures.test(written)) return written.replaceAll(/[,.]/g, '')
  return tiedWords.test(written) && /\p{L}/u.test(written) ? written.replaceAll(/[-_]/g, '') : undefined
}
