const tagsFrom = 0xe0020
const tagsTo = 0xe007e
/** Letters of the Unicode block of tags, which no font shows; a flag of a region is written with some of them after its emoji. */
const tags = /(?<!\u{1f3f4}[\u{e0020}-\u{e007e}]{0,8})[\u{e0020}-\u{e007e}]{4,}/gu
const zeroWidth = /[\u00ad\u200b\u200c\u200e\u200f\u2060-\u2064\ufeff\u061c\u180e\u{e0000}-\u{e007f}]|\u200d|\u034f/gu
/** Many in a row carry something, or nothing that anybody needs. */
const hidden =
  /(?:[\u200b\u200c\u2060-\u2064\ufeff]|\u200d){6,}|[\u{e0100}-\u{e01ef}]{4,}|[\ufe00-\ufe0f]{4,}|[\u202d\u202e]|(?:\p{L}[\u200b\u200c\u2060\ufeff]){6,}/u
const controlled = /[\u202a-\u202e\u2066-\u2069]/gu

/** Letters of other scripts that look like Latin ones. */
const lookAlikes = new Map(
  Object.entries({
    а: 'a', е: 'e', о: 'o', р: 'p', с: 'c', у: 'y', х: 'x', і: 'i', ј: 'j', ѕ: 's', ԁ: 'd', һ: 'h', ո: 'n', в: 'b', к: 'k',
    м: 'm', т: 't', н: 'h', ɡ: 'g', ο: 'o', α: 'a', ι: 'i', ν: 'v', ρ: 'p', υ: 'u', ε: 'e', τ: 't', κ: 'k', ı: 'i', ք: 'p',
  }),
) // prettier-ignore
/** A word of Latin letters and such of others. */
const mixedWord =
  /[a-z]{1,30}[\u0370-\u03ff\u0400-\u04ff\u0500-\u058f\u0261\u0131]|[\u0370-\u03ff\u0400-\u04ff\u0500-\u058f\u0261\u0131][a-z]/u
const digitLetters = new Map(
  Object.entries({ 0: 'o', 1: 'i', 3: 'e', 4: 'a', 5: 's', 7: 't', '@': 'a', $: 's', '!': 'i' }),
)

const base64Run = /[A-Za-z0-9+/]{28,4000}={0,2}/gu
const hexRun = /(?<![0-9a-f])(?:[0-9a-f]{2}[ :]?){24,2000}/giu
const escapedRun = /(?:(?:\\x|%|\\u00)[0-9a-f]{2}){12,2000}/giu
const entityRun = /(?:&#x?[0-9a-f]{2,6};){8,2000}/giu
/** Encoded pieces of one text that are looked into. */
const runsMax = 40
/** What a run begins with, found in a third of the time. */
const spacedLetters = /\b\w[ ._*-]{1,2}\w[ ._*-]{1,2}\w[ ._*-]{1,2}\w[ ._*-]{1,2}\w\b/u
const hexDigits =
  /[0-9a-f]{2}[ :]?[0-9a-f]{2}[ :]?[0-9a-f]{2}[ :]?[0-9a-f]{2}[ :]?[0-9a-f]{2}[ :]?[0-9a-f]{2}[ :]?[0-9a-f]{2}[ :]?[0-9a-f]{2}/iu
/** Words that matter, with digits in the place of letters. */
const digitWords = /[i1!]gn[o0]r[e3]|[i1!]n[s5$][t7]ruc|d[i1!][s5$]r[e3]g/u
const spacedRun = /(?<!\w)(?:\w[ ._*-]{1,2}){10,400}\w(?!\w)/gu

/** Most texts are ASCII, of which nothing has to be normalised: that takes as long as all the rest. */
const beyondAscii = /[^\0-\x7f]/u

/** A text as its words are looked for in: one width and case of letters, no marks that do not show, single spaces. */
export function plainText(text: string): string {
  const visible = beyondAscii.test(text)
    ? text.normalize('NFKC').replace(zeroWidth, '').replace(controlled, '').replace(/[’‘´]/gu, "'")
    : text
  return visible.toLowerCase().replace(/\s{2,}|[^\S ]/gu, ' ')
}

/** Whether there are characters that do not show and stand for something, or turn the order of others. */
export function isHidingText(text: string): boolean {
  return beyondAscii.test(text) && (hidden.test(text) || text.search(tags) !== -1)
}

function isWords(text: string): boolean {
  return /^[\x20-\x7e\s]{12,}$/u.test(text) && (text.match(/[a-z]{2,} [a-z]{2,}/giu)?.length ?? 0) >= 2
}

function decodedRuns(text: string, run: RegExp, decode: (found: string) => string): string[] {
  const decoded: string[] = []
  for (const [found] of text.matchAll(run)) {
    const inside = decode(found)
    if (isWords(inside)) decoded.push(inside)
    if (decoded.length === runsMax) break
  }
  return decoded
}

function fromHex(found: string): string {
  return Buffer.from(found.replace(/[^0-9a-f]|(?<=\\)u00|(?<=\\)x/giu, ''), 'hex').toString('latin1')
}

function fromTags(found: string): string {
  return Array.from(found, (character) => {
    const code = character.codePointAt(0) ?? 0
    return code >= tagsFrom && code <= tagsTo ? String.fromCharCode(code - 0xe0000) : ''
  }).join('')
}

function fromEntities(found: string): string {
  return found.replace(/&#(x?)([0-9a-f]{2,6});/giu, (_, hex: string, digits: string) => {
    const code = Number.parseInt(digits, hex === '' ? 10 : 16)
    return code < 0x11_00_00 ? String.fromCodePoint(code) : ''
  })
}

function rotated(text: string): string {
  return text.replace(/[a-z]/gu, (letter) => String.fromCharCode(((letter.charCodeAt(0) - 97 + 13) % 26) + 97))
}

/** What a text says in disguise, as plain text: encoded, in letters that look alike, spaced, turned round. */
export function disguisedTexts(text: string, plain: string): string[] {
  const isBeyondAscii = beyondAscii.test(text)
  return [
    ...decodedTexts(text).map(plainText),
    ...(isBeyondAscii ? [...text.matchAll(tags)].map(([run]) => plainText(fromTags(run))) : []),
    ...(isBeyondAscii && mixedWord.test(plain) ? [replaced(plain, lookAlikes)] : []),
    ...(digitWords.test(plain) ? [replaced(plain, digitLetters)] : []),
    ...(spacedLetters.test(plain) ? [unspaced(plain)] : []),
    ...(plain.includes('vafgehpgvbaf') || plain.includes('cebzcg') ? [rotated(plain)] : []),
    ...(plain.includes('snoitcurtsni') || plain.includes('tpmorp') ? [Array.from(plain).toReversed().join('')] : []),
  ]
}

function decodedTexts(text: string): string[] {
  return [
    ...decodedRuns(text, base64Run, (run) => Buffer.from(run, 'base64').toString('latin1')),
    ...(hexDigits.test(text) ? decodedRuns(text, hexRun, fromHex) : []),
    ...(/[%x0][0-9a-f]{2}[%\\]/iu.test(text) ? decodedRuns(text, escapedRun, fromHex) : []),
    ...(text.includes('&#') ? decodedRuns(text, entityRun, fromEntities) : []),
  ]
}

function replaced(text: string, letters: ReadonlyMap<string, string>): string {
  return Array.from(text, (letter) => letters.get(letter) ?? letter).join('')
}

function unspaced(plain: string): string {
  return withSpaces([...plain.matchAll(spacedRun)].map(([run]) => run.replace(/[ ._*-]/gu, '')).join(' '))
}

/** Of letters that were written apart the spaces between words are lost: those of the words that matter are put back. */
function withSpaces(text: string): string {
  return text
    .replace(
      /ignore|disregard|forget|override|all|previous|prior|above|earlier|your|the|instructions?|prompts?|rules|system/gu,
      (word) => ` ${word} `,
    )
    .replace(/ +/gu, ' ')
}
