import { clauseEnd } from '../rules/rule.ts'

/** What names nothing: a value that begins so says something to who was there, and to nobody else. */
const vague =
  /^(?:(?:it|that|this|these|those|there|here|they|them|him|her|one|ones|both|either|neither|none|all|you|your|yours|what|how|when|where|why|who|which|being)\b|to\s+(?:see|hear|know|think|say|be|have|meet|talk|get|help|share|keep|go|do|try|make|take)\b|not\b|so\b|too\b|also\b|as well\b|the (?:first|second|third|last|latter|former|above|below|same|other|idea|way|fact|option|approach|one|part|look|sound|feel|simple|simpler)\b|option\b|approach\b|version\b|plan [a-z]\b|some(?:thing|one|where)\b|any(?:thing|one|where)\b|every(?:thing|one)\b|nothing\b|today\b|tomorrow\b|next\b|coming\b|a (?:bit|lot|little|few)\b)/iu

/** Words that point to what was there when it was said. */
const pointing =
  /\b(?:it|this|that|these(?!\s+days\b)|those|them|they|there|here|him|such|following|above|below|today|tonight|right now|at the moment)\b/iu
/** Of what is gone with, or kept, what that is says whether it is vague. */
const goingWith =
  /^to\s+(?:go\s+(?:with|back\s+to)|keep(?!\s+(?:\p{L}+ing|in|up|on|at|to|away|track|quiet|calm|touch)\b))\s+/iu

/** Whether it says something only to who was there. */
export function pointsElsewhere(value: string): boolean {
  return vague.test(value.replace(goingWith, '')) || pointing.test(value.split(clauseEnd)[0] ?? '')
}
