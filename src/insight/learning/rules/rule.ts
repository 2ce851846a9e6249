import type { FactKind } from '../fact.ts'

/** What a rule has found: the named parts of its pattern. */
export type RuleParts = Readonly<Record<string, string | undefined>>

/** A way in which people say something that is worth knowing in another session. */
export interface Rule {
  readonly kind: FactKind
  /** Who may say it: of an assistant only what it did or what was decided is taken, never what it says of anybody. */
  readonly by: 'user' | 'either'
  /** Matches at the start of a clause. The group `value` is what is told; a value that is vague is not taken. */
  readonly pattern: RegExp
  readonly confidence: number
  /** The value is a name: it begins with a capital or a figure. */
  readonly isName?: true
  /** What it is the answer to, where there is one answer at a time. */
  readonly slot?: (parts: RuleParts) => string | undefined
  /** What it says, in the words in which a rule that `negates` would end it; of such a rule, what it ends. */
  readonly claim?: (parts: RuleParts) => string | undefined
  /** Whether it is so, where the pattern takes more than that. */
  readonly fits?: (parts: RuleParts) => boolean
  /** The kind of what it ends, where that is another than its own. */
  readonly ends?: FactKind
  /** It says that something is so no longer. With a claim and no slot it ends that alone, and nothing else that was said in its place. */
  readonly negates?: true
  /** It tells what happened once and has been so since: when it happened is no condition, and does not make it over soon. */
  readonly happened?: true
}

/* The words that many patterns have. */
export const value = String.raw`(?<value>\S.*)`
export const my = String.raw`(?:my|our)`
export const am = String.raw`(?: am|['’]m)`
export const often = String.raw`(?:(?:really|generally|usually|strongly|much|personally|always|also|still|just|mostly|mainly|currently|now|absolutely|particularly|especially) )*`

/** Since when: `is now`. */
export const now = '(?: now| currently)?'
/** That it is so no longer, behind a subject. */
export const isNoLonger = String.raw`(?: (?:is|are) no longer| (?:is|are|isn['’]t|aren['’]t)(?: not)?(?= \S+(?: \S+){0,3}? any(?: |)more\b))`

/** Of a verb and its preposition: that it is so no longer. */
export const noLonger = (verb: string) =>
  String.raw`(?: no longer (?:${verb})| (?:don['’]t|do not|doesn['’]t|does not) (?:${verb})(?= \S+(?: \S+){0,3}? any(?: |)more\b))`

/** A pattern of words, with one space for any white space. */
export function words(source: string): RegExp {
  return new RegExp(source.replaceAll(' ', String.raw`\s+`), 'iuy')
}

/** Where what a value is about ends. */
export const clauseEnd = /[,;.!()]|\s[-–—]\s|\s(?:because|since|as|so|but|and|when|while|which|for|to avoid)\s/iu

/** Words at the end of a value that say since when, or against what was said before, and nothing of what. */
export const sinceWhen =
  /(?: (?:too|also|as well|now|nowadays|these days|again|instead|then|either|at all|after all|in the end|at last|anyway|please|already|today|from (?:now|here|today|then) on|going forward|once and|any ?more))+$/u
/** Behind this stands what something is taken for, or in place of. */
const inPlaceOf = /\s(?:instead of|rather than|in place of|over|not)\s.*$/iu

/** The words that name what a value is about. */
export function objectOf(told = ''): string {
  return (told.split(clauseEnd)[0] ?? '')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}+#.-]+/gu, ' ')
    .trim()
    .replace(sinceWhen, '')
}

/** A place or a company, without what is said of it. */
export function nameIn(told = ''): string {
  const [name = ''] = objectOf(told).split(/ (?:with|near|at|in|on|from|to|until|since) /u)
  return name.replace(/^(?:the|an?) /u, '')
}

/** The same without what it is taken in place of. */
export function chosenIn(told = ''): string {
  return objectOf(told.replace(inPlaceOf, ''))
}

/** What is no purpose: for how long, for whom that is there, and how. */
const noPurpose =
  /^(?:now|good|ever|free|sure|fun|once|example|instance|real|it|this|that|these|those|them|him|her|me|us|you|everyone|everybody|all|(?:moment|time being|rest|day|night|weekend|week|month|year|next|last|first|time)\b.*|(?:soon|well|of|per|long|much|many|possible|follows|usual|always|before|planned|is|agreed|discussed)(?: .*)?|(?:an?|one|two|three|four|five|six|a few|several|some|another|\d+) (?:more |few |couple of )?(?:seconds?|minutes?|hours?|days?|weeks?|weekends?|months?|quarters?|sprints?|years?|while|bit|moment|time|change)\b.*|)$/u

/** What something is for: of `Redis for the sessions` the sessions. */
export function purposeIn(told = ''): string | undefined {
  const purpose = /\s(?:for|as)\s(?:all |both )?(?:of )?(?:our |the |my )?(.+)$/iu.exec(told)?.[1]
  if (purpose === undefined) return undefined
  const named = chosenIn(purpose)
  return noPurpose.test(named) ? undefined : named
}

/** What is used no longer, and for what where that is said: it may be used for something else. */
export function unused(told = ''): string {
  const purpose = purposeIn(told)
  return purpose === undefined ? objectOf(told) : `${objectOf(told)} for ${purpose}`
}

/** Whether it is a day or an hour, which people move from too. */
export function isTime(told = ''): boolean {
  return /^\W*(?:(?:(?:mon|tues|wednes|thurs|fri|satur|sun)days?|january|february|march|april|may|june|july|august|september|october|november|december|q[1-4]|week \d+|\d{1,2}(?::\d\d)?\s?(?:am|pm|h|o['’]clock)|\d{1,2}:\d\d|\d{1,2}(?:st|nd|rd|th))\b|\d{1,2}$)/iu.test(
    told,
  )
}

/** What `from X to Y` says of X, in the words in which it was used: where it is for a purpose, it is left for that alone. */
export const leftFor =
  (use: string) =>
  ({ old, value: told }: RuleParts) => {
    const purpose = purposeIn(told)
    return `${use} ${objectOf(old)}${purpose === undefined ? '' : ` for ${purpose}`}`
  }
