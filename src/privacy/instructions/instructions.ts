import { instructionKinds, type InstructionKind } from '../../model/messages/message-flags.ts'
import { disguisedTexts, isHidingText, plainText } from './disguises.ts'
import { foreignOverrides } from './foreign-overrides.ts'
import { markers } from './markers.ts'
import { phrases } from './phrases.ts'

function kindsIn(text: string): InstructionKind[] {
  return [
    ...phrases.flatMap(({ kind, patterns }) => (patterns.some((pattern) => pattern.test(text)) ? [kind] : [])),
    ...(foreignOverrides.some((pattern) => pattern.test(text)) ? (['override'] as const) : []),
  ]
}

/**
 * How a text reads like instructions to a model, in the order of the kinds. Rules: a text that means the same in other words
 * is not found, and one that only speaks of such instructions is.
 */
export function instructionsIn(text: string): InstructionKind[] {
  const plain = plainText(text)
  const found = new Set<InstructionKind>([
    ...kindsIn(plain),
    ...markers.flatMap(({ kind, patterns }) => (patterns.some((pattern) => pattern.test(text)) ? [kind] : [])),
    ...(isHidingText(text) ? (['hidden_text'] as const) : []),
  ])
  // A text in disguise may be one with a single letter of it changed: what was found without that is not hidden.
  const inside = disguisedTexts(text, plain)
    .flatMap(kindsIn)
    .filter((kind) => !found.has(kind))
  if (inside.length > 0) for (const kind of [...inside, 'hidden_text' as const]) found.add(kind)
  return instructionKinds.filter((kind) => found.has(kind))
}
