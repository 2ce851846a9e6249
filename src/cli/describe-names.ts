import { agreed, counted } from '../model/text/counted.ts'
import type { NamesStatus } from '../sessions/status.ts'
import type { Check } from './checks/check.ts'

/** How far a model has looked for names, in one line. */
export function describeNames(names: NamesStatus | undefined): string {
  if (names === undefined) return 'by rules'
  const { by, messages_read: read, messages_unread: unread, messages_waiting: waiting, failed_for_good: failed } = names
  const { messages_left_to_rules: left } = names
  const who = by === 'model' ? 'the model that writes' : 'a model on this machine'
  const parts = [
    `by rules, and by ${who} in ${read} of ${counted(read + unread, 'message')}`,
    ...(waiting === 0 ? [] : [`${waiting} ${agreed(waiting, 'waits', 'wait')} to be read`]),
    ...(left === 0 ? [] : [`${left} ${agreed(left, 'is', 'are')} left to the rules`]),
    ...(failed === 0 ? [] : [`${failed} failed for good`]),
    ...(names.waits_for === undefined ? [] : [`waits: ${names.waits_for}`]),
  ]
  return parts.join(', ')
}

export function checkNames(names: NamesStatus | undefined): Check[] {
  const name = 'names'
  if (names === undefined) return []
  const { messages_unread: all, messages_left_to_rules: left, failed_for_good: failed } = names
  // What the model is not given stays so.
  const unread = all - left
  const checks: Check[] = [
    {
      name,
      state: unread === 0 ? 'ok' : 'note',
      message: describeNames(names),
      ...(unread === 0
        ? {}
        : { remedy: 'What waits is read in the background; "verbatim reindex --names" has the rest read too' }),
    },
  ]
  if (failed > 0)
    checks.push({
      name,
      state: 'note',
      message: `the model gave no usable answer for ${counted(failed, 'piece')} of work`,
      remedy: 'Rules look for names there. Another model may answer: "verbatim reindex --names --yes" tries them again',
    })
  return checks
}
