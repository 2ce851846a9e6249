import { limits } from '../limits.ts'

/** A stretch of a text, as UTF-16 offsets: [start, end). */
export interface Part {
  readonly start: number
  readonly end: number
}

export interface SplitOptions {
  /** Words in one part at most, as long as the text has a border to cut at. Default `limits.unitWordsMax`. */
  readonly wordsMax?: number
  /** Parts at most. A text that needs more gets longer parts. Default `limits.unitsPerMessageMax`. */
  readonly partsMax?: number
}

/** How good a place to cut is; the better one wins within the second half of a part. */
const borderRank = { punctuation: 0, word: 1, sentence: 2, line: 3, paragraph: 4 } as const
type BorderRank = (typeof borderRank)[keyof typeof borderRank]

interface Border {
  readonly at: number
  readonly words: number
  readonly rank: BorderRank
}

/** A run without spaces counts as more words from here on: minified code and encoded data are one "word" of any length. */
const longRunCharacters = 32
const longRunStep = 16

/**
 * Splits a text into parts that cover it without gap or overlap, cut at a paragraph where there is one, else at a line, a
 * sentence, a word. Offsets never fall inside a word; a word longer than a part stays whole. Empty text has no parts.
 * Linear in the length of the text.
 */
export function splitIntoParts(text: string, options: SplitOptions = {}): Part[] {
  const wordsMax = options.wordsMax ?? limits.unitWordsMax
  const partsMax = options.partsMax ?? limits.unitsPerMessageMax
  const total = visitBorders(text, () => {})
  // A part holds at least half of `target` words, which bounds their number.
  const target = Math.max(wordsMax, Math.ceil((2 * total) / partsMax))
  if (text === '') return []
  if (total <= target * 1.25) return [{ start: 0, end: text.length }]
  const cuts = cutsOf(text, target, total)
  return cuts.map((start, index) => ({ start, end: cuts[index + 1] ?? text.length }))
}

/** The starts of the parts, beginning with 0. A rest of less than a quarter of a part stays with the part before it. */
function cutsOf(text: string, target: number, total: number): number[] {
  const cuts = [0]
  let cutWords = 0
  let best: Border | undefined
  visitBorders(text, (border) => {
    const words = border.words - cutWords
    if (words > target && best !== undefined) {
      cuts.push(best.at)
      cutWords = best.words
      best = undefined
    }
    const since = border.words - cutWords
    if (since < target / 2 || total - border.words < target / 4) return
    if (since > target) {
      // One word alone was longer than the part: cut right after it.
      cuts.push(border.at)
      cutWords = border.words
    } else if (best === undefined || border.rank >= best.rank) best = border
  })
  if (best !== undefined && total - cutWords > target * 1.25) cuts.push(best.at)
  return cuts
}

/** Calls `visit` with every place where a part may start, in order, with the words before it. Returns the words of the text. */
function visitBorders(text: string, visit: (border: Border) => void): number {
  let words = 0
  let run = 0
  let gap: BorderRank = borderRank.punctuation
  let newlines = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (isSpace(code)) {
      if (run > 0) gap = isSentenceEnd(text.charCodeAt(at - 1)) ? borderRank.sentence : borderRank.word
      run = 0
      if (code === 10) newlines++
      continue
    }
    if (run === 0) {
      const rank = newlines > 1 ? borderRank.paragraph : newlines === 1 ? borderRank.line : gap
      if (at > 0 && words > 0) visit({ at, words, rank })
      newlines = 0
    } else if (isIdeograph(code)) {
      visit({ at, words, rank: isSentenceEnd(text.charCodeAt(at - 1)) ? borderRank.sentence : borderRank.word })
    } else if (run > longRunCharacters && isPunctuation(text.charCodeAt(at - 1))) {
      visit({ at, words, rank: borderRank.punctuation })
    }
    run++
    if (isIdeograph(code)) words += 0.5
    else if (run === 1 || (run > longRunCharacters && run % longRunStep === 0)) words++
  }
  return words
}

function isSpace(code: number): boolean {
  return (
    code === 32 ||
    (code >= 9 && code <= 13) ||
    code === 0xa0 ||
    code === 0x3000 ||
    (code >= 0x2000 && code <= 0x200b) ||
    code === 0x2028
  )
}

/** Han and kana, which need no space between words; not the marks and the length sign that belong to the letter before. */
function isIdeograph(code: number): boolean {
  if (code < 0x3041 || code > 0xfaff || code === 0x30fc) return false
  return (code <= 0x30fa && code !== 0x3099 && code !== 0x309a) || (code >= 0x3400 && code <= 0x9fff) || code >= 0xf900
}

/** . ! ? and their CJK, Arabic and Devanagari counterparts. */
function isSentenceEnd(code: number): boolean {
  return [0x2e, 0x21, 0x3f, 0x2026, 0x3002, 0xff01, 0xff1f, 0xff0e, 0x61f, 0x6d4, 0x964].includes(code)
}

/** Where code and data without spaces may be cut: , ; ( ) [ ] { } | & " > */
function isPunctuation(code: number): boolean {
  return [0x2c, 0x3b, 0x28, 0x29, 0x5b, 0x5d, 0x7b, 0x7d, 0x7c, 0x26, 0x22, 0x3e].includes(code)
}

/** A part is indexed with the beginning of the next one, so that a phrase is found where the border cuts it. */
const overlapCharacters = 120

/** Where the text ends that a part is indexed with: the last end of a word within the overlap. */
export function overlapEnd(text: string, end: number): number {
  if (end >= text.length) return end
  const beyond = text.slice(end, end + overlapCharacters)
  const lastSpace = beyond.search(/\s\S*$/u)
  return end + (end + beyond.length >= text.length ? beyond.length : Math.max(lastSpace, 0))
}
