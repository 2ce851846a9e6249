import { factTerms } from '../../indexing/terms/fact-terms.ts'
import type { TermHasher } from '../../indexing/terms/terms.ts'
import { derivedId } from '../../model/ids.ts'
import type { NewFact } from '../../store/learning/sealed-facts.ts'
import type { FoundFact } from './fact.ts'

/** What was found, as it is stored. */
export function newFacts(
  facts: readonly FoundFact[],
  { madeBy, ...found }: { readonly madeBy: string; readonly hasher: TermHasher; readonly project: string | undefined },
): NewFact[] {
  const counts = new Map<string, number>()
  return facts.map(({ kind, text, subject, slot, claim, confidence, validFrom, spans }) => {
    const places = spans.flatMap(({ messageId, start, end }) => [messageId, start, end])
    const place = ['fact', kind, ...places].join(' ')
    // A model may quote the same words for several.
    const nth = counts.get(place) ?? 0
    counts.set(place, nth + 1)
    const body = {
      text,
      subject,
      ...(slot === undefined ? {} : { slot }),
      ...(claim === undefined ? {} : { claim }),
    }
    return {
      // Of the place alone: ids hide nothing.
      id: derivedId(nth === 0 ? place : `${place} ${nth}`),
      kind,
      body,
      terms: factTerms(kind, body, found),
      confidence,
      validFrom,
      madeBy,
      sources: spans,
    }
  })
}
