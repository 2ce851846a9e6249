/** Scripts that put no spaces between words, or none between a word and what belongs to it. */
export const unspaced =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u
const ofWord = /[\p{L}\p{M}\p{N}_]/u

const space = /\s{1,64}/uy

/** A stretch of a text, in UTF-16 units; `end` is behind it. */
export interface Place {
  readonly start: number
  readonly end: number
}

/** Where a name stands in a text, as it is written but for the white space between its words, and not as a part of a word. */
export function placesOf(text: string, name: string): Place[] {
  const places: Place[] = []
  const words = name.split(/\s+/u)
  const [head = ''] = words
  if (head === '') return places
  const first = characterAt(name, 0)
  const last = characterBefore(name, name.length)
  let at = text.indexOf(head)
  while (at !== -1) {
    const end = endOf(text, words, at)
    if (end !== undefined && !joins(characterBefore(text, at), first) && !joins(characterAt(text, end), last))
      places.push({ start: at, end })
    at = text.indexOf(head, end ?? at + head.length)
  }
  return places
}

/** Where words end that stand one after the other in a text from `start`; undefined where they do not. */
export function endOf(text: string, words: readonly string[], start: number): number | undefined {
  let end = start
  for (const [index, word] of words.entries()) {
    if (index > 0) {
      space.lastIndex = end
      if (!space.test(text)) return undefined
      end = space.lastIndex
    }
    if (!text.startsWith(word, end)) return undefined
    end += word.length
  }
  return end
}

/** Whether a character belongs to the word that a name begins or ends with. */
export function joins(beside: string, own: string): boolean {
  return ofWord.test(beside) && ofWord.test(own) && !unspaced.test(own) && !unspaced.test(beside)
}

export function characterAt(text: string, at: number): string {
  const code = text.codePointAt(at)
  return code === undefined ? '' : String.fromCodePoint(code)
}

function characterBefore(text: string, at: number): string {
  if (at === 0) return ''
  const isPair = at > 1 && /[\uDC00-\uDFFF]/.test(text.charAt(at - 1))
  return characterAt(text, isPair ? at - 2 : at - 1)
}
