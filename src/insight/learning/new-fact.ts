import { factTerms } from '../../indexing/fact-terms.ts'
import type { TermHasher } from '../../indexing/terms.ts'
import { derivedId } from '../../model/ids.ts'
import type { NewFact } from '../../store/learning/sealed-facts.ts'
import type { FoundFact } from './fact.ts'

/** What was found, as it is stored. */
export function newFact(
  { kind, text, subject, slot, claim, confidence, validFrom, spans }: FoundFact,
  { madeBy, ...found }: { readonly madeBy: string; readonly hasher: TermHasher; readonly project: string | undefined },
): NewFact {
  const body = {
    text,
    subject,
    ...(slot === undefined ? {} : { slot }),
    ...(claim === undefined ? {} : { claim }),
  }
  return {
    // Of the place alone: ids hide nothing.
    id: derivedId(['fact', kind, ...spans.flatMap(({ messageId, start, end }) => [messageId, start, end])].join(' ')),
    kind,
    body,
    terms: factTerms(kind, body, found),
    confidence,
    validFrom,
    madeBy,
    sources: spans,
  }
}
