import { factTerms } from '../../indexing/fact-terms.ts'
import type { TermHasher } from '../../indexing/terms.ts'
import { derivedId } from '../../model/ids.ts'
import type { NewFact } from '../../store/learning/sealed-facts.ts'
import type { FoundFact } from './fact.ts'

const placeOf = (kind: string, spans: FoundFact['spans']) =>
  ['fact', kind, ...spans.flatMap(({ messageId, start, end }) => [messageId, start, end])].join(' ')

/** What was found, as it is stored. A model may quote the same words for several. */
export function newFacts(
  facts: readonly FoundFact[],
  found: { readonly madeBy: string; readonly hasher: TermHasher; readonly project: string | undefined },
): NewFact[] {
  const counts = new Map<string, number>()
  return facts.map((fact) => {
    const place = placeOf(fact.kind, fact.spans)
    const nth = counts.get(place) ?? 0
    counts.set(place, nth + 1)
    return newFact(fact, { ...found, nth })
  })
}

function newFact(
  { kind, text, subject, slot, claim, confidence, validFrom, spans }: FoundFact,
  {
    madeBy,
    nth,
    ...found
  }: {
    readonly madeBy: string
    /** Of those of its kind that were found at the same place, from 0. */
    readonly nth: number
    readonly hasher: TermHasher
    readonly project: string | undefined
  },
): NewFact {
  const body = {
    text,
    subject,
    ...(slot === undefined ? {} : { slot }),
    ...(claim === undefined ? {} : { claim }),
  }
  const place = placeOf(kind, spans)
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
}
