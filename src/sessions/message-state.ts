import { correctedIdOf } from '../model/messages/correction.ts'
import { describeFlags } from '../model/messages/message-flags.ts'
import type { MessageRow } from '../store/messages.ts'
import { shownFlags, type MessageDocument } from './document.ts'

/** What there is to know of a message before one takes it for what holds. What was said may itself end with an ellipsis: a cut one is told. */
export function stateOf({
  truncated,
  restricted,
  corrected_by: correctedBy,
  corrects,
}: Pick<MessageDocument, 'truncated' | 'restricted' | 'corrected_by' | 'corrects'>): readonly string[] {
  return [
    ...(truncated === true ? ['cut'] : []),
    ...(restricted === undefined ? [] : ['restricted']),
    ...(correctedBy === undefined ? [] : [`corrected by ${correctedBy}`]),
    ...(corrects === undefined ? [] : [`corrects ${corrects}`]),
  ]
}

/** The same of a message as it is stored, and what it is flagged for. */
export function stateOfRow(row: MessageRow): readonly string[] {
  const corrects = correctedIdOf(row)
  const flags = describeFlags(shownFlags(row).flags)
  const states = stateOf({
    ...(row.isRestricted === true ? { restricted: 'participant' } : {}),
    ...(row.correctedById === undefined ? {} : { corrected_by: row.correctedById }),
    ...(corrects === undefined ? {} : { corrects }),
  })
  return flags === undefined ? states : [flags, ...states]
}
