import { agreed, counted } from '../model/text/counted.ts'

/** Messages that were saved and that a search could not look at yet, for `degraded`. */
export function notIndexedYet(messages: number): string {
  return `${counted(messages, 'recently saved message')} ${agreed(messages, 'is', 'are')} not indexed yet`
}

/** Messages that were found and cannot be read, for `degraded`; `what` is what one of them is called. */
export function damaged(messages: number, what: string): string {
  return `${counted(messages, what)} ${agreed(messages, 'is', 'are')} damaged: run "verbatim verify"`
}
