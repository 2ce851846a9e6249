import { wordsOf } from '../indexing/terms/tokenize.ts'

/** Words of one shingle. */
const shingleWords = 3
/** Shorter texts repeat each other where they are the same: "Thanks, see you!" and "Thanks, see you soon!" are two messages. */
const nearWordsMin = 12
/** Longer texts are compared as they stand: to take them apart costs more than a second look at one costs the reader. */
const nearCharactersMax = 5_000
/** Shared of all shingles (Jaccard) from which on two texts tell the same. */
const nearShare = 0.9
/** Of the first so many texts: those further down are on no page that anybody reads beside the first. */
const comparedMax = 100

/**
 * The texts of the results so far. One that only differs in case, spaces and punctuation, or in few words of many, repeats
 * another (Broder 1997, shingles of three words).
 */
export class SeenTexts {
  readonly #exact = new Set<string>()
  readonly #shingles: ReadonlySet<string>[] = []

  /** Whether a text repeats one of those before it; else it is one of them from now on. */
  isRepeat(text: string): boolean {
    if (this.#exact.has(text)) return true
    this.#exact.add(text)
    if (text.length > nearCharactersMax) return false
    const words = wordsOf(text)
    if (words.length < nearWordsMin) return false
    const shingles = shinglesOf(words)
    if (this.#shingles.some((seen) => shareOf(seen, shingles) >= nearShare)) return true
    if (this.#shingles.length < comparedMax) this.#shingles.push(shingles)
    return false
  }
}

function shinglesOf(words: readonly string[]): ReadonlySet<string> {
  return new Set(
    Array.from({ length: words.length - shingleWords + 1 }, (_, at) => words.slice(at, at + shingleWords).join(' ')),
  )
}

function shareOf(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const [small, large] = a.size < b.size ? [a, b] : [b, a]
  if (small.size < large.size * nearShare) return 0
  let shared = 0
  for (const shingle of small) if (large.has(shingle)) shared += 1
  return shared / (small.size + large.size - shared)
}
