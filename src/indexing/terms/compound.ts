import { detached } from './fold.ts'
import { joinedWord } from './joined.ts'

/** A piece of a compound, as offsets in the original text. `word` pieces follow each other; the other kinds overlap them. */
export interface Piece {
  readonly kind: 'word' | 'identifier' | 'joined' | 'part'
  readonly start: number
  readonly end: number
}

interface Span {
  readonly start: number
  readonly end: number
}

type Visit = (piece: Piece) => void

const backslash = 0x5c

/** A longer compound is encoded data, not a name that somebody will ask for whole. */
const identifierCharactersMax = 200
const partedCharactersMax = 64
/** More changes of case or kind than this is a digest or a random id: its pieces would only flood the index. */
const partsMax = 6

/** From the weakest tie to the strongest: `src/store/db.ts` gives itself, `db.ts`, and its four words. */
const separators = [/[/\\:@?&=#+~%,]+/g, /[.-]+/g, /_+/g] as const

/** A mark belongs to the letter or digit before it. */
const hump =
  /\p{Lu}[\p{Lu}\p{M}]*(?![\p{Ll}\p{M}])|\p{Lu}?\p{M}*\p{Ll}[\p{Ll}\p{M}]*|\p{N}[\p{N}\p{M}]*|[^\p{Lu}\p{Ll}\p{N}]+/gu
/** What most words are, told without collecting matches. */
const onePart = /^(?:[A-Z]?[a-z]+|[A-Z]+|[0-9]+)$/
const apostrophes = /['’＇]/u
/** Negations and short verbs: the word before them is not the one that was said. */
const contraction = /^(?:n?t|re|ve|ll|m|d)$/iu
const elision = /^(?:[ldjmtsnc]|qu|jusqu|lorsqu|puisqu|quoiqu|dell|nell|all|sull|un)$/iu
const programmingLanguage = /^[A-Za-z](?:\+\+|#)$/
/** Hexadecimal digits, figures and letters, as names of commits, images and files' contents are written. */
const digest = /^(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{8,}$/i
/** What programs show of a digest at least. Longer abbreviations share these digits with the whole. */
const abbreviatedDigits = 7

/** Longer compounds are paths and encoded data, which hardly come again. */
const rememberedCharactersMax = 32
/** Distinct compounds that are remembered; it starts again when full, which keeps its cost constant. */
const rememberedMax = 20_000
/** A memory of pure results, as that of stems: the pieces of a compound, as offsets into it. Code and paths name the same again and again. */
const remembered = new Map<string, readonly Piece[]>()

/** Takes a run of letters, digits and connectors apart: the whole, its sub-compounds, its words, and the parts of those. */
export function visitCompound(text: string, span: Span, visit: Visit): void {
  if (span.end - span.start > rememberedCharactersMax) {
    takeApart(text, span, visit)
    return
  }
  // What is before it counts where it is a backslash: the first letter may belong to an escape.
  const from = text.charCodeAt(span.start - 1) === backslash ? span.start - 1 : span.start
  const written = text.slice(from, span.end)
  let pieces = remembered.get(written)
  if (pieces === undefined) {
    const found: Piece[] = []
    takeApart(text, span, ({ kind, start, end }) =>
      found.push({ kind, start: start - span.start, end: end - span.start }),
    )
    if (remembered.size >= rememberedMax) remembered.clear()
    remembered.set(detached(written), found)
    pieces = found
  }
  for (const { kind, start, end } of pieces) visit({ kind, start: span.start + start, end: span.start + end })
}

function takeApart(text: string, span: Span, visit: Visit): void {
  visitAfterEscape(text, span, visit)
  const size = span.end - span.start
  if (size <= 3 && programmingLanguage.test(text.slice(span.start, span.end))) {
    visit({ kind: 'identifier', start: span.start, end: span.end })
    visit({ kind: 'word', start: span.start, end: span.start + 1 })
    return
  }
  if (/^[A-Za-z0-9]+$/.test(text.slice(span.start, span.end))) visitWord(text, span, visit)
  else splitAt(text, span, { level: 0, visit })
}

/** Whether a letter may be that of an escape: in source text and JSON `\n` is a line break. */
export function followsEscape(text: string, at: number): boolean {
  return text.charCodeAt(at - 1) === backslash && /[nrtbfv]/.test(text.charAt(at))
}

/** The word after an escape begins behind its letter: `\nsecond` is found as `second` too. */
function visitAfterEscape(text: string, span: Span, visit: Visit): void {
  if (span.end - span.start < 2 || !followsEscape(text, span.start)) return
  visit({ kind: 'part', start: span.start + 1, end: span.end })
}

function splitAt(text: string, span: Span, at: { readonly level: number; readonly visit: Visit }): void {
  const separator = separators[at.level]
  if (separator === undefined) {
    if (at.level > 0) visitAfterEscape(text, span, at.visit)
    visitApostrophes(text, span, at.visit)
    return
  }
  const slice = text.slice(span.start, span.end)
  const spans: Span[] = []
  let from = 0
  const first = slice.search(separator)
  for (const match of first === -1 ? [] : slice.matchAll(separator)) {
    if (match.index > from) spans.push({ start: span.start + from, end: span.start + match.index })
    from = match.index + match[0].length
  }
  if (from < slice.length) spans.push({ start: span.start + from, end: span.end })
  if (spans.length > 1 && slice.length <= identifierCharactersMax) {
    at.visit({ kind: 'identifier', start: span.start, end: span.end })
    if (joinedWord(slice) !== undefined) at.visit({ kind: 'joined', start: span.start, end: span.end })
  }
  for (const part of spans) splitAt(text, part, { level: at.level + 1, visit: at.visit })
}

function visitApostrophes(text: string, span: Span, visit: Visit): void {
  const [head, tail, ...more] = text.slice(span.start, span.end).split(apostrophes)
  if (head === undefined || tail === undefined) {
    visitWord(text, span, visit)
    return
  }
  const headSpan = { start: span.start, end: span.start + head.length }
  const tailSpan = { start: headSpan.end + 1, end: span.end }
  if (more.length > 0) visitBetweenApostrophes(text, span, visit)
  else if (/^s$/iu.test(tail)) visitWord(text, headSpan, visit)
  else if (contraction.test(tail)) visit({ kind: 'word', start: span.start, end: span.end })
  else if (elision.test(head)) visitWord(text, tailSpan, visit)
  else {
    visit({ kind: 'identifier', start: span.start, end: span.end })
    visitWord(text, headSpan, visit)
    visitWord(text, tailSpan, visit)
  }
}

function visitBetweenApostrophes(text: string, span: Span, visit: Visit): void {
  let start = span.start
  for (const piece of text.slice(span.start, span.end).split(apostrophes)) {
    if (piece !== '') visitWord(text, { start, end: start + piece.length }, visit)
    start += piece.length + 1
  }
}

function visitWord(text: string, span: Span, visit: Visit): void {
  visit({ kind: 'word', start: span.start, end: span.end })
  const size = span.end - span.start
  if (size < 3 || size > partedCharactersMax) return
  const word = text.slice(span.start, span.end)
  if (onePart.test(word)) return
  if (digest.test(word)) visit({ kind: 'part', start: span.start, end: span.start + abbreviatedDigits })
  const parts = [...word.matchAll(hump)]
  if (parts.length < 2 || parts.length > partsMax) return
  for (const part of parts) {
    // Joiners and marks alone are no part.
    if (part[0].length < 2 || !/[\p{L}\p{N}]/u.test(part[0])) continue
    const start = span.start + part.index
    visit({ kind: 'part', start, end: start + part[0].length })
  }
}
