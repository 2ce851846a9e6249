import type { FoundName } from '../../model/names.ts'
import type { Detection } from '../detection.ts'
import { IndexOfNames } from './index-of-names.ts'
import { repeatedWords, smallWords, wordsOfNames } from './repeated-names.ts'

/** Surer than the tagger of the rules, and less sure than a title before a name or a form such as that of an address. */
const foundConfidence = 0.6

/** Names that are known before a text is read: of who takes part in its session, and what a model has found in the session. */
export class KnownNames {
  readonly #found: IndexOfNames<FoundName>
  /** Each may stand for one of the people alone. */
  readonly #words: ReadonlySet<string>
  readonly #small: ReadonlySet<string>

  constructor(participants: readonly string[], found: readonly FoundName[] = []) {
    this.#found = new IndexOfNames(found)
    const whole = found.flatMap(({ type, name }) => (type === 'person' && /\s/u.test(name) ? [name] : []))
    this.#words = wordsOfNames([...participants, ...whole])
    this.#small = smallWords(participants.join('\n'))
  }

  /** Where they stand in a text. Detections may overlap. */
  in(text: string): Detection[] {
    const places = this.#found
      .in(text)
      .map(({ named: { type }, place }) => ({ type, ...place, confidence: foundConfidence }))
    return [...places, ...repeatedWords(text, this.#words, this.#small)]
  }
}
