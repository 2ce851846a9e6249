import { am, objectOf, often, value, words, type Rule } from './rule.ts'

/** What somebody says of what they work on. */
export const aboutWork: readonly Rule[] = [
  {
    kind: 'fact',
    by: 'user',
    confidence: 0.8,
    isName: true,
    pattern: words(
      `(?:we|our (?:team|company|project|app|application|product|back-?end|front-?end|api|database|repo|repository|ci|pipeline|service|site|website|server|code ?base|stack)) ${often}(?:use|uses|runs? on|is built (?:on|with|in)|is written in|is hosted (?:on|at|in)|are hosted (?:on|at|in)|deploys? (?:to|on|with|via)|is deployed (?:to|on|with|via)) ${value}`,
    ),
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

/** What was decided. */
export const decisions: readonly Rule[] = [
  { kind: 'decision', by: 'either', confidence: 0.9, pattern: words(`(?:final |our )?decision: ${value}`) },
  {
    kind: 'decision',
    by: 'either',
    confidence: 0.85,
    slot: ({ value: told }) => purposeOf(told),
    pattern: words(
      `(?:we|our team|the team)(?: have|['’]ve| has)? (?:finally |just |already |all )?(?:decided|agreed|chose|settled) (?<value>(?:to|on|that|against|not to|for|not on)\\b.+)`,
    ),
  },
  {
    kind: 'decision',
    by: 'user',
    confidence: 0.85,
    slot: ({ value: told }) => purposeOf(told),
    pattern: words(
      `i(?: have|['’]ve)? (?:finally |just )?(?:decided|chosen) (?<value>(?:to|on|that|against|not to)\\b.+)`,
    ),
  },
  {
    kind: 'decision',
    by: 'user',
    confidence: 0.85,
    slot: ({ value: told }) => purposeOf(told),
    pattern: words(
      `(?:ok(?:ay)?,? |then )?let['’]s (?:go with|stick with|stick to|switch to|settle on|standardi[sz]e on|adopt|use) ${value}`,
    ),
  },
  {
    kind: 'decision',
    by: 'user',
    confidence: 0.85,
    slot: ({ value: told }) => purposeOf(told),
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
  const purpose = /\s(?:for|as)\s(?:our |the |my )?(.+)$/iu.exec(told)?.[1]
  return purpose === undefined ? undefined : `for ${objectOf(purpose)}`
}
