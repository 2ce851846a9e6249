import { lower, withoutAccents } from '../../indexing/terms/fold.ts'
import { plausibleLanguages } from '../../indexing/terms/language.ts'
import { stemLanguageOf, wordForms } from '../../indexing/terms/stems.ts'
import { isStopWord } from '../../indexing/terms/stop-words.ts'
import { type Token, tokenize, wordsOf } from '../../indexing/terms/tokenize.ts'
import { limits } from '../../limits.ts'
import { findAsking, withoutSpans } from './asking-phrases.ts'

/**
 * One term to look up. Terms of one `group` are forms of one word of the query (as written, stems in several languages): a
 * unit should count the best of them and not their sum. On the LoCoMo development half that ranked 62.1 (R@10) against 57.4
 * for written forms only, and a written form still outranks a stem.
 */
export interface QueryTerm {
  readonly term: string
  /** Factor for the term's score, above 0 and at most 1. */
  readonly weight: number
  readonly group: number
  /** A function word: it may add to a score but should not choose candidates. Never true of all terms of a query. */
  readonly lowValue: boolean
  /** It may be the name of somebody who writes: written with a capital, in a query that has any. */
  readonly mayBeName: boolean
  /** Written with a capital inside a sentence, as names of people, places and products are. */
  readonly isProperName: boolean
  readonly source: TermSource
}

/**
 * Where a term comes from:
 * - `asked`: what the query is about
 * - `asking`: what is only about the asking ("can you list"); never all telling terms of a query
 * - `added`: a model added it to the query
 */
export type TermSource = 'asked' | 'asking' | 'added'

/** What comes first where there is no room for all. */
export const sourceOrder: { readonly [source in TermSource]: number } = { asked: 0, asking: 1, added: 2 }

export interface ParsedQuery {
  /** At most `limits.queryTermsMax`, in the order of the query. Empty for a query without a letter, a digit or a pictograph. */
  readonly terms: readonly QueryTerm[]
  /** What stood in quotes and must stand in the text, as the words that `phraseMatches` compares. */
  readonly phrases: readonly (readonly string[])[]
  /** What stood in quotes inside a sentence, where quotes mark a title or somebody's words: it is preferred, not required. */
  readonly titles: readonly (readonly string[])[]
  /** The query as given. */
  readonly text: string
  /** The query without what is only about the asking, where anything is left that tells something: for the embedder. */
  readonly topic: string
}

const weights = {
  asWritten: 1,
  otherSpelling: 0.8,
  doubtfulSpelling: 0.5,
  stem: 0.8,
  doubtfulStem: 0.5,
  part: 0.4,
  thaiGram: 0.3,
  stopWord: 0.2,
} as const
const phrasesMax = 10
const sentenceFunctionWords = 3

/** Each pair excludes its own opening mark inside, so that a row of opening marks is scanned once and not once for each. */
const quoted = /"([^"]*)"|“([^“”"]*)[”"]|„([^„“”"]*)[“”"]|«([^«»]*)»|「([^「」]*)」|『([^『』]*)』|＂([^＂]*)＂/gu

/** Text of which no part would be read as a phrase. */
export function withoutQuotes(text: string): string {
  return text.replaceAll(/["“”„«»「」『』＂]/g, ' ')
}

/**
 * Reads a query as words and quoted phrases. There are no operators: `& | ! :*` and a quote without its partner are text.
 * Words in quotes are terms too. Never throws; the caller checks `limits.queryCharactersMax`.
 */
export function parseQuery(query: string): ParsedQuery {
  const languages = plausibleLanguages(query)
  const terms = new Map<string, QueryTerm>()
  const hasCapitals = /\p{Lu}/u.test(query)
  // German writes every noun with a capital.
  const tellsNames = languages[0] !== 'de' && /(?<!\p{L})\p{Ll}/u.test(query)
  // What stands in quotes is somebody's words.
  const asking = findAsking(query.replaceAll(quoted, (text) => '"'.repeat(text.length)))
  let phrase = 0
  let group = 0
  for (const token of tokenize(query, { language: null, stems: false })) {
    if (token.kind === 'character') continue
    // Another form of the identifier before it.
    if (token.kind === 'joined') group--
    while ((asking[phrase]?.end ?? Infinity) <= token.start) phrase++
    const { start = Infinity, end = 0 } = asking[phrase] ?? {}
    const source = start <= token.start && token.end <= end ? 'asking' : 'asked'
    for (const term of formsOf(token, { query, languages, group, hasCapitals, tellsNames, source })) {
      const known = terms.get(term.term)
      if (known === undefined || isMoreTelling(term, known))
        terms.set(term.term, known === undefined ? term : { ...term, group: known.group })
    }
    group++
  }
  const phrases = phrasesOf(query)
  const [required, preferred] = isSentence(query, languages) ? [[], phrases] : [phrases, []]
  const selected = selectTerms([...terms.values()])
  const topic = selected.some(({ source }) => source === 'asking') ? withoutSpans(query, asking) : query
  return { terms: selected, phrases: required, titles: preferred, text: query, topic }
}

function isMoreTelling(term: QueryTerm, known: QueryTerm): boolean {
  if (known.source !== term.source) return known.source === 'asking'
  return term.weight === known.weight ? term.isProperName && !known.isProperName : term.weight > known.weight
}

/** A question, or as many function words outside the quotes as nobody types who looks words up. */
function isSentence(query: string, languages: readonly string[]): boolean {
  const outside = query.replaceAll(quoted, ' ')
  if (outside.trim() === '') return false
  const words = tokenize(outside, { language: null, stems: false })
  const functionWords = words.filter(({ kind, term }) => kind === 'word' && isStopWord(term, languages.slice(0, 1)))
  return functionWords.length >= sentenceFunctionWords || (/[?？]\s*$/u.test(outside) && words.length > 0)
}

function formsOf(
  token: Token,
  context: {
    readonly query: string
    readonly languages: readonly string[]
    readonly group: number
    readonly hasCapitals: boolean
    /** Capitals mark names: they are no habit of the writer or of the language. */
    readonly tellsNames: boolean
    readonly source: TermSource
  },
): QueryTerm[] {
  const { query, languages, group, hasCapitals, tellsNames, source } = context
  // Stemmers read accents, which the folded term has lost.
  const written = token.kind === 'joined' ? token.term : query.slice(token.start, token.end)
  const mayBeName = token.kind === 'word' && couldBeName(written, hasCapitals)
  const lowValue = token.kind !== 'identifier' && isStopWord(token.term, languages.slice(0, 1))
  const factor = (lowValue ? weights.stopWord : 1) * weightOfKind(token)
  const isProperName =
    token.kind === 'word' && tellsNames && /^\p{Lu}/u.test(written) && !startsSentence(query, token.start)
  const word = { group, lowValue, mayBeName, isProperName, source }
  const forms: QueryTerm[] = [{ ...word, term: token.term, weight: factor * weights.asWritten }]
  if (lowValue || token.kind === 'identifier' || token.kind === 'gram') return forms
  const seen = new Set([token.term])
  const spelling = otherSpelling(written, token.term, languages)
  if (!seen.has(spelling.term)) {
    seen.add(spelling.term)
    forms.push({ ...word, term: spelling.term, weight: factor * spelling.weight })
  }
  for (const language of languages) {
    const { stem } = wordForms(written, stemLanguageOf(written, language))
    if (seen.has(stem)) continue
    seen.add(stem)
    const certainty = languages[0] === language ? weights.stem : weights.doubtfulStem
    forms.push({ ...word, term: stem, weight: factor * certainty })
  }
  return forms
}

const umlauts: Readonly<Record<string, string>> = { ä: 'ae', ö: 'oe', ü: 'ue' }
const umlaut = /[äöü]/gu
/** Joe is not Jo. */
const spelledCharactersMin = 5

/**
 * Umlauts are also written with an e after the letter, where a keyboard or an address has none: `Müller` and `Mueller`. The index
 * has both without their marks, as `muller` and `mueller`. Names are written so in every language, often without their capital.
 */
function otherSpelling(
  written: string,
  term: string,
  languages: readonly string[],
): { readonly term: string; readonly weight: number } {
  const lowered = lower(written)
  if (lowered.search(umlaut) !== -1)
    return {
      term: withoutAccents(lowered.replaceAll(umlaut, (letter) => umlauts[letter] ?? letter)),
      weight: weights.otherSpelling,
    }
  if (written.length < spelledCharactersMin) return { term, weight: weights.otherSpelling }
  const isLikely = languages.includes('de') || /^\p{Lu}/u.test(written)
  return {
    term: term.replaceAll(/([ao])e|(?<!q)(u)e/g, '$1$2'),
    weight: isLikely ? weights.otherSpelling : weights.doubtfulSpelling,
  }
}

/** Words that senders are called by everywhere, and that queries use as ordinary words. */
const roleWords = new Set(['user', 'assistant', 'system', 'developer', 'tool', 'human', 'agent', 'bot', 'ai', 'model'])

/** With a capital, or in a query of someone who writes no capitals at all. */
function couldBeName(written: string, hasCapitals: boolean): boolean {
  if (roleWords.has(written.toLowerCase())) return false
  return /^\p{Lu}/u.test(written) || !hasCapitals
}

const sentenceStart = /(?:^|[.!?:。！？]\s+|["'“„‘«(¿¡•*\n]|(?:^|\s)[-–]\s+)\s*$/u
const boundaryCharactersMax = 8

/** The first word of a sentence has its capital from there. */
function startsSentence(query: string, at: number): boolean {
  const before = query.slice(Math.max(0, at - boundaryCharactersMax), at)
  return at <= boundaryCharactersMax ? sentenceStart.test(before) : sentenceStart.test(`x${before}`)
}

function weightOfKind(token: Token): number {
  if (token.kind === 'part') return weights.part
  if (token.kind === 'joined') return weights.otherSpelling
  return token.kind === 'gram' && /[\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u.test(token.term)
    ? weights.thaiGram
    : 1
}

/** Keeps the most telling terms of a long query, and the words of a query that has nothing but function words or asking. */
function selectTerms(terms: readonly QueryTerm[]): readonly QueryTerm[] {
  if (terms.every(({ lowValue }) => lowValue))
    return terms
      .slice(0, limits.queryTermsMax)
      .map((term) => ({ ...term, weight: 1, lowValue: false, source: 'asked' }))
  if (terms.every(({ lowValue, source }) => lowValue || source === 'asking'))
    return selectTerms(terms.map((term) => ({ ...term, source: 'asked' })))
  if (terms.length <= limits.queryTermsMax) return terms
  const byTelling = terms.toSorted((a, b) => sourceOrder[a.source] - sourceOrder[b.source] || b.weight - a.weight)
  const kept = new Set(byTelling.slice(0, limits.queryTermsMax))
  return terms.filter((term) => kept.has(term))
}

function phrasesOf(query: string): (readonly string[])[] {
  const phrases: (readonly string[])[] = []
  for (const match of query.matchAll(quoted)) {
    const words = wordsOf(match.slice(1).join(''))
    if (words.length > 0 && phrases.length < phrasesMax) phrases.push(words.slice(0, limits.queryTermsMax))
  }
  return phrases
}
