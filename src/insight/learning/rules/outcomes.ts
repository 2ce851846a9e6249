import { am, noLonger, objectOf, often, purposeIn, unused, value, words, type Rule, type RuleParts } from './rule.ts'

/** What somebody says of what they work on. */
export const aboutWork: readonly Rule[] = [
  {
    kind: 'fact',
    by: 'user',
    confidence: 0.8,
    isName: true,
    claim: ({ ours, use, value: told }) =>
      ours === undefined || use === undefined ? undefined : `we use ${objectOf(told)}`,
    pattern: words(
      `(?:(?<ours>we)|our (?:team|company|project|app|application|product|back-?end|front-?end|api|database|repo|repository|ci|pipeline|service|site|website|server|code ?base|stack)) ${often}(?:(?<use>use)|uses|runs? on|is built (?:on|with|in)|is written in|is hosted (?:on|at|in)|are hosted (?:on|at|in)|deploys? (?:to|on|with|via)|is deployed (?:to|on|with|via)) ${value}`,
    ),
  },
  {
    kind: 'fact',
    by: 'user',
    confidence: 0.8,
    isName: true,
    negates: true,
    claim: ({ value: told }) => `we use ${unused(told)}`,
    pattern: words(`we(?:${noLonger('use')}|(?: have|['’]ve)? stopped using) ${value}`),
  },
  {
    kind: 'fact',
    by: 'user',
    confidence: 0.85,
    slot: ({ of }) => `the ${of}`,
    pattern: words(
      `(?:the|our) (?<of>(?:production|prod|staging|development|dev|test|main|default) (?:database|db|server|branch|url|api|environment|cluster|bucket|port|host|domain)) (?:is|lives (?:at|in|on)|runs on|listens on) ${value}`,
    ),
  },
]

/** What was decided is one thing for a purpose, and that it is not to be says nothing of what else is. */
const decided = { slot: ({ value: told }: RuleParts) => purposeOf(told), claim: choiceOf } as const
const rejected = { negates: true, claim: choiceOf } as const

/** What was decided. */
export const decisions: readonly Rule[] = [
  { kind: 'decision', by: 'either', confidence: 0.9, pattern: words(`(?:final |our )?decision: ${value}`) },
  {
    kind: 'decision',
    by: 'either',
    confidence: 0.85,
    ...rejected,
    pattern: words(
      `(?:we|our team|the team)(?: have|['’]ve| has)? (?:finally |just |already |all )?(?:decided|agreed|chose) (?:not (?=(?:to|on) \\S)|(?=against\\b))(?<value>(?:to|on|against)\\b.+)`,
    ),
  },
  {
    kind: 'decision',
    by: 'either',
    confidence: 0.85,
    ...decided,
    pattern: words(
      `(?:we|our team|the team)(?: have|['’]ve| has)? (?:finally |just |already |all )?(?:decided|agreed|chose|settled) (?<value>(?:to|on|that|for)\\b.+)`,
    ),
  },
  {
    kind: 'decision',
    by: 'user',
    confidence: 0.85,
    ...rejected,
    pattern: words(
      `i(?: have|['’]ve)? (?:finally |just )?(?:decided|chosen) (?:not (?=to \\S)|(?=against\\b))(?<value>(?:to|against)\\b.+)`,
    ),
  },
  {
    kind: 'decision',
    by: 'user',
    confidence: 0.85,
    ...decided,
    pattern: words(`i(?: have|['’]ve)? (?:finally |just )?(?:decided|chosen) (?<value>(?:to|on|that)\\b.+)`),
  },
  {
    kind: 'decision',
    by: 'user',
    confidence: 0.85,
    ...decided,
    pattern: words(
      `(?:ok(?:ay)?,? |then )?let['’]s (?:go with|stick with|stick to|switch to|settle on|standardi[sz]e on|adopt|use) ${value}`,
    ),
  },
  {
    kind: 'decision',
    by: 'user',
    confidence: 0.85,
    ...decided,
    pattern: words(
      `(?:we|i)(?:['’]ll| will|['’]re| are|${am}) (?:going with|go with|switching to|moving to|sticking with|stick with|standardi[sz]ing on|going to (?:use|go with|switch to|move to|stick with)) ${value}`,
    ),
  },
]

/** What helped against what was wrong. */
export const procedures: readonly Rule[] = [
  {
    kind: 'procedure',
    by: 'either',
    confidence: 0.8,
    pattern: words(
      `(?:the|my|our) (?:actual |real )?(?:fix|solution|workaround) (?:was|turned out to be|that worked was) ${value}`,
    ),
  },
  {
    kind: 'procedure',
    by: 'either',
    confidence: 0.8,
    pattern: words(
      `(?:i |we |i['’]ve |we['’]ve |i have |we have )?(?:fixed|resolved|solved|worked around) (?<value>.{3,120}? by [\\p{L}]+ing\\b.+)`,
    ),
  },
  {
    kind: 'procedure',
    by: 'either',
    confidence: 0.85,
    pattern: words(
      `(?<value>(?:[\\p{L}]{3,}ing) .{3,160}? (?:fixed|solved|resolved) (?:it|this|that|the|my|our)\\b.*)`,
    ),
  },
  {
    kind: 'procedure',
    by: 'user',
    confidence: 0.85,
    pattern: words(
      `(?:it|that|this|everything) (?:works|worked|started working) (?:now |again )?(?<value>after (?:i |we )?[\\p{L}]+(?:ing|ed)\\b.+)`,
    ),
  },
]

/** What was decided on is one thing for a purpose: `use Redis for sessions`. */
function purposeOf(told = ''): string | undefined {
  const purpose = purposeIn(told)
  return purpose === undefined ? undefined : `for ${purpose}`
}

const deciding =
  /^(?:(?:to|on|for|against)\s+)?(?:(?:use|using|adopt|adopting|go(?:ing)? with|stick(?:ing)? (?:with|to)|switch(?:ing)? to|mov(?:e|ing) to|standardi[sz](?:e|ing) on|settl(?:e|ing) on)\s+)?/iu

/** What was chosen, and for what, in whatever words it was. */
function choiceOf({ value: told = '' }: RuleParts): string {
  return `${objectOf(told.replace(deciding, ''))} ${purposeOf(told) ?? ''}`.trim()
}
