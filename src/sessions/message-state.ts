import { correctedIdOf } from '../model/correction.ts'
import type { MessageRow } from '../store/messages.ts'
import type { MessageDocument } from './document.ts'

/** What there is to know of a message before one takes it for what holds. */
export function stateOf({
  restricted,
  corrected_by: correctedBy,
  corrects,
}: Pick<MessageDocument, 'restricted' | 'corrected_by' | 'corrects'>): readonly string[] {
  return [
    ...(restricted === undefined ? [] : ['restricted']),
    ...(correctedBy === undefined ? [] : [`corrected by ${correctedBy}`]),
    ...(corrects === undefined ? [] : [`corrects ${corrects}`]),
  ]
}

/** The same of a message as it is stored. */
export function stateOfRow(row: MessageRow): readonly string[] {
  const corrects = correctedIdOf(row)
  return stateOf({
    ...(row.isRestricted === true ? { restricted: 'participant' } : {}),
    ...(row.correctedById === undefined ? {} : { corrected_by: row.correctedById }),
    ...(corrects === undefined ? {} : { corrects }),
  })
}
