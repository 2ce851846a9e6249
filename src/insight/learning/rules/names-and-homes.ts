import { isCountry, isRegion, place } from './places.ts'
import { am, clauseEnd, nameIn, noLonger, now, often, value, words, type Rule } from './rule.ts'

/** Whom one calls so by one word may be called so by another who knows them in full: neither says anything against the other. */
function nameSlot(told = ''): string {
  const [name = ''] = told.split(clauseEnd)
  return /^\S+\s(?:(?:al|ap|bin|da|de|del|den|der|di|du|el|la|le|ten|ter|van|von)\s)*\p{Lu}/u.test(name)
    ? 'name'
    : 'first name'
}

/** Of a city, and of the country that it is in, one can be from at once; and of regions of any size, which are in each other. */
function originSlot(told = ''): string | undefined {
  const [from = ''] = told.split(clauseEnd)
  if (isRegion(from)) return undefined
  return isCountry(from) ? 'country of origin' : 'origin'
}

function birthSlot(told = ''): string | undefined {
  // When somebody was born says nothing of where.
  if (time.test(told)) return 'birth'
  const origin = originSlot(told)
  return origin === undefined ? undefined : `birthplace, ${origin}`
}

const time =
  /^(?:the |early |late |mid-?)*(?:\d|(?:january|february|march|april|may|june|july|august|september|october|november|december)\b)/iu
/** What of a move does not last, or is long over. */
const passingMove = String.raw`(?![^,;.]*\b(?:when i was|as an? (?:child|kid|teen\p{L}*|baby|student)|until|for (?:the (?:summer|winter|spring|autumn|fall|week|weekend|month|semester|season|holidays?|time being)|(?:an?|one|two|three|four|five|six|a few|a couple of|some|several|\d+) (?:days?|weeks?|months?)))\b)`

/** What somebody says of their name, and of where they live and are from. */
export const namesAndHomes: readonly Rule[] = [
  {
    kind: 'fact',
    by: 'user',
    confidence: 0.95,
    isName: true,
    slot: ({ value: told }) => nameSlot(told),
    pattern: words(`(?:my (?:full )?name(?: is|['’]s)${now}|i${am}${now} called) ${value}`),
  },
  {
    kind: 'fact',
    by: 'user',
    confidence: 0.95,
    isName: true,
    slot: () => 'first name',
    pattern: words(`my first name is${now} ${value}`),
  },
  {
    kind: 'fact',
    by: 'user',
    confidence: 0.95,
    isName: true,
    slot: () => 'nickname',
    pattern: words(
      `(?:please )?(?:just )?call me (?<value>(?!(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|Tomorrow|Later|Back)\\S.*)`,
    ),
  },
  {
    kind: 'fact',
    by: 'user',
    confidence: 0.9,
    isName: true,
    slot: ({ value: told }) => nameSlot(told),
    pattern: words(`i${am} (?<value>\\p{Lu}[\\p{L}'’-]+, (?:an?|the) .*)`),
  },
  {
    kind: 'fact',
    by: 'user',
    confidence: 0.9,
    isName: true,
    slot: () => 'home',
    claim: ({ value: told }) => `home ${nameIn(told)}`,
    pattern: words(`i(?: ${often}live in|${am}${now} (?:living|based|located) in) ${value}`),
  },
  {
    kind: 'fact',
    by: 'user',
    confidence: 0.9,
    isName: true,
    happened: true,
    slot: () => 'home',
    claim: ({ at }) => `home ${nameIn(at)}`,
    pattern: words(
      `i(?: have|['’]ve)?(?: just| only just| recently| finally| now| actually| also)* (?:moved|relocated)(?: back| over| up| down| out| here)?(?: from \\S+(?: \\S+){0,2}?)? to (?<value>${passingMove}(?<at>${place}).*)`,
    ),
  },
  {
    kind: 'fact',
    by: 'user',
    confidence: 0.9,
    isName: true,
    negates: true,
    claim: ({ value: told }) => `home ${nameIn(told)}`,
    pattern: words(`i(?:${noLonger('live in')}|${am} no longer (?:living|based|located) in) ${value}`),
  },
  {
    kind: 'fact',
    by: 'user',
    confidence: 0.85,
    isName: true,
    slot: ({ value: told }) => originSlot(told),
    pattern: words(`i${am} (?:originally )?from ${value}`),
  },
  {
    kind: 'fact',
    by: 'user',
    confidence: 0.85,
    isName: true,
    slot: ({ value: told }) => birthSlot(told),
    pattern: words(`i was born in ${value}`),
  },
  // One can have grown up in several.
  { kind: 'fact', by: 'user', confidence: 0.85, isName: true, pattern: words(`i (?:grew up|was raised) in ${value}`) },
]
