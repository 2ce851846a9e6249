import {
  isTime,
  leftFor,
  nameIn,
  noLonger,
  objectOf,
  often,
  purposeIn,
  sinceWhen,
  unused,
  value,
  words,
  type Rule,
  type RuleParts,
} from './rule.ts'
import { isHost, toolOf } from './tools.ts'

const people = 'team|company|project|organi[sz]ation|department|startup'
const made = String.raw`(?:is|are) ${often}(?:written|implemented|programmed) in`
const runs = String.raw`(?:runs? on|(?:is|are) ${often}(?:hosted on|deployed (?:to|on))|deploys? to)`
/** With what it is made or deployed, of which there are several. */
const beside = String.raw`(?:(?:is|are) ${often}(?:(?:written|implemented|programmed) (?:on|with)|built (?:on|with|in)|hosted (?:at|in|by)|deployed (?:with|via))|deploys? (?:on|with|via))`
const work = String.raw`(?<who>we|our (?:${people}|app|application|product|back-?end|front-?end|api|database|repo|repository|ci|pipeline|service|site|website|server|code(?: |)base|stack))`
/** What is so in place of something else. */
const nowAlone = String.raw`(?=[^,.;]*\b(?:now(?! that)|instead|nowadays|these days)\b)(?![^,.;]*\b(?:also|too|as well|both|partly|instead of)\b)`
const lately = String.raw`(?: have| has|['’]ve)?(?: just| recently| now| finally| all| fully| since)*`
const isNamed = (told = '') => /^["“'‘`*_]*[\p{Lu}\p{N}]/u.test(told)

/** Who works: what a team does, its members do. A company has several teams. */
function workersOf(who = ''): string {
  return /^our\s+(?:team|project)$/iu.test(who) ? 'we' : who.toLowerCase().replaceAll(/\s+/gu, ' ')
}

/** In what something is made, or on whose machines it runs; else that it uses that: what it runs on beside that may be a system or a runtime. */
function relationOf({ who, made: inWhat, value: told = '' }: RuleParts): string {
  if (inWhat !== undefined) return `${workersOf(who)} are made in`
  return isHost(nameIn(told)) ? `${workersOf(who)} run on` : `${workersOf(who)} use ${objectOf(told)}`
}

/** A purpose for which there is one at a time: there are several tools for tests, storage or the frontend. */
const purposeOfOne =
  /^(?:[\p{L}-]+ )?(?:cach(?:e|es|ing)|queues?|job queue|docs|documentation|wiki|issues|issue tracking|tickets|ticketing|version control|source control|code hosting|ci|ci\/cd)$/u

/** What something is used for or of which tools there is one at a time; undefined where it is used beside another. */
function onlyUseOf({ who, beside: other, value: told = '' }: RuleParts): string | undefined {
  if (other !== undefined) return undefined
  const purpose = purposeIn(told)
  if (purpose !== undefined) return purposeOfOne.test(purpose) ? `${workersOf(who)} use for ${purpose}` : undefined
  const tool = toolOf(objectOf(told))
  return tool === undefined ? undefined : `${workersOf(who)} use ${tool}`
}

/** The same, or else what it is used for: that it is not used for that any more ends it, as that it is not used at all does. */
function useOf(parts: RuleParts): string | undefined {
  const { who, value: told } = parts
  const used = purposeIn(told) === undefined ? undefined : `${workersOf(who)} use ${unused(told)}`
  return onlyUseOf(parts) ?? used
}

/** It has its purpose where its slot does not. */
function claimOfUse(parts: RuleParts): string {
  const { who, value: told } = parts
  return `${workersOf(who)} use ${onlyUseOf(parts) === undefined ? objectOf(told) : unused(told)}`
}

/** What is left: a host, or a tool for what it is left for. */
function leftOf(parts: RuleParts): string {
  const { who, old = '', value: told } = parts
  return isHost(objectOf(old)) && workersOf(who) !== 'we' && purposeIn(told) === undefined
    ? `${workersOf(who)} run on`
    : leftFor(`${workersOf(who)} use`)(parts)
}

/** What somebody says of what they work on. */
export const aboutWork: readonly Rule[] = [
  {
    kind: 'fact',
    by: 'user',
    confidence: 0.8,
    isName: true,
    negates: true,
    claim: leftOf,
    fits: ({ old }) => isNamed(old) && !isTime(old),
    pattern: words(
      `${work}${lately} (?:(?:switched|moved|migrated|changed)(?: over)? from|replaced) (?<old>\\S+(?: \\S+){0,2}?) (?:to|with|by) ${value}`,
    ),
  },
  {
    kind: 'fact',
    by: 'user',
    confidence: 0.8,
    isName: true,
    negates: true,
    claim: relationOf,
    fits: ({ made: inWhat, value: told }) =>
      purposeIn(told) === undefined && (inWhat !== undefined || isHost(nameIn(told))),
    pattern: words(`${nowAlone}${work} ${often}(?:(?<made>${made})|${runs}) ${value}`),
  },
  {
    kind: 'fact',
    by: 'user',
    confidence: 0.8,
    isName: true,
    claim: relationOf,
    pattern: words(`${work} ${often}(?:(?<made>${made})|${runs}) ${value}`),
  },
  {
    kind: 'fact',
    by: 'user',
    confidence: 0.8,
    isName: true,
    claim: ({ who, value: told }) => `${workersOf(who)} use ${objectOf(told)}`,
    pattern: words(`${work} ${often}${beside} ${value}`),
  },
  {
    kind: 'fact',
    by: 'user',
    confidence: 0.8,
    isName: true,
    slot: useOf,
    claim: claimOfUse,
    pattern: words(
      `(?:(?=(?<beside>[^.;]*\\b(?:also|too|as well|both|sometimes|partly|and|or)\\b))|)${work} ${often}uses? ${value}`,
    ),
  },
  {
    kind: 'fact',
    by: 'user',
    confidence: 0.8,
    isName: true,
    negates: true,
    claim: ({ who, value: told }) => `${workersOf(who)} use ${unused(told)}`,
    pattern: words(`${work}(?:${noLonger('uses?')}|(?: have| has|['’]ve)? stopped using) ${value}`),
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

/** Before what is said to have helped: that it did not, that it was to help, or that it says which one that is. */
const unhelped =
  /(?:n['’]t|\b(?:never|not|nothing|no longer|neither|nor|hardly|barely|scarcely|rarely|seldom|(?<![-\w])only|sort of|kind of|half|mostly|somewhat|briefly|initially|temporarily|allegedly|supposedly|at first|sometimes|may|might|should|must|can|could|would|will|cannot|to|that|which|who|what|he|she|they))(?:\s+(?:\p{L}+ly|yet|even|ever|been|be|have|has|had|quite|once))*\s*$/iu
/** Behind it: that it did in part, or for a time. */
const briefly =
  /\b(?:sort of|kind of|somewhat|half of|partially|partly|in part|mostly|more or less|temporarily|initially|at first|briefly|until|till|sometimes|occasionally|(?:some|most|half|part) of the time|or so (?:i|we|it)|(?:the|its|my) symptoms?|wrong (?:thing|bug|problem|issue|one)|but then|halfway|on paper|in theory)\b|\b(?:once|twice)\W*$|(?<!the )(?<![-\w])only\b|\bfor (?:now|(?:about |around |roughly |nearly |almost |just )?(?:an?|one|two|three|four|five|\d+|some|several|about|the) (?:few |couple of |short |little |good )?(?:while|bit|time(?: being)?|moment|seconds?|minutes?|hours?|days?|nights?|weeks?|weekend|months?)|most|some)\b/iu
/** What begins like a deed and is none. */
const noDeed =
  /^(?:including|excluding|during|nothing|anything|something|everything|morning|evening|king|spring|string|according|regarding|concerning|pending|assuming|considering|thinking|believing|hoping|knowing|saying|claiming|hearing|reading|realising|realizing|seeing|noticing|being|having)\b/iu
/** What was tried, or what was wrong, by no name. */
const unnamed =
  /^\p{L}+ing (?:all|everything|anything|various|several|some|many|different|the same)\b|^(?:the|this|that|my|our) (?:issue|problem|bug|error|thing|same)s?(?: (?:either|at all|after all|so far|yet|any ?more|now))*\W*$/iu
/** A fix that is named, or done; not what it was like, or what became of it. */
const deed =
  /^(?:(?:simply|just|actually|really|then|always) )?(?:to \p{L}|(?!(?:missing|working|breaking|failing|causing|lacking|pending|coming|going|being|having|wanting|interesting|surprising|confusing|disappointing|annoying|embarrassing|depressing|lasting|underwhelming|misleading|wanting|nothing)\b)\p{L}{2,}ing\b|`|(?:an?|the|my|our|one|two|three) )/iu
const judged =
  /^(?:(?:simply|just|actually|really) )?(?:an?|the|my|our|one) (?:(?:\p{L}+ly|very|bit|little|complete|total|big|huge|real|right|such) )*(?:disaster|hack|mistake|failure|nightmare|mess|bad|wrong|partial|temporary|incomplete|short-lived|band-?aid|half|joke|dead|regression|problem|one-?liner|good|easy|simple|hard|tricky|best|worst|worse|better|no-?op|placebo|same|cause|reason|no|waste|trivial|quick|dirty|ugly|lot|success|challenge|surprise|relief)\b/iu

const helped = ({ how = '', what = '' }: RuleParts): boolean =>
  !unhelped.test(how) && !briefly.test(what) && !noDeed.test(how)

/** What helped, and against what, in whatever order. */
function helpOf({ how, what }: RuleParts): string | undefined {
  const [done, trouble] = [plainly(how), plainly(what)]
  return done === '' || trouble === '' ? undefined : `${done} against ${trouble}`
}

/** Where a clause is followed by another. */
const afterwards = /[,;!()]|\.\s|\s(?:because|since|so|but|which)\s/iu

/** Words without those that say nothing of what. */
function plainly(told = ''): string {
  const named = (told.split(afterwards)[0] ?? '')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}+#.=_-]+|\.+(?=\s|$)/gu, ' ')
    .trim()
    .replace(sinceWhen, '')
  return named.replaceAll(/(?<!\S)(?:the|an?|my|our)\s/gu, '')
}

const didNot = String.raw`(?:(?:did|does|has|have|do)(?:n['’]t| not) (?:(?:really|actually|even|ever|fully|properly) )*|never (?:(?:really|actually|fully) )?|turned out not to |no longer )(?:have )?`

/** What helped against what was wrong. */
export const procedures: readonly Rule[] = [
  {
    kind: 'procedure',
    by: 'either',
    confidence: 0.8,
    fits: ({ value: told = '' }) => deed.test(told) && !judged.test(told) && !briefly.test(told),
    pattern: words(
      `(?:the|my|our) (?:actual |real )?(?:fix|solution|workaround) (?:was|turned out to be|that worked was) ${value}`,
    ),
  },
  {
    kind: 'procedure',
    by: 'either',
    confidence: 0.8,
    claim: helpOf,
    fits: ({ what = '', how = '' }) => !briefly.test(what) && !/\bfor (?:now|a (?:while|bit|moment|day))\b/iu.test(how),
    pattern: words(
      `(?:i |we |i['’]ve |we['’]ve |i have |we have )?(?:fixed|resolved|solved|worked around) (?<value>(?<what>.{3,120}?) by (?<how>[\\p{L}]+ing\\b.+))`,
    ),
  },
  {
    kind: 'fact',
    by: 'either',
    confidence: 0.85,
    negates: true,
    ends: 'procedure',
    claim: helpOf,
    fits: ({ how = '', what = '' }) => !noDeed.test(how) && !unnamed.test(how) && !unnamed.test(what),
    pattern: words(
      `(?<value>(?<how>[\\p{L}]{3,}ing .{3,160}?) ${didNot}(?:fix(?:ed|es)?|solved?|solves|resolved?|resolves|help(?:ed|s)? (?:with|against)) (?<what>(?:it|this|that|the|my|our)\\b.*))`,
    ),
  },
  {
    kind: 'procedure',
    by: 'either',
    confidence: 0.85,
    claim: helpOf,
    fits: helped,
    pattern: words(
      `(?<value>(?<how>[\\p{L}]{3,}ing .{3,160}?) (?:fixed|solved|resolved) (?<what>(?:it|this|that|the|my|our)\\b.*))`,
    ),
  },
  {
    kind: 'procedure',
    by: 'user',
    confidence: 0.85,
    fits: ({ value: told = '' }) => !briefly.test(told),
    pattern: words(
      `(?:it|that|this|everything) (?:works|worked|started working) (?:now |again )?(?<value>after (?:i |we )?[\\p{L}]+(?:ing|ed)\\b.+)`,
    ),
  },
]
