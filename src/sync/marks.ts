import { z } from 'zod'

import { sha256 } from '../model/messages/payload.ts'

/** What a message is known by at any store, but for `seq`, which is its number there; see `store/sync/lineage.ts`. */
export const markSchema = z.object({
  seq: z.number().int().positive(),
  id: z.uuid(),
  follows: z.uuid().optional(),
  content: z.string(),
  anonymizedAt: z.string().optional(),
  /** Of one that is erased: nobody has erased it here, it came so from a store whose retention had. Then its bytes can be had of another one. */
  isOpen: z.boolean().optional(),
})
export type MessageMark = z.infer<typeof markSchema>

/** Of one digest, and of one page of marks. */
export const marksAtOnce = 1_000

/** SHA-256 in hexadecimal, of what is to be the same at both. */
export function digestOf(marks: readonly MessageMark[]): string {
  const lines = marks.map(({ seq, id, follows, content, anonymizedAt }) => [seq, id, follows, content, anonymizedAt])
  return sha256(Buffer.from(JSON.stringify(lines))).toString('hex')
}
