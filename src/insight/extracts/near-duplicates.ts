import type { Candidate } from './candidates.ts'
import type { TermCounts } from './lexrank.ts'
import { isDecided } from './style-weights.ts'

/** Sentences that share more than this of their words, whatever their numbers, say the same of one thing after the other. */
const sameWording = 0.8
const number = /\p{N}/u

export interface Distinct {
  /** Sentences that say each something else: of those that say nearly the same the last, in the place of the best of them. */
  readonly distinct: readonly Candidate[]
  /** The others, best first. */
  readonly alike: readonly Candidate[]
  /** Whether each of the sentences says nearly the same as another. */
  readonly isOnlyAlike: boolean
}

interface Group {
  readonly words: number
  readonly first: Candidate
  last: Candidate
  count: number
}

/**
 * Parts sentences, best first, into those that say something else than the ones before, and others that say nearly the same
 * ("Please run step 3 …", "Please run step 4 …"). All words count alike: by their rareness, that of the numbers would make them different.
 */
export function distinctOf(sentences: readonly Candidate[]): Distinct {
  const groups: Group[] = []
  const holders = new Map<string, Group[]>()
  const lasts = new Set<Candidate>()
  for (const sentence of sentences) {
    const words = wordsOf(sentence.terms)
    const found = groupOf(sentence, words, holders)
    if (found === undefined) {
      const group = { words: words.length, first: sentence, last: sentence, count: 1 }
      groups.push(group)
      for (const word of words) {
        const held = holders.get(word)
        if (held === undefined) holders.set(word, [group])
        else held.push(group)
      }
    } else {
      found.count++
      if (sentence.order > found.last.order) found.last = sentence
    }
  }
  for (const { last } of groups) lasts.add(last)
  return {
    distinct: [...lasts],
    alike: sentences.filter((sentence) => !lasts.has(sentence)),
    isOnlyAlike: groups.every(({ count }) => count > 1),
  }
}

/** What says nearly the same as a sentence: a question is no answer, and a decision is more than what is said of it. */
function groupOf(
  { cues }: Candidate,
  words: readonly string[],
  holders: ReadonlyMap<string, readonly Group[]>,
): Group | undefined {
  const shared = new Map<Group, number>()
  for (const word of words) for (const group of holders.get(word) ?? []) shared.set(group, (shared.get(group) ?? 0) + 1)
  for (const [group, count] of shared) {
    const other = group.first.cues
    const isAlike = count > sameWording * Math.sqrt(words.length * group.words)
    if (isAlike && cues.question === other.question && isDecided(cues) === isDecided(other)) return group
  }
  return undefined
}

/** The words of a sentence without its numbers; with them where it has hardly any others. */
function wordsOf(terms: TermCounts): readonly string[] {
  const all = [...terms.keys()]
  const words = all.filter((term) => !number.test(term))
  return words.length > 1 ? words : all
}
