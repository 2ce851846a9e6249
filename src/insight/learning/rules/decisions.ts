import { am, chosenIn, purposeIn, value, words, type Rule, type RuleParts } from './rule.ts'

const choosing = String.raw`(?:us(?:e|ing)|adopt(?:ing)?|go(?:ing)? (?:back to|with|for)|stick(?:ing)? (?:with|to)|stay(?:ing)? (?:with|on)|switch(?:ing)? (?:back )?(?:from \S+(?: \S+)? )?(?:to|over to)|mov(?:e|ing) (?:back )?(?:from \S+(?: \S+)? )?to|migrat(?:e|ing) (?:from \S+(?: \S+)? )?to|standardi[sz](?:e|ing) on|settl(?:e|ing) (?:on|for)|pick(?:ing)?|choos(?:e|ing)|select(?:ing)?|keep(?:ing)?|opt(?:ing)? for)`
const deciding = new RegExp(
  String.raw`^(?:(?:to|on|for|against)\s+)?(?:(?:we|i)(?:['’]ll| will|['’]re going to| are going to)?\s+)?(?:(?:not\s+)?${choosing.replaceAll(' ', String.raw`\s+`)}\s+)?`,
  'iu',
)

/** What something is decided for, where it is a choice: of `use Redis for sessions` the sessions. Of other deeds there may be several. */
function purposeOf(told = ''): string | undefined {
  const led = deciding.exec(told)?.[0] ?? ''
  const isChoice = /\S/u.test(led.replace(/^to\s+/iu, '')) || /^\S+(?:\s+[\d.]+)?\s+(?:for|as)\s/iu.test(told)
  const purpose = isChoice ? purposeIn(told) : undefined
  return purpose === undefined ? undefined : `for ${purpose}`
}

/** What was chosen, and for what, in whatever words it was. */
function choiceOf({ value: told = '' }: RuleParts): string {
  return `${chosenIn(told.replace(deciding, ''))} ${purposeOf(told) ?? ''}`.trim()
}

/** The same where the words that choose stand before the value. */
const chosen = {
  slot: ({ value: told = '' }: RuleParts) => {
    const purpose = purposeIn(told)
    return purpose === undefined ? undefined : `for ${purpose}`
  },
  claim: ({ value: told = '' }: RuleParts) => choiceOf({ value: `on ${told}` }),
  fits: ({ value: told }: RuleParts) => isLasting(told),
} as const

/** What was decided is one thing for a purpose, and that it is not to be says nothing of what else is. */
const decided = {
  slot: ({ value: told }: RuleParts) => purposeOf(told),
  claim: choiceOf,
  fits: ({ value: told }: RuleParts) => isLasting(told),
} as const
const rejected = { negates: true, claim: choiceOf, fits: decided.fits } as const

/** What was decided. */
export const decisions: readonly Rule[] = [
  {
    kind: 'decision',
    by: 'either',
    confidence: 0.9,
    ...rejected,
    pattern: words(
      `(?:final |our )?decision: (?:(?:we|i) )?(?:do not|don['’]t|will not|won['’]t|not to|not(?= (?:use|using|adopt|going)\\b)|no(?= \\S+ (?:for|as) )) ${value}`,
    ),
  },
  { kind: 'decision', by: 'either', confidence: 0.9, ...decided, pattern: words(`(?:final |our )?decision: ${value}`) },
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
    ...chosen,
    pattern: words(
      `(?:ok(?:ay)?,? |then )?let['’]s (?:go with|stick with|stick to|switch to|settle on|standardi[sz]e on|adopt|use) ${value}`,
    ),
  },
  {
    kind: 'decision',
    by: 'user',
    confidence: 0.85,
    ...chosen,
    pattern: words(
      `(?:we|i)(?:['’]ll| will|['’]re| are|${am}) (?:going with|go with|switching to|moving to|sticking with|stick with|standardi[sz]ing on|going to (?:use|go with|switch to|move to|stick with)) ${value}`,
    ),
  },
]

/** Where a deed ends: with it, or with a place or a time of everyday life. What else stands there says that a system does it. */
const over = String.raw`(?=$| (?:(?:at|in|on|to|near|by|down) (?:(?:the|my|our|your|a|his|her|their|this) )?(?:home|work|office|school|hotel|airport|station|city|town|house|party|park|hall|lobby|corner|street|(?:first|second|third|top|ground) floor|kitchen|garden|beach|mall|shop|store|restaurant|caf[eé]|bar|weekend|morning|afternoon|evening|night|way)s?\b|today|tonight|tomorrow|now|instead|again|together|first|there|here|later|afterwards|alone|anyway|soon|early|late|too|(?:this|next|every) (?:morning|afternoon|evening|night|day|week|weekend|month|time)))`
const withWhom = String.raw`(?:${over}|(?= (?:with|about|from|off)\b))`
/** Where no noun follows, that would be what it is about: `array jobs`. */
const noNoun = String.raw`(?=$|[^\p{L}\s-]| (?:here|there|for|to|in|instead|of|over|inside|with|that|which|rather|and|or|from|on|at|as|now|then)\b)`

/** What is done next where people talk or work, and is over then. */
const nextStep = [
  String.raw`(?:look|looking) (?:at|into|through|over|for|around|again)\b|(?:take|have) (?:another |a (?:quick |closer |short |small )?)?(?:look\b|(?:break|pause|breather|nap|walk|chat|call)\b${withWhom})`,
  String.raw`check (?:if|whether|out|back|how|what|why)\b|start (?:by|over|here|there|again)\b|start from (?:scratch|here|there|the (?:beginning|start|top))\b|(?:start|begin) with (?:(?:this|that|it|what|how|why|you|me|something)\b|(?:the |an? |my |our |your |one )?(?:\p{L}+ )?(?:basics?|beginning|first|simple|simplest|easy|easiest|small|smallest|hard|hardest|parts?|steps?|questions?|sections?|chapters?|introduction|intro|examples?|overview|outline)\b)|begin (?:by|from|here)\b|proceed(?: (?:step|now|then|to|as)\b|$)|move on\b|come back(?:${over}| to (?:this|that|it|you|(?:the|this|that|our) (?:topic|question|point|issue|subject|discussion))\b)|get (?:started|going)\b|get back(?:$| to (?:it|this|that|work|you|him|her|them)\b)`,
  String.raw`go (?:ahead|on)\b|go (?:over|through) (?:it|this|that|them|these|those|(?:the|my|our|your|all|each) (?:\p{L}+ )?(?:lists?|code|files?|steps?|questions?|points?|notes|details|plan|text|documents?|docs|agenda|slides|changes|diff|results|options|examples?|reports?|data|logs?))\b|go to (?:(?:a|the) )?(?:bed|sleep|school|work|dinner|lunch|breakfast)\b|go back (?:home|to (?:bed|sleep|work|school|the (?:beginning|start)))\b|wait (?:here|and see|for (?:you|him|her|them))\b|wait(?: (?:an?|one|two|some|\d+)(?: few)? (?:bit|moment|while|minute|second|sec|hour|day|week|month)s?)?${over}|stop here|call it (?:a day|a night|quits|off|done)\b|pause (?:here|for a)\b`,
  String.raw`discuss (?:it|this|that|them|these|those|everything|things|further|more|the (?:rest|details|matter|issue|topic|idea|plan))\b|(?:discuss|talk|speak|chat)(?:${withWhom}| (?:to (?:him|her|them|each other)|more|some more|things)\b)|(?:catch up|disagree)\b|meet (?:up|at|in|on|again|tomorrow|next|later|for)\b|(?:ask|tell|call|text|email|message|help|thank|visit|see|show|give|send) (?:him|her|them|the (?:others|boss)|[\p{L}]+ (?:a call|tomorrow|tonight))\b`,
  String.raw`(?:look|check|read|see|try)\b.* first$`,
  String.raw`(?:the |a |an )?(?:next|another|different|new|following|previous|last|second|third|other|remaining) (?:\p{L}+ )?(?:topic|question|point|step|section|chapter|subject|problem|exercise|slide|scene|round|thing|one|place|house|home|flat|apartment|city|town|country|seat)s?\b`,
  String.raw`the (?:next|following|previous|last|remaining|other) (?:\p{L}+ )?(?:task|item|page|file|issue|phase|level|part|room|stage)s?\b`,
  String.raw`(?:the |an? |my |our |this |some )(?:(?:above|same|simple|concrete|small|quick|short|real|following) )*(?:example|sample|analogy|metaphor|snippet|placeholder|formula|following)\b(?! (?:rate|size|period|frequency|interval|mean)s?\b)`,
  String.raw`(?:an? |the |some )?(?:simple |single |plain |nested |second )?(?:(?:for|while|do|for-?each)[ -]loop|loop|(?:list|dict) comprehension|regex(?:p|es)?|regular expression|helper(?: function)?|ternary|if[ -](?:statement|else)|switch statement|try[ -](?:catch|except)|(?:local |temporary |global )?variable|dict(?:ionary)?|array|tuple|print statement|breakpoint)s?\b${noNoun}`,
]
/** What is decided every day, and of no use in another session. */
const everyday = [
  String.raw`(?:the |a |my |your |our |this |that )(?:(?:bathroom|rest(?: |)room|toilet|loo|shower|gym|stairs|lift|elevator|escalator|bus|train|tram|subway|metro|car|taxi|cab|bike|phone|kitchen|oven|microwave|umbrella|pool|bed|couch|sofa|other (?:side|room)|flow)\b${over}|(?:opportunity|chance|time|day|evening|weekend|money|rest)\b(?:${over}|(?= (?:to|on)\b|(?: of (?:the|my|our) (?:day|evening|night|week|weekend|month|year|time|money)\b))))`,
  String.raw`(?:eat|drink|sleep|cook|relax)(?: (?:in|out|more|less|(?:(?:some|an?) )?(?:lunch|dinner|breakfast|coffee|tea|pizza|sushi|bit|while|little)))*${over}|walk(?: (?:home|back|there))?${over}|leave(?: (?:now|early|home|town|at (?:\d|noon|midnight|once)|the (?:house|party|office))\b|$)|go (?:for an? (?:\p{L}+ )?(?:walk|run|swim|ride|drive|drink|coffee|beer|hike|jog|bite|meal|pizza|picnic|trip|stroll)\b|(?:out|home)${withWhom}|(?:shopping|swimming|hiking|jogging)\b)|(?:order|grab|get|have) (?:some |a |an )?(?:lunch|dinner|breakfast|coffee|tea|drinks?|pizza|sushi|food|take(?: |)out|fun|party|snack|bite|sleep)\b(?:${withWhom}|(?= for\b))`,
  String.raw`watch (?:an? |the |some )(?:movie|film|show|game|series|episode|match)\b${withWhom}|stay (?:home|at home|here|up(?! to date))\b|take (?:a|the) (?:bus|train|taxi|cab|walk|shower|bath|day|photo|picture)\b(?:${withWhom}|(?= to\b))`,
  String.raw`(?:my|his|her|their|some|a few) (?:friends?|famil(?:y|ies)|wife|husband|partner|girlfriend|boyfriend|mom|mum|dad|mother|father|parents|brother|sister|kids|son|daughter|colleagues?|cousins?)\b|(?:go|going|come|head|drive|walk|run|get|ride|bike) to (?:dinner|lunch|breakfast|(?:the|an?) (?:movies|cinema|concert|party|game|beach|park|store|shop|gym|doctor|airport|museum|restaurant))\b`,
]
/** What says nothing by itself: when it was decided, or that it was little. */
const empty =
  /^(?:(?:nothing|everything|anything|something|most|some|many|all|much|little|things?|one thing|terms|principle|ourselves|myself|a (?:lot|few|bit|couple|date|time|day|place|plan|price|number|compromise|solution|name|topic|course|way forward|path forward|few (?:points|things))|(?:the|our|these|those) (?:date|time|day|place|plan|price|details|terms|basics|spot|fly|point|same|spur of the moment|way (?:here|home)|(?:next|first) steps?)|a whim|\d{1,2}(?::\d\d)?\s?(?:am|pm|o['’]clock)?|(?:(?:early|late|last|next|this)\s)?(?:mon|tues|wednes|thurs|fri|satur|sun)days?(?: (?:morning|afternoon|evening|night))?|(?:the )?(?:\d{1,2}(?:st|nd|rd|th)?(?: of)? )?(?:january|february|march|april|may|june|july|august|september|october|november|december)(?: \d{1,2}(?:st|nd|rd|th)?)?(?:,? \d{4})?)(?: (?:so far|yet|already|today|yesterday|again|instead|at the meeting))?)$/iu
/** It points to who or what was there, or is the first of several steps. */
const ofThisMoment =
  /\b(?:here|there|below|above|right now|for a (?:sec(?:ond)?|moment|minute|bit))$|\b(?:you|your|yours)\b|^(?:for (?:a )?(?:reason|fun))\b/iu
const ofTheMoment = new RegExp(
  String.raw`^(?:${[...nextStep, ...everyday].join('|').replaceAll(' ', String.raw`\s+`)})`,
  'iu',
)

/** Whether what was decided may be of use in another session. */
function isLasting(told = ''): boolean {
  const [clause = ''] = told.split(/[,;]\s|\s[-–—(]|\s(?:but|because|which|so)\s/iu)
  const what = clause
    .replace(/(?<![\s.!,;)*_`"”])[\s.!,;)*_`"”]+$/u, '')
    .replace(
      /^(?:to|on|for|against|that)\s+(?:(?:us(?:e|ing)|go(?:ing)? with|mov(?:e|ing) (?:on )?to|switch(?:ing)? to)\s+)?/iu,
      '',
    )
    .replace(/^(?:just|first|now|then|simply|also)\s+/iu, '')
  return !empty.test(what) && !ofThisMoment.test(what) && !ofTheMoment.test(what)
}
