import { createRequire } from 'node:module'

import { detached, lower, withoutAccents } from './fold.ts'

/** The languages that have a Snowball or Porter stemmer here, as ISO 639-1 codes. */
export const stemmedLanguages = [
  'en',
  'de',
  'fr',
  'es',
  'it',
  'pt',
  'nl',
  'sv',
  'da',
  'no',
  'fi',
  'hu',
  'ro',
  'tr',
  'ru',
  'uk',
  'ar',
] as const
export type StemmedLanguage = (typeof stemmedLanguages)[number]

/** The search form of one word: as written, and its stem. Both are folded; they are equal where the stemmer changes nothing. */
export interface WordForms {
  readonly surface: string
  readonly stem: string
}

/** Distinct words that one language's cache holds at most; it starts again when full, which keeps its cost constant. */
const cachedWordsMax = 50_000
/** Longer words are hashes, encoded data or mistakes: stemmers cost more than linear time on them and find nothing. */
const stemmedCharactersMax = 40

/** `require` and not `import`: a stemmer loads in 2 ms when its language first appears, and all of them would cost 40 ms at start. */
const require = createRequire(import.meta.url)
const loaders: Readonly<Record<StemmedLanguage, () => unknown>> = {
  en: () => require('@orama/stemmers/english'),
  de: () => require('@orama/stemmers/german'),
  fr: () => require('@orama/stemmers/french'),
  es: () => require('@orama/stemmers/spanish'),
  it: () => require('@orama/stemmers/italian'),
  pt: () => require('@orama/stemmers/portuguese'),
  nl: () => require('@orama/stemmers/dutch'),
  sv: () => require('@orama/stemmers/swedish'),
  da: () => require('@orama/stemmers/danish'),
  no: () => require('@orama/stemmers/norwegian'),
  fi: () => require('@orama/stemmers/finnish'),
  hu: () => require('@orama/stemmers/hungarian'),
  ro: () => require('@orama/stemmers/romanian'),
  tr: () => require('@orama/stemmers/turkish'),
  ru: () => require('@orama/stemmers/russian'),
  uk: () => require('@orama/stemmers/ukrainian'),
  ar: () => require('@orama/stemmers/arabic'),
}

type Stem = (word: string) => string

function isStemmerModule(value: unknown): value is { readonly stemmer: Stem } {
  return typeof value === 'object' && value !== null && 'stemmer' in value && typeof value.stemmer === 'function'
}

function loadStemmer(language: StemmedLanguage): Stem {
  const loaded = loaders[language]()
  if (!isStemmerModule(loaded))
    throw new TypeError(`Cannot load the stemmer of "${language}" as its module has no function "stemmer"`)
  return language === 'en' ? (word) => englishStem(word, loaded.stemmer) : loaded.stemmer
}

/** Two groups "vowels, consonants" before the suffix: Porter's condition m > 1. */
const measureAboveOne = /^[^aeiouy]*[aeiouy]+[^aeiouy]+[aeiouy]+[^aeiouy]/

/**
 * The English stemmer of @orama/stemmers takes the `t` away with the suffix (`connection` becomes `connec`) or keeps the
 * suffix (`deletion`). Porter's step 4 removes `ion` after `s` or `t` only; `ation` is right there, so it is left alone.
 */
function englishStem(word: string, stemmer: Stem): string {
  const base = /^(.*[^a][st])ions?$/.exec(word)?.[1]
  return stemmer(base !== undefined && measureAboveOne.test(base) ? base : word)
}

interface LanguageCache {
  readonly stemmer: Stem
  readonly forms: Map<string, WordForms>
}

/** A memory of pure results, not state: clearing it at any moment changes no answer. */
const caches = new Map<StemmedLanguage, LanguageCache>()

function cacheOf(language: StemmedLanguage): LanguageCache {
  const known = caches.get(language)
  if (known !== undefined) return known
  const made = { stemmer: loadStemmer(language), forms: new Map<string, WordForms>() }
  caches.set(language, made)
  return made
}

const hasDigit = /\p{N}/u

/** The folded surface form and the folded stem of one word. A word with a digit, and one of under three letters, is its own stem. */
export function wordForms(word: string, language: StemmedLanguage): WordForms {
  if (word.length > stemmedCharactersMax || word.length < 3 || hasDigit.test(word)) {
    const surface = withoutAccents(lower(word))
    return { surface, stem: surface }
  }
  const cache = cacheOf(language)
  const known = cache.forms.get(word)
  if (known !== undefined) return known
  const lowered = lower(word)
  const surface = withoutAccents(lowered)
  const stem = withoutAccents(cache.stemmer(lowered))
  const forms = {
    surface: detached(surface),
    stem: stem.length < 2 || stem === surface ? detached(surface) : detached(stem),
  }
  if (cache.forms.size >= cachedWordsMax) cache.forms.clear()
  cache.forms.set(detached(word), forms)
  return forms
}

const cyrillic = /^\P{L}*\p{sc=Cyrillic}/u
const arabic = /^\P{L}*\p{sc=Arabic}/u
const latin = /^\P{L}*\p{sc=Latin}/u

/** The stemmer's language for one word of a message in `language`: a word of another script than the message's gets its own. */
export function stemLanguageOf(word: string, language: string | null): StemmedLanguage {
  const code = word.charCodeAt(0)
  if (code < 0x250 || latin.test(word)) return isLatinLanguage(language) ? language : 'en'
  if (cyrillic.test(word)) return language === 'uk' ? 'uk' : 'ru'
  return arabic.test(word) ? 'ar' : 'en'
}

function isLatinLanguage(language: string | null): language is StemmedLanguage {
  return (
    language !== 'ru' && language !== 'uk' && language !== 'ar' && stemmedLanguages.some((known) => known === language)
  )
}
