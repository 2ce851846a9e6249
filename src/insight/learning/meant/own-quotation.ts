import type { Asserted, TextStretch } from './asserted.ts'
import { isDoubtful, isReported, isSupposed, withoutQuestion } from './doubt.ts'
import { ownSentences, ownWords, type OwnSentence } from './own-sentences.ts'
import { quotedIn } from './quoted.ts'

/** Of so many words a quotation within a sentence is what somebody says, and no name. */
const saidWordsMin = 4

/**
 * Where somebody says something in their own words, and means it; undefined where they do not. What they have put in, what is
 * code, and what they quote, report of others, ask or suppose is not theirs.
 */
export function placeOf(quotation: string, asserted: Asserted): TextStretch | undefined {
  const words = ownWords(asserted)
  const sentences = ownSentences(asserted)
  for (let start = words.indexOf(quotation); start !== -1; start = words.indexOf(quotation, start + 1)) {
    const place = { start, end: start + quotation.length }
    const isOfOnePart = asserted.stretches.some((part) => part.start <= place.start && part.end >= place.end)
    if (isOfOnePart && isMeant(place, { words, sentences })) return place
  }
  return undefined
}

interface Own {
  readonly words: string
  readonly sentences: readonly OwnSentence[]
}

function isMeant(place: TextStretch, { words, sentences }: Own): boolean {
  const around = sentences.filter(({ text, start }) => start < place.end && start + text.length > place.start)
  const [first, last] = [around[0], around.at(-1)]
  if (first === undefined || last === undefined) return false
  const before = words.slice(Math.min(first.start, place.start), place.start)
  const behind = words.slice(place.end, Math.max(last.start + last.text.length, place.end))
  return (
    !around.some((sentence) => isAskedOrOpen(sentence, place)) &&
    !isReported(before) &&
    !isSupposed({ before, own: words.slice(place.start, place.end), behind }) &&
    !isQuotation(place, words)
  )
}

/** Whether a sentence is no assertion, as far as a place takes of it. */
function isAskedOrOpen({ text, start }: OwnSentence, place: TextStretch): boolean {
  const told = withoutQuestion(text)
  return isDoubtful(told) || (told !== text && place.end > start + told.length)
}

/** Whether a place stands in a quotation, cuts one, or has in it what others say. */
function isQuotation(place: TextStretch, words: string): boolean {
  const from = words.lastIndexOf('\n\n', place.start) + 1
  const paragraphEnd = words.indexOf('\n\n', place.end)
  const paragraph = words.slice(from, paragraphEnd === -1 ? words.length : paragraphEnd)
  const [start, end] = [place.start - from, place.end - from]
  return quotedIn(paragraph).some((quoted) => {
    if (quoted.end <= start || quoted.start >= end) return false
    const isWhole = start <= quoted.start && quoted.end <= end
    const [lead, rest] = [paragraph.slice(start, quoted.start), paragraph.slice(quoted.end, end)]
    return (
      !isWhole || isReported(lead) || !/\p{L}/u.test(lead + rest) || isSaying(paragraph.slice(quoted.start, quoted.end))
    )
  })
}

const isSaying = (quoted: string) => !quoted.startsWith('`') && quoted.split(/\s+/u).length >= saidWordsMin
