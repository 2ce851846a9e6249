import { readsLikeInstructions } from '../../../sessions/message-flags.ts'
import type { MessageToSummarize } from '../../extracts/candidates.ts'
import type { Material, Place, WrittenSentence } from './write-sentences.ts'

/** Gives each message that a model is shown a number: it cites these, and no other message. */
export class Numbers {
  readonly places = new Map<number, Place>()
  readonly #known = new Map<string, number>()

  of(place: Place): number {
    const key = `${place.sessionId} ${place.seq}`
    const number = this.#known.get(key) ?? this.#known.size + 1
    this.#known.set(key, number)
    this.places.set(number, { sessionId: place.sessionId, seq: place.seq })
    return number
  }
}

/** Turns as a model reads them. A name cannot begin a line of its own, nor tell the model what to do. */
export function showTurns(turns: readonly MessageToSummarize[], sessionId: string, numbers: Numbers): string {
  return turns
    .map(({ seq, role, sender, text }) => {
      const name = readsLikeInstructions(sender) ? 'somebody' : sender.replaceAll(/\s+/gu, ' ')
      return `[${numbers.of({ sessionId, seq })}] ${role} ${name}:\n${text}`
    })
    .join('\n\n')
}

/** Notes of messages as a model reads them. */
export function showNotes(sentences: readonly WrittenSentence[], numbers: Numbers): string {
  return sentences
    .map(({ text, sources }) => `- ${text} [${sources.map((source) => numbers.of(source)).join(', ')}]`)
    .join('\n')
}

/** What there is to read of notes and of the messages that follow them. */
export function materialOf(
  notes: readonly (readonly WrittenSentence[])[],
  open: { readonly turns: readonly MessageToSummarize[]; readonly sessionId: string } | undefined,
): Material {
  const numbers = new Numbers()
  const parts = [
    ...notes.filter((sentences) => sentences.length > 0).map((sentences) => showNotes(sentences, numbers)),
    ...(open === undefined || open.turns.length === 0 ? [] : [showTurns(open.turns, open.sessionId, numbers)]),
  ]
  return { text: parts.join('\n\n'), places: numbers.places }
}
