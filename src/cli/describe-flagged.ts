import { agreed, counted } from '../model/text/counted.ts'
import type { StoreStatus } from '../sessions/status.ts'

/** `3 messages hold secrets (2 aws_key, 1 password), 1 reads like instructions`. */
export function describeFlagged({ secrets, instructions }: StoreStatus['flagged']): string {
  const kinds = Object.entries(secrets.kinds)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([kind, count]) => `${count} ${kind}`)
  const held =
    secrets.messages === 0
      ? 'no secrets in messages'
      : `${counted(secrets.messages, 'message')} ${agreed(secrets.messages, 'holds', 'hold')} secrets (${kinds.join(', ')})`
  return `${held}, ${instructions.messages} ${agreed(instructions.messages, 'reads', 'read')} like instructions to a model`
}
