/** Shannon's entropy of the characters of a text, in bits a character: 0 for "aaaa", 4 for sixteen different ones. */
export function entropyOf(text: string): number {
  const counts = new Map<string, number>()
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1)
  return [...counts.values()].reduce((sum, count) => {
    const share = count / text.length
    return sum - share * Math.log2(share)
  }, 0)
}

/** What a document writes in the place of a secret. */
const placeholder =
  /example|sample|placeholder|change[-_]?me|your[-_]|[-_]here|dummy|redacted|x{5,}|\.{3,}|\*{3,}|^[a-z]+$|^(.)\1+$|(?:0123|1234567|abcdef[^\da-f]|abcdefgh)/iu

export function isPlaceholder(text: string): boolean {
  return placeholder.test(text)
}

const address =
  /^[./~$]|^\w+(?:\.\w+)*\(|^(?:sha\d{1,3}|md5)[-:]|^\d{4}-\d\d-\d\d|^v?\d+(?:\.\d+)+|\.(?:[jt]sx?|py|json|md|go|rs|ya?ml|html|css)(?::|$)/iu
/** So long without a dot: base64 that begins with a slash, not a path, unless it is made of words. */
const base64 = /^\/[A-Za-z0-9+/]{37,100}={0,2}$/u
/** Words, also joined like CamelCase, and numbers. Of random letters and digits such a piece has two characters or so. */
const pieces = /\p{Lu}?\p{Ll}+|\p{Lu}+(?!\p{Ll})|\d+/gu
const pieceCharactersMin = 3.5
/** Random digits come in runs as well, which says nothing about the letters beside them. */
const digitsCounted = 2

/** A path, an address, a call, a version, a time, a sum that is checked openly, or words. */
export function isReadable(text: string): boolean {
  if (text.includes('://') || (address.test(text) && !base64.test(text))) return true
  if (text.split(/[._/:=+-]/u).every((part) => /^(?:[A-Z]?[a-z]*|[A-Z]+|\d{1,4})$/u.test(part))) return true
  const found = text.match(pieces) ?? []
  const characters = found.reduce(
    (sum, piece) => sum + (/^\d/u.test(piece) ? Math.min(piece.length, digitsCounted) : piece.length),
    0,
  )
  return characters >= pieceCharactersMin * found.length
}

const propertyCharactersMax = 60

/** A property, as code has it: `settings.apiKey`. */
export function isProperty(text: string): boolean {
  return text.length <= propertyCharactersMax && /^[a-z_$][\w$]*(?:\.[a-z_$][\w$]*)+(?:=|$)/iu.test(text)
}
