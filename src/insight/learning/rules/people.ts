import { am, isNoLonger, my, nameIn, noLonger, now, value, words, often, type Rule } from './rule.ts'

const roles =
  'engineer|developer|programmer|designer|teacher|nurse|doctor|physician|surgeon|dentist|student|researcher|scientist|manager|consultant|writer|author|journalist|editor|lawyer|attorney|paralegal|accountant|analyst|architect|professor|lecturer|freelancer|founder|co-?founder|owner|artist|musician|photographer|chef|baker|pilot|therapist|psychologist|pharmacist|veterinarian|electrician|plumber|mechanic|carpenter|farmer|librarian|administrator|sysadmin|recruiter|marketer|salesperson|producer|director|translator|biologist|chemist|physicist|mathematician|economist|statistician|veteran|firefighter|paramedic|beginner'
const kin =
  'wife|husband|partner|spouse|girlfriend|boyfriend|fianc[eé]e?|son|daughter|child|kid|brother|sister|mother|father|mom|mum|dad|grandmother|grandfather|grandma|grandpa|aunt|uncle|cousin|niece|nephew|dog|cat|puppy|kitten|horse|parrot|rabbit|boss|manager|mentor|colleague|coworker|best friend|roommate|neighbou?r|doctor|therapist'
const things =
  'birthday|time(?: |)zone|pronouns|job title|job|title|role|nickname|native language|mother tongue|hometown|home town|phone|laptop|car|bike|(?:text |code )?editor|ide|shell|terminal|browser|operating system|os|distro|package manager|stack|tech stack|major|company|employer|team|deadline|budget|diet|username|github|handle|goal|dream'

/** Of these there is one at a time. */
const onlyOne =
  /^(?:wife|husband|partner|spouse|girlfriend|boyfriend|fianc[eé]e?|mother|father|mom|mum|dad|boss|manager)$/iu

function nameOf(of = ''): string | undefined {
  return onlyOne.test(of) ? `${of} name` : undefined
}

/** One thing under the names that it has. */
function thing(of = ''): string {
  return of
    .toLowerCase()
    .replaceAll(/\s+/gu, '')
    .replace(/^(?:text|code)(?=editor$)/u, '')
    .replace(/^operatingsystem$/u, 'os')
}

/** What somebody says of themselves. */
export const aboutSelf: readonly Rule[] = [
  {
    kind: 'fact',
    by: 'user',
    confidence: 0.9,
    isName: true,
    slot: () => 'employer',
    claim: ({ value: told }) => `employer ${nameIn(told)}`,
    pattern: words(
      `i(?:(?: currently| now)? work|${am}${now} (?:working|employed)|(?: have|['’]ve)?(?: just| recently)? (?:left|quit) \\S+(?: \\S+){0,3}? and (?:(?:now|currently) work|(?:am )?now working)) (?:at|for) ${value}`,
    ),
  },
  {
    kind: 'fact',
    by: 'user',
    confidence: 0.9,
    isName: true,
    negates: true,
    claim: ({ value: told }) => `employer ${nameIn(told)}`,
    pattern: words(
      `i(?:${noLonger('work (?:at|for)')}|(?: have|['’]ve)?(?: just| recently)? (?:stopped working|(?:left|quit) my (?:job|position|role)) (?:at|for|with)) ${value}`,
    ),
  },
  {
    kind: 'fact',
    by: 'user',
    confidence: 0.9,
    slot: () => 'occupation',
    pattern: words(`i ${often}work as (?<value>(?:an?|the) .*)`),
  },
  {
    kind: 'fact',
    by: 'user',
    confidence: 0.9,
    slot: () => 'occupation',
    pattern: words(`i${am}${now} (?<value>an? (?:[\\p{L}-]+ ){0,4}?(?:${roles})\\b.*)`),
  },
  {
    kind: 'fact',
    by: 'user',
    confidence: 0.9,
    isName: true,
    slot: ({ of }) => nameOf(of),
    claim: ({ of, value: told }) => `${of} called ${nameIn(told)}`,
    pattern: words(`${my} (?:[\\p{L}-]+ )?(?<of>${kin})(?:['’]s name)? (?:is|was)${now} (?:called |named )${value}`),
  },
  {
    kind: 'fact',
    by: 'user',
    confidence: 0.9,
    isName: true,
    slot: ({ of }) => nameOf(of),
    claim: ({ of, value: told }) => `${of} called ${nameIn(told)}`,
    pattern: words(`${my} (?:[\\p{L}-]+ )?(?<of>${kin})['’]s name is${now} ${value}`),
  },
  {
    kind: 'fact',
    by: 'user',
    confidence: 0.9,
    isName: true,
    negates: true,
    claim: ({ of, value: told }) => `${of} called ${nameIn(told)}`,
    pattern: words(`${my} (?<of>${kin})(?:['’]s name)?${isNoLonger} (?:called |named )?${value}`),
  },
  {
    kind: 'fact',
    by: 'user',
    confidence: 0.9,
    isName: true,
    slot: ({ of }) => thing(of),
    claim: ({ of, value: told }) => `${thing(of)} ${nameIn(told)}`,
    pattern: words(
      `my (?:main |primary |current |new |default )?(?<of>${things}) (?:is|are)${now} (?:(?:called|on|in|at|an?|the) )*${value}`,
    ),
  },
  {
    kind: 'fact',
    by: 'user',
    confidence: 0.9,
    isName: true,
    negates: true,
    claim: ({ of, value: told }) => `${thing(of)} ${nameIn(told)}`,
    pattern: words(
      `my (?:main |primary |current |default )?(?<of>${things})${isNoLonger} (?:(?:called|on|in|at|an?|the) )*${value}`,
    ),
  },
  { kind: 'fact', by: 'user', confidence: 0.85, isName: true, pattern: words(`i speak ${value}`) },
  {
    kind: 'fact',
    by: 'user',
    confidence: 0.85,
    pattern: words(
      `i(?: have|['’]ve) been (?<value>(?!feeling\\b)[\\p{L}]+ing [^,]*\\S for (?:(?:over|about|almost|more than|nearly|around|the past|the last) )?(?:an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|\\d+)\\+? (?:years?|months?|decades?)\\b.*)`,
    ),
  },
  {
    kind: 'fact',
    by: 'user',
    confidence: 0.95,
    pattern: words(
      `(?:please )?(?:remember(?: this)?(?: that|:)|keep in mind(?: that|:)|bear in mind(?: that|:)|note to self:|for future reference[,:]|don['’]t forget that|for the record[,:]) (?<value>(?:i|we|my|our)\\b.*)`,
    ),
  },
]

/** Somebody that is named by the way, wherever that stands: `my partner Ashlee`. It is so also where the sentence asks for something. */
export const relation: Rule = {
  kind: 'fact',
  by: 'user',
  confidence: 0.85,
  slot: ({ of }) => nameOf(of),
  pattern: new RegExp(
    String.raw`\b[Mm]y\s+(?:\p{Ll}[\p{L}-]*\s+)?(?<of>${kin}|friend|nephew|teammate|supervisor|tutor|flatmate)\s+(?<value>(?!(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|January|February|March|April|May|June|July|August|September|October|November|December|I\b|God\b)\p{Lu}\p{Ll}+(?:\s+\p{Lu}\p{Ll}+)?)`,
    'gu',
  ),
}
