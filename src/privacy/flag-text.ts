import type { MessageFlags } from '../model/messages/message-flags.ts'
import { instructionsIn } from './instructions/instructions.ts'
import { resolveOverlaps } from './resolve-overlaps.ts'
import { secrets } from './secrets/secrets.ts'

/** Of a longer text the rest is not looked through: it would keep the work on others waiting. */
const charactersMax = 500_000
/** Data and no words, in which something looks like a secret now and then. */
const binary = /[A-Za-z0-9+/]{1000,}/gu

/** How many different secrets of each kind a text holds. One that stands there twice, also with other line breaks, counts once. */
function countSecrets(text: string): Readonly<Record<string, number>> | undefined {
  const found = resolveOverlaps(text, secrets(text))
  if (found.length === 0) return undefined
  const values = new Map<string, Set<string>>()
  for (const { kind = 'service_token', start, end } of found) {
    const value = text.slice(start, end).replace(/\\n|\\|\s/gu, '')
    values.set(kind, (values.get(kind) ?? new Set()).add(value))
  }
  return Object.fromEntries([...values].map(([kind, distinct]) => [kind, distinct.size]))
}

/**
 * What a message is flagged for: secrets anywhere in what it holds, and instructions to a model in what is read of it.
 * `whole` is all that it holds as text, `text` what there is to read.
 */
export function flagsOf({ text, whole }: { readonly text: string; readonly whole: string }): MessageFlags {
  const held = countSecrets(whole.slice(0, charactersMax).replace(binary, ' '))
  const instructions = instructionsIn(text.slice(0, charactersMax))
  return {
    ...(held === undefined ? {} : { secrets: held }),
    ...(instructions.length === 0 ? {} : { instructions }),
  }
}
