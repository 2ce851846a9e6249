import { createRequire } from 'node:module'

import type * as Tinyld from 'tinyld/light'

import { languagesOfStopWord } from './stop-words.ts'

/** Characters at the start of a text that its language is read from. */
const sampleCharacters = 1_000
/** tinyld costs 0.4 ms a call whatever the length, as much as tokenizing 4 KB, so it is asked only when nothing cheaper decides. */
const tinyldCharacters = 300
const tinyldLettersMin = 24
const tinyldAccuracyMin = 0.4
/** Function words, each counted as one part of the languages that share it, that decide for a language by themselves. */
const evidenceMin = 1.5
const leadMin = 1.4

/** Its tables take 10 ms to unpack, and few texts need it. */
let tinyld: typeof Tinyld | undefined
const require = createRequire(import.meta.url)

function detector(): typeof Tinyld {
  const loaded: typeof Tinyld = tinyld ?? require('tinyld/light')
  tinyld = loaded
  return loaded
}

/** Letters that only some languages write; each sighting counts half of a function word. */
const tellingLetters: readonly (readonly [RegExp, readonly string[]])[] = [
  [/ß/gu, ['de']],
  [/[äö]/gu, ['de', 'sv', 'fi']],
  [/ü/gu, ['de', 'tr', 'hu']],
  [/[éèêç]/gu, ['fr']],
  [/[áíóú]/gu, ['es', 'pt', 'hu']],
  [/[ñ¿¡]/gu, ['es']],
  [/[ãõ]/gu, ['pt']],
  [/å/gu, ['sv', 'da', 'no']],
  [/[øæ]/gu, ['da', 'no']],
  [/[ğışİ]/gu, ['tr']],
  [/[őű]/gu, ['hu']],
  [/[ăâîțș]/gu, ['ro']],
  [/[àòù]/gu, ['it', 'fr']],
]

const scriptLanguages: readonly (readonly [RegExp, string])[] = [
  [/\p{sc=Hangul}/gu, 'ko'],
  [/[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}]/gu, 'zh'],
  [/\p{sc=Cyrillic}/gu, 'ru'],
  [/\p{sc=Arabic}/gu, 'ar'],
  [/\p{sc=Thai}/gu, 'th'],
  [/\p{sc=Greek}/gu, 'el'],
  [/\p{sc=Hebrew}/gu, 'he'],
  [/\p{sc=Devanagari}/gu, 'hi'],
]

/**
 * The main language of a text as an ISO 639-1 code, or null when nothing says which: code, names, a word or two. Script
 * first, then function words, then tinyld. A wrong answer costs a stem, never the word: the written form is always indexed.
 */
export function detectLanguage(text: string): string | null {
  const sample = text.slice(0, sampleCharacters)
  return languageOfScript(sample) ?? latinLanguage(sample)
}

/**
 * The languages whose stemmers are worth trying on a short text, best first; only one where it is clear. For a query,
 * which is often one or two words, and where a missing stem costs more than a useless one.
 */
export function plausibleLanguages(text: string): readonly string[] {
  const sample = text.slice(0, sampleCharacters)
  const script = languageOfScript(sample)
  if (script !== null) return script === 'ru' ? ['ru', 'uk'] : [script]
  const scores = latinScores(sample)
  const sure = clearWinner(scores)
  if (sure !== null) return [sure]
  const ranked = [...scores].toSorted((a, b) => b[1] - a[1]).map(([language]) => language)
  return [...new Set([...ranked.slice(0, 3), 'en', 'de', 'fr', 'es'])].slice(0, 6)
}

function count(text: string, expression: RegExp): number {
  return text.match(expression)?.length ?? 0
}

function languageOfScript(sample: string): string | null {
  if (!/[^\p{ASCII}\p{sc=Latin}]/u.test(sample)) return null
  const latin = count(sample, /\p{sc=Latin}/gu)
  let best: string | null = null
  // A CJK character carries about as much as two Latin letters, and foreign names and code are common inside other scripts.
  let bestCount = latin / 2
  for (const [expression, language] of scriptLanguages) {
    const found = count(sample, expression)
    if (found > bestCount) {
      best = language
      bestCount = found
    }
  }
  if (best === 'zh' && count(sample, /[\p{sc=Hiragana}\p{sc=Katakana}]/gu) > bestCount / 20) return 'ja'
  if (best === 'ru' && count(sample, /[іїєґІЇЄҐ]/gu) > count(sample, /[ыэёъЫЭЁЪ]/gu)) return 'uk'
  return best
}

function latinScores(sample: string): Map<string, number> {
  const scores = new Map<string, number>()
  const add = (languages: readonly string[], evidence: number): void => {
    for (const language of languages) scores.set(language, (scores.get(language) ?? 0) + evidence / languages.length)
  }
  const lowered = sample.toLowerCase().replaceAll('’', "'")
  for (const word of lowered.match(/[\p{L}']+/gu) ?? []) {
    const languages = languagesOfStopWord.get(word)
    if (languages !== undefined) add(languages, 1)
  }
  if (!/^\p{ASCII}*$/u.test(lowered)) {
    for (const [expression, languages] of tellingLetters) {
      const found = count(lowered, expression)
      if (found > 0) add(languages, Math.min(found, 4) / 2)
    }
  }
  return scores
}

function clearWinner(scores: ReadonlyMap<string, number>): string | null {
  let best: string | null = null
  let bestScore = 0
  let secondScore = 0
  for (const [language, score] of scores) {
    if (score > bestScore) {
      secondScore = bestScore
      best = language
      bestScore = score
    } else if (score > secondScore) secondScore = score
  }
  return bestScore >= evidenceMin && bestScore >= leadMin * secondScore ? best : null
}

function latinLanguage(sample: string): string | null {
  const winner = clearWinner(latinScores(sample))
  if (winner !== null) return winner
  const letters = count(sample, /\p{sc=Latin}/gu)
  // Code and logs are full of punctuation; what tinyld says about them is noise.
  if (letters < tinyldLettersMin || letters < sample.length * 0.7) return null
  const guess = detector().detectAll(sample.slice(0, tinyldCharacters))[0]
  return guess !== undefined && guess.accuracy >= tinyldAccuracyMin ? guess.lang : null
}
