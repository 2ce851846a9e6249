import { am, clauseEnd, isNoLonger, noLonger, now, objectOf, often, value, words, type Rule } from './rule.ts'

const want = String.raw`(?:use|run|write|add|ask|check|include|reply|respond|answer|commit|push|format|create|delete|remove|mention|explain|avoid|assume|return|update|follow|link|cite|touch|edit|change|modify|install|deploy|merge|rebase|squash|sign|test|review|round|translate|cc|back(?: |)up|prefix|indent|confirm|verify|document|log|show|provide|highlight|tailor|suggest|recommend|summarize|summarise|list|describe|offer|call me|give(?! up)|keep(?! in mind| going| it up| up)|tell me|send me)`

const habit = 'use|write|drink|eat|wear|buy|fly|work|commit|deploy|run|test|cook|read|order|book|travel'

/** What somebody wants, likes and is used to. */
export const preferences: readonly Rule[] = [
  {
    kind: 'preference',
    by: 'user',
    confidence: 0.9,
    slot: ({ value: told }) => pairOf(told),
    claim: ({ value: told }) => preferred(told),
    pattern: words(`(?:i|we) ${often}prefer ${value}`),
  },
  {
    kind: 'preference',
    by: 'user',
    confidence: 0.9,
    negates: true,
    claim: ({ value: told }) => preferred(told),
    pattern: words(`(?:i|we)${noLonger('prefer')} ${value}`),
  },
  {
    kind: 'preference',
    by: 'user',
    confidence: 0.85,
    negates: true,
    slot: ({ value: told }) => `like ${objectOf(told)}`,
    pattern: words(
      `i${noLonger('love|like|enjoy')} (?<value>(?!(?:the|your|their|his|her|its|to|seeing|having)\\b)\\S.*)`,
    ),
  },
  {
    kind: 'preference',
    by: 'user',
    confidence: 0.85,
    slot: ({ value: told }) => `like ${objectOf(told)}`,
    pattern: words(
      `i(?: ${often}(?:love|enjoy|adore|hate|dislike|can['’]t stand|cannot stand|don['’]t like|do not like)|${am} (?:not )?an? (?:big |huge )?fan of) (?<value>(?!(?:the(?! (?:ocean|beach|sea|outdoors|mountains|countryside|snow|rain|theat(?:er|re)|gym|piano|guitar|violin)(?:[,.;!]| and\\b| so\\b|$))|their|his|her|its|to|seeing|having|getting|hearing)\\b)\\S.*)`,
    ),
  },
  {
    kind: 'preference',
    by: 'user',
    confidence: 0.8,
    // What is liked without a name is of the moment far more often: `I like the second one`.
    isName: true,
    slot: ({ value: told }) => `like ${objectOf(told)}`,
    pattern: words(`i ${often}(?:do )?like (?<value>(?!(?:the|your|an?)\\b)\\S.*)`),
  },
  {
    kind: 'preference',
    by: 'user',
    confidence: 0.95,
    isName: true,
    slot: ({ of }) => `favourite ${of?.toLowerCase()}`,
    claim: ({ of, value: told }) => `favourite ${of?.toLowerCase()} ${objectOf(told)}`,
    pattern: words(
      `my (?:(?:new|current|all-time|absolute) )*favou?rite (?<of>[\\p{L}][\\p{L} -]{1,30}?) (?:is|are)${now} ${value}`,
    ),
  },
  {
    kind: 'preference',
    by: 'user',
    confidence: 0.95,
    isName: true,
    negates: true,
    claim: ({ of, value: told }) => `favourite ${of?.toLowerCase()} ${objectOf(told)}`,
    pattern: words(`my (?:all-time |absolute )?favou?rite (?<of>[\\p{L}][\\p{L} -]{1,30}?)${isNoLonger} ${value}`),
  },
  {
    kind: 'preference',
    by: 'user',
    confidence: 0.9,
    slot: ({ value: told }) => `always ${objectOf(told)}`,
    pattern: words(
      `(?:please |pls |from now on,? |in (?:the )?future,? )*(?:always|never|don['’]t ever|do not ever) (?<value>${want}\\b.+)`,
    ),
  },
  {
    kind: 'preference',
    by: 'user',
    confidence: 0.9,
    slot: ({ value: told }) => standing(told),
    pattern: words(
      `(?:from now on|going forward|in (?:the )?future)[,:]? (?:please )?(?<value>(?:always |never |don['’]t |do not |only )?${want}\\b.+)`,
    ),
  },
  {
    kind: 'preference',
    by: 'user',
    confidence: 0.9,
    pattern: words(`i (?:want|need|expect) you to (?<value>(?:always|never) .+)`),
  },
  {
    kind: 'preference',
    by: 'user',
    confidence: 0.8,
    negates: true,
    slot: ({ value: told }) => `always ${objectOf(told)}`,
    pattern: words(
      `i(?: no longer| (?:don['’]t|do not)(?= \\S+(?: \\S+){0,4}? any(?: |)more\\b)) (?<value>(?:${habit})\\b.+)`,
    ),
  },
  {
    kind: 'preference',
    by: 'user',
    confidence: 0.8,
    slot: ({ value: told }) => `always ${objectOf(told)}`,
    pattern: words(`i (?:always|never) (?<value>(?:${habit})\\b.+)`),
  },
]

const overOther = /\s(?:over|to|rather than|instead of)\s/iu

/** What is preferred, and to what. */
function preferred(told = ''): string {
  const [first, second] = told.split(overOther, 2)
  return second === undefined ? `prefer ${objectOf(first)}` : `prefer ${objectOf(first)} over ${objectOf(second)}`
}

/** Of what is always to be done, or never, the words of that; undefined where more is said, which may be when. */
function standing(told = ''): string | undefined {
  const [wish = '', ...more] = told.replace(/^(?:always|never|don['’]t|do not)\s+/iu, '').split(clauseEnd)
  return more.some((one) => /[\p{L}\p{N}]/u.test(one)) ? undefined : `always ${objectOf(wish)}`
}

/** Of `X over Y` both, in one order: the other way round is the opposite. */
function pairOf(told = ''): string | undefined {
  const [first, second] = told.split(overOther, 2)
  if (first === undefined || second === undefined) return undefined
  return `prefer ${[objectOf(first), objectOf(second)].toSorted().join(' | ')}`
}
