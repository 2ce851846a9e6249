import {
  am,
  clauseEnd,
  noLonger,
  objectOf,
  often,
  isTime,
  leftFor,
  purposeIn,
  sinceWhen,
  unused,
  value,
  words,
  type Rule,
  type RuleParts,
} from './rule.ts'

const marital = 'married|divorced|single|engaged|widowed|separated'
const diet = 'vegan|vegetarian|pescatarian'
const lately = String.raw`(?:(?:severely|highly|happily|newly|recently|freshly|officially|finally|strictly|a strict|a) )*`
const state = String.raw`(?:${lately}(?:${diet})(?![\p{L}-])|${lately}(?:${marital})(?![\p{L}-])|${lately}(?:allergic to|intolerant (?:to|of))|lactose[- ]intolerant|diabetic|left-handed|colou?r-?blind|dyslexic|retired|self-employed|fluent in|a native speaker).*`
const count = 'an?|one|two|three|four|five|six|seven|eight|\\d+'
const counted =
  "wife|husband|partner|spouse|girlfriend|boyfriend|fianc[eé]e?|son|daughter|child|kid|brother|sister|mother|father|mom|mum|dad|grandmother|grandfather|grandma|grandpa|aunt|uncle|cousin|niece|nephew|dog|cat|puppy|kitten|horse|parrot|rabbit|boss|manager|mentor|colleague|coworker|best friend|roommate|neighbou?r|doctor|therapist|kids|children|sons|daughters|brothers|sisters|siblings|grandchildren|grandkids|dogs|cats|puppies|kittens|allergy|degree|phd|ph\\.d\\.?|master['’]?s|bachelor['’]?s"
/** Of these somebody has so many. */
const group: Readonly<Record<string, string>> = {
  child: 'children',
  kid: 'children',
  kids: 'children',
  children: 'children',
  son: 'sons',
  sons: 'sons',
  daughter: 'daughters',
  daughters: 'daughters',
  brother: 'brothers',
  brothers: 'brothers',
  sister: 'sisters',
  sisters: 'sisters',
  siblings: 'siblings',
  grandchildren: 'grandchildren',
  grandkids: 'grandchildren',
  dog: 'dogs',
  dogs: 'dogs',
  cat: 'cats',
  cats: 'cats',
}

/** How somebody is: married or not, what they eat, what they have and use; and that it is so no longer. */
export const states: readonly Rule[] = [
  {
    kind: 'fact',
    by: 'user',
    confidence: 0.9,
    negates: true,
    // Who is no longer single says what somebody says who is married.
    slot: ({ value: told }) => (isUnmarried(told) ? undefined : `am ${stateOf(told)}`),
    claim: ({ value: told }) => claimOf(told),
    pattern: words(
      `i(?:${am} no longer|${am} not(?= .*\\bany(?: |)more\\b)|(?: have|['’]ve)? (?:stopped|quit) being) (?<value>${state})`,
    ),
  },
  {
    kind: 'fact',
    by: 'user',
    confidence: 0.9,
    slot: ({ value: told }) => slotOf(told),
    claim: ({ value: told }) => claimOf(told),
    fits: ({ value: told }) => isState(told),
    pattern: words(
      `i(?:${am} ${often}|(?: have|['’]ve)?(?: just| recently| finally)? (?:become|became|turned|gone|went|got|gotten)(?= (?:a )?(?:${diet}|married|divorced|engaged)\\b) )(?<value>${state})`,
    ),
  },
  {
    kind: 'fact',
    by: 'user',
    confidence: 0.9,
    negates: true,
    claim: ({ of, rest }) => oneOf({ of, rest }) ?? groupOf(of),
    pattern: words(
      `i${noLonger('have')} (?<value>(?:${count}|any) (?<of>${Object.keys(group).join('|')})\\b(?<rest>.*))`,
    ),
  },
  {
    kind: 'fact',
    by: 'user',
    confidence: 0.85,
    slot: (parts) => oneOf(parts) ?? numberOf(parts),
    claim: ({ of }) => groupOf(of),
    pattern: words(
      `i(?: now| currently)?(?: have|['’]ve got)(?: now)? (?<value>(?<many>${count}) (?<which>(?:[\\p{L}-]+ ){0,2}?)(?<of>${counted})\\b(?<rest>.*))`,
    ),
  },
  {
    kind: 'preference',
    by: 'user',
    confidence: 0.85,
    isName: true,
    negates: true,
    ends: 'fact',
    claim: ({ value: told = '' }) => (isWhole(told) ? `use ${objectOf(told)}` : undefined),
    pattern: words(`i never (?<verb>use) ${value}`),
  },
  {
    kind: 'fact',
    by: 'user',
    confidence: 0.8,
    isName: true,
    slot: ({ value: told }) => (purposeIn(told) === undefined ? undefined : `use ${unused(told)}`),
    claim: ({ value: told }) => `use ${objectOf(told)}`,
    pattern: words(`i ${often}use (?<value>\\p{Lu}.*)`),
  },
  {
    kind: 'fact',
    by: 'user',
    confidence: 0.8,
    isName: true,
    negates: true,
    claim: ({ value: told }) => `use ${unused(told)}`,
    pattern: words(`i(?:${noLonger('use')}|(?: have|['’]ve)? stopped using) ${value}`),
  },
  {
    kind: 'fact',
    by: 'user',
    confidence: 0.8,
    isName: true,
    negates: true,
    claim: leftFor('use'),
    fits: ({ old = '' }) => /^[\p{Lu}\p{N}]/u.test(old) && !isTime(old),
    pattern: words(
      `i(?: have|['’]ve)?(?: just| recently| now| finally)* (?:switched|changed|migrated)(?: over)? from (?<old>\\S+(?: \\S+){0,2}?) to ${value}`,
    ),
  },
]

const withoutDegree = (told: string) =>
  told.replace(new RegExp(`^${lately.replaceAll(' ', String.raw`\s+`)}`, 'iu'), '')

const maritalStatus = new RegExp(`^(?:${marital})\\b`, 'iu')

/** Whether it is a marital status that says that somebody is not married. */
function isUnmarried(told = ''): boolean {
  const own = withoutDegree(told)
  return maritalStatus.test(own) && !/^married/iu.test(own)
}

/** Of a day that is past it says nothing now. */
const isPast = (told = '') => /\b(?:\d{4}|ago|when|before|back in|twice|first)\b/iu.test(withoutDegree(told))

/**
 * Of these there is one at a time. `Married` and `married to Anna` are both so: each other status ends both, and is ended by them, as it
 * claims the same.
 */
function slotOf(told = ''): string | undefined {
  if (isPast(told)) return undefined
  if (isUnmarried(told)) return 'am married'
  return new RegExp(`^(?:${diet})\\b`, 'iu').test(withoutDegree(told)) ? 'diet' : undefined
}

function claimOf(told = ''): string {
  return isUnmarried(told) && !isPast(told) ? 'am married' : `am ${stateOf(told)}`
}

/** Whether it is a state of somebody: `single` and `engaged` are of other things too. */
function isState(told = ''): boolean {
  const own = withoutDegree(told)
  if (/^single/iu.test(own))
    return /^single(?:\s+(?:now|again|these days|nowadays|and|but|at)\b|\W*$|\s*[,;(])/iu.test(own)
  if (/^engaged/iu.test(own))
    return /^[Ee]ngaged(?:\s+(?:now|since|to\s+(?:\p{Lu}|my|be married))|\W*$|\s*[,;(])/u.test(own)
  return !/^separated/iu.test(own) || /^separated(?:\s+(?:now|from my|since)\b|\W*$|\s*[,;(])/iu.test(own)
}

/** What somebody is, as it is named when it is so no longer. */
function stateOf(told = ''): string {
  const own = withoutDegree(told)
  return new RegExp(`^(?:${marital}|${diet})\\b`, 'iu').exec(own)?.[0].toLowerCase() ?? objectOf(own)
}

/** Whether somebody has such at all. */
function groupOf(of = ''): string | undefined {
  const kind = group[of.toLowerCase()]
  return kind === undefined ? undefined : `have ${kind}`
}

/** One that is named. */
function oneOf({ of = '', rest = '' }: RuleParts): string | undefined {
  const kind = groupOf(of)
  const name = /^(?:\s*[,:(]|\s+(?:named|called))\s*(\p{Lu}[\p{L}'’-]*)\W*$/u.exec(rest)?.[1]
  return kind === undefined || name === undefined ? undefined : `${kind} called ${name.toLowerCase()}`
}

/** What so many are of, where it is all of them: not `two black cats`, and not where more is said. */
function numberOf({ many = '', which = '', of = '', rest = '' }: RuleParts): string | undefined {
  const kind = group[of.toLowerCase()]
  const isAll = /^(?:(?:lovely|wonderful|beautiful|great)\s+)*$/iu.test(which)
  const more = rest
    .toLowerCase()
    .replace(/[\s.!]+$/u, '')
    .replace(sinceWhen, '')
  // Who names one may have others.
  const isAllSaid =
    more === '' || (!/^(?:an?|one|1)$/iu.test(many) && /^\s*[,:(]\s*\p{Lu}|^,?\s+(?:named|called|aged)\b/u.test(rest))
  return kind !== undefined && isAll && isAllSaid ? `number of ${kind}` : undefined
}

/** Whether nothing is said of when. */
function isWhole(told: string): boolean {
  return !told
    .split(clauseEnd)
    .slice(1)
    .some((more) => /[\p{L}\p{N}]/u.test(more))
}
