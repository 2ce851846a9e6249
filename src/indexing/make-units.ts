import { limits } from '../limits.ts'
import type { MessageRow } from '../store/messages.ts'
import type { SearchUnit } from '../store/search-units.ts'
import { detectLanguage } from './language.ts'
import { overlapEnd, splitIntoParts } from './parts.ts'
import { sentimentOf } from './sentiment.ts'
import { isStopWord } from './stop-words.ts'
import { unitTerms, type TermHasher, type UnitTerms } from './terms.ts'
import { tokenize } from './tokenize.ts'

/**
 * The search units of one message: one a part of its text, none where there is nothing to read. The sender's name is
 * indexed with the first part, so that a person is found by what they said.
 */
export async function makeUnits(message: MessageRow, text: string, hasher: TermHasher): Promise<SearchUnit[]> {
  if (text.length === 0) return []
  const language = detectLanguage(text)
  const sentiment = message.kind === 'message' ? await sentimentOf(text, language) : null
  const lowValue = (term: string) => language !== null && isStopWord(term, [language])
  return splitIntoParts(text).map(({ start, end }, part) => {
    const tokens = tokenize(text.slice(start, overlapEnd(text, end)), { language })
    const named = part === 0 ? [...tokens, ...tokenize(message.sender, { language: null })] : tokens
    const { terms, frequencies, length } = inOrder(unitTerms(named, hasher, { max: limits.unitTermsMax, lowValue }))
    return {
      sessionId: message.sessionId,
      firstSeq: message.seq,
      lastSeq: message.seq,
      part,
      terms,
      // smallint in the index; beyond it BM25's saturation has long made frequencies equal.
      frequencies: frequencies.map((frequency) => Math.min(frequency, 32_767)),
      termCount: length,
      timestamp: message.timestamp,
      role: message.role,
      trust: message.trust,
      kind: message.kind,
      sentiment: part === 0 ? sentiment : null,
    }
  })
}

/** Terms in ascending order, each with its frequency. */
function inOrder(unit: UnitTerms): UnitTerms {
  const order = unit.terms.map((term, index) => ({ term, frequency: unit.frequencies[index] ?? 1 }))
  order.sort((a, b) => (a.term < b.term ? -1 : a.term > b.term ? 1 : 0))
  return {
    terms: order.map(({ term }) => term),
    frequencies: order.map(({ frequency }) => frequency),
    length: unit.length,
  }
}
