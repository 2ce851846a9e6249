import { limits } from '../limits.ts'
import type { MessageFlags } from '../model/messages/message-flags.ts'
import { digestOfRecord } from '../store/message-digests.ts'
import type { MessageRow } from '../store/messages.ts'
import type { SearchUnit } from '../store/search/search-units.ts'
import { overlapEnd, splitIntoParts } from './parts.ts'
import { sentimentOf } from './sentiment.ts'
import { senderTerms, standingTerm } from './terms/field-terms.ts'
import { detectLanguage } from './terms/language.ts'
import { isStopWord } from './terms/stop-words.ts'
import type { TermIndex } from './terms/term-hashers.ts'
import { unitTerms, type UnitTerms } from './terms/terms.ts'
import { tokenize } from './terms/tokenize.ts'
import { traits, traitsOf } from './traits.ts'

/**
 * The search units of one message: one a part of its text, none where there is nothing to read. With the first part go
 * terms for its sender, so that a person is found by what they said, and for what kind of thing it says, and the digest
 * of what stands beside its content.
 */
export async function makeUnits(
  message: MessageRow,
  { text, flags }: { readonly text: string; readonly flags: MessageFlags },
  { hasher, key }: Pick<TermIndex, 'hasher' | 'key'>,
): Promise<SearchUnit[]> {
  if (text.length === 0) return []
  const language = detectLanguage(text)
  const sentiment = message.kind === 'message' ? await sentimentOf(text, language) : null
  const traitBits = message.kind === 'message' ? traitsOf(text) : 0
  const fields = fieldTerms(message.sender, traitBits).map(hasher)
  const of = { id: message.id, anonymizedAt: message.anonymizedAt }
  const digest = digestOfRecord(message, key)
  const lowValue = (term: string) => language !== null && isStopWord(term, [language])
  return splitIntoParts(text).map(({ start, end }, part) => {
    const tokens = tokenize(text.slice(start, overlapEnd(text, end)), { language })
    const words = unitTerms(tokens, hasher, { max: limits.unitTermsMax, lowValue })
    const { terms, frequencies, length } = inOrder(part === 0 ? withFields(words, fields) : words)
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
      traits: traitBits,
      sentiment: part === 0 ? sentiment : null,
      flags,
      of,
      ...(part === 0 ? { digest } : {}),
    }
  })
}

function fieldTerms(sender: string, traitBits: number): string[] {
  return [...senderTerms(sender), ...((traitBits & traits.standing) === 0 ? [] : [standingTerm])]
}

/** Fields add nothing to the length: they are no part of the text. */
function withFields(unit: UnitTerms, fields: readonly bigint[]): UnitTerms {
  return {
    terms: [...unit.terms, ...fields],
    frequencies: [...unit.frequencies, ...fields.map(() => 1)],
    length: unit.length,
  }
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
