import { clustersOf, type Run, scanRuns } from '../scan.ts'
import { followsEscape, visitCompound } from './compound.ts'
import { fold } from './fold.ts'
import { joinedWord } from './joined.ts'
import { detectLanguage } from './language.ts'
import { stemLanguageOf, wordForms } from './stems.ts'

/**
 * - `word`: a word as written, folded; a pictograph too
 * - `stem`: the stem of a `word` or `part` where it differs from it
 * - `identifier`: words with what glues them: a path, an address, a hyphenated or qualified name
 * - `joined`: the words of an identifier written as one, where some write it so: `email` of `e-mail`
 * - `part`: a piece of one word: the humps of `getUserName`, the letters and the digits of `TS2589`, the digits that a hash is
 *   abbreviated to
 * - `gram`: two neighbouring characters of a script written without spaces, or the only one of its run
 * - `character`: one Han or Hangul character inside a longer run, so that a query of one character finds it; it adds half
 *   again to the terms of such a text, which its distinct characters keep small
 */
export type TokenKind = 'word' | 'stem' | 'identifier' | 'joined' | 'part' | 'gram' | 'character'

/** `start` and `end` are UTF-16 offsets into the text that was tokenized; the slice is never empty. */
export interface Token {
  readonly term: string
  readonly start: number
  readonly end: number
  readonly kind: TokenKind
}

export interface TokenizeOptions {
  /** The text's language (ISO 639-1), null for none. Detected when absent: pass it where it is known, a message's parts share one. */
  readonly language?: string | null
  /** False leaves stems out: for a query, which adds the stems of several languages itself. Default true. */
  readonly stems?: boolean
}

/** Of a longer word (encoded data) these units are the term; the same cut on both sides lets it match itself. */
export const termCharactersMax = 256
/** Units of a Thai run that are segmented at once: the cost of `Intl.Segmenter` grows with the square of its input. */
const thaiWindow = 300

interface Sink {
  readonly text: string
  readonly tokens: Token[]
  readonly language: string | null
  readonly stems: boolean
}

/**
 * The terms of a text, in order of their start; terms of one word (its stem, its parts) follow it. Every term is folded
 * (NFKC, case, Latin accents), so equal terms are equal words. Stop words are kept. Linear in the length of the text.
 */
export function tokenize(text: string, options: TokenizeOptions = {}): Token[] {
  const language = options.language === undefined ? detectLanguage(text) : options.language
  const sink: Sink = { text, tokens: [], language, stems: options.stems ?? true }
  scanRuns(text, (run) => addRun(sink, run))
  return sink.tokens
}

/** The terms of one run of a text in a language, with stems: `tokenize` gives those of all runs. */
export function tokensOfRun(text: string, run: Run, language: string | null): Token[] {
  const sink: Sink = { text, tokens: [], language, stems: true }
  addRun(sink, run)
  return sink.tokens
}

function addRun(sink: Sink, run: Run): void {
  if (run.kind === 'chunk') addChunk(sink, run)
  else if (run.kind === 'symbol')
    add(sink, { term: sink.text.slice(run.start, run.end), start: run.start, end: run.end, kind: 'word' })
  else {
    if (run.kind === 'thai') addThaiWords(sink, run)
    addGrams(sink, run)
  }
}

/** One word of a text as written, or one character of a script without spaces: the unit in which phrases are compared. */
export interface Atom {
  readonly term: string
  /** The word without its first letter, where that may belong to an escape: `second` of `\nsecond`. */
  readonly afterEscape?: string
  /** One letter behind a backslash: the `n` of `\n`, or the name of a folder in `C:\b\file`. */
  readonly mayBeEscape?: true
  readonly start: number
  readonly end: number
}

/** The text as a sequence of folded words and characters, without anything added. */
export function atomsOf(text: string): Atom[] {
  const atoms: Atom[] = []
  const folded = (start: number, end: number) => fold(text.slice(start, Math.min(end, start + termCharactersMax)))
  const push = (start: number, end: number): void => {
    const term = folded(start, end)
    // Vowel points that stand alone, and what only stretches a line, are no word.
    if (term === '') return
    if (!followsEscape(text, start)) atoms.push({ term, start, end })
    else if (end - start === 1) atoms.push({ term, mayBeEscape: true, start, end })
    else atoms.push({ term, afterEscape: folded(start + 1, end), start, end })
  }
  scanRuns(text, (run) => {
    if (run.kind === 'chunk' && isPlainWord(text, run)) push(run.start, run.end)
    else if (run.kind === 'chunk') {
      visitCompound(text, run, (piece) => {
        if (piece.kind === 'word') push(piece.start, piece.end)
      })
    } else if (run.kind === 'symbol') push(run.start, run.end)
    else for (const { start, end } of clustersOf(text, run)) push(start, end)
  })
  return atoms
}

/** The terms of those atoms that are plainly words: without what may be an escape alone. */
export function wordsOf(text: string): string[] {
  return atomsOf(text).flatMap(({ term, mayBeEscape }) => (mayBeEscape === true ? [] : [term]))
}

function add(sink: Sink, token: Token): void {
  if (token.term !== '') sink.tokens.push({ term: token.term, start: token.start, end: token.end, kind: token.kind })
}

/** Words without a second capital, a digit or a connector have no parts: the usual case, kept cheap. */
function isPlainWord(text: string, run: Run): boolean {
  if (run.end - run.start > termCharactersMax) return false
  for (let at = run.start; at < run.end; at++) {
    const code = text.charCodeAt(at)
    const isLower = code >= 97 && code <= 122
    const isFirstCapital = at === run.start && code >= 65 && code <= 90
    if (!isLower && !isFirstCapital) return false
  }
  return true
}

function addChunk(sink: Sink, run: Run): void {
  if (isPlainWord(sink.text, run)) {
    addWord(sink, { term: sink.text.slice(run.start, run.end), start: run.start, end: run.end, kind: 'word' })
    return
  }
  visitCompound(sink.text, run, (piece) => {
    const term = sink.text.slice(piece.start, Math.min(piece.end, piece.start + termCharactersMax))
    if (piece.kind === 'identifier') add(sink, { ...piece, term: fold(term) })
    else addWord(sink, { ...piece, term: piece.kind === 'joined' ? (joinedWord(term) ?? term) : term })
  })
}

/** `token.term` is the word as written. */
function addWord(sink: Sink, token: Token): void {
  const { surface, stem } = wordForms(token.term, stemLanguageOf(token.term, sink.language))
  if (surface === '') return
  sink.tokens.push({ term: surface, start: token.start, end: token.end, kind: token.kind })
  if (sink.stems && stem !== surface) sink.tokens.push({ term: stem, start: token.start, end: token.end, kind: 'stem' })
}

const wholeWordCharacter = /[\p{sc=Han}\p{sc=Hangul}]/u

function addGrams(sink: Sink, run: Run): void {
  const clusters = clustersOf(sink.text, run)
  let previous: { readonly term: string; readonly start: number } | undefined
  for (const { start, end } of clusters) {
    const term = fold(sink.text.slice(start, Math.min(end, start + termCharactersMax)))
    if (previous !== undefined) add(sink, { term: previous.term + term, start: previous.start, end, kind: 'gram' })
    else if (clusters.length === 1) add(sink, { term, start, end, kind: 'gram' })
    if (clusters.length > 1 && wholeWordCharacter.test(term)) add(sink, { term, start, end, kind: 'character' })
    previous = { term, start }
  }
}

/**
 * Thai is written without spaces and a dictionary finds its words, but not always the same ones in another context; so words
 * are added for their weight and pairs of characters, which do not depend on context, make sure that a word is found.
 */
function addThaiWords(sink: Sink, run: Run): void {
  const segmenter = new Intl.Segmenter('th', { granularity: 'word' })
  for (let from = run.start; from < run.end; from += thaiWindow) {
    for (const segment of segmenter.segment(sink.text.slice(from, Math.min(run.end, from + thaiWindow)))) {
      if (segment.isWordLike !== true || segment.segment.length < 2) continue
      const start = from + segment.index
      add(sink, { term: fold(segment.segment), start, end: start + segment.segment.length, kind: 'word' })
    }
  }
}
