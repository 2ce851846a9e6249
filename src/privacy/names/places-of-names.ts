/** Scripts that put no spaces between words. */
const unspaced = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u
const ofWord = /[\p{L}\p{M}\p{N}_]/u

/** Where a name stands in a text, as it is written and not as a part of a word: the offsets of its beginnings, in UTF-16 units. */
export function placesOf(text: string, name: string): number[] {
  const places: number[] = []
  if (name === '') return places
  const first = characterAt(name, 0)
  const last = characterBefore(name, name.length)
  for (let at = text.indexOf(name); at !== -1; at = text.indexOf(name, at + name.length)) {
    const end = at + name.length
    if (!joins(characterBefore(text, at), first) && !joins(characterAt(text, end), last)) places.push(at)
  }
  return places
}

/** Whether a character belongs to the word that a name begins or ends with. */
function joins(beside: string, own: string): boolean {
  return ofWord.test(beside) && ofWord.test(own) && !unspaced.test(own)
}

function characterAt(text: string, at: number): string {
  const code = text.codePointAt(at)
  return code === undefined ? '' : String.fromCodePoint(code)
}

function characterBefore(text: string, at: number): string {
  if (at === 0) return ''
  const isPair = at > 1 && /[\uDC00-\uDFFF]/.test(text.charAt(at - 1))
  return characterAt(text, isPair ? at - 2 : at - 1)
}
