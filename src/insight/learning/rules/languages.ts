import { words, type Rule, type RuleParts } from './rule.ts'

const languages =
  'afrikaans|albanian|arabic|armenian|basque|bengali|bosnian|bulgarian|catalan|(?:simplified |traditional |mandarin |cantonese )?chinese|mandarin|cantonese|croatian|czech|danish|dutch|english|estonian|esperanto|farsi|finnish|flemish|french|galician|georgian|(?:swiss |austrian )?german|greek|gujarati|hebrew|hindi|hungarian|icelandic|indonesian|irish|italian|japanese|kannada|kazakh|korean|latin|latvian|lithuanian|macedonian|malay|malayalam|maltese|marathi|mongolian|nepali|norwegian|pashto|persian|polish|(?:brazilian |european )?portuguese|punjabi|romanian|russian|serbian|slovak|slovene|slovenian|somali|(?:mexican |castilian )?spanish|swahili|swedish|swiss|tagalog|tamil|telugu|thai|turkish|ukrainian|urdu|uzbek|vietnamese|welsh|yiddish|zulu'
const language = String.raw`(?:(?:british|american|plain|simple) )?(?:${languages})(?![\p{L}\p{N}-])`
const toMe = String.raw`(?: to me| me| back| with me| to us| us)?`
const answers = '(?:all |everything|(?:all )?(?:of )?(?:your |the )?(?:answers|replies|responses))'
const answering = String.raw`(?:(?:answer|reply|respond|write|communicate|chat|talk|speak)${toMe}(?: only)?(?: ${answers})? in|(?:give|keep) ${answers} in|(?:speak|talk)(?: only)?) `
const answeringNot = String.raw`(?:(?:answer|reply|respond|writ|communicat|chat|talk|speak)(?:e|t?ing)?${toMe}(?: ${answers})? in|(?:speak|talk)(?:ing)?) `
const standing = String.raw`from (?:now|here|today) on(?: out)?|going forward|in (?:the )?future|always|at all times`
const leading = String.raw`(?<led>(?:(?:please|pls|ok(?:ay)?|only|i (?:want|need|expect) you to|i['’]d like you to|you (?:should|must|shall)|${standing})[,:]? )*)`

const isStanding = new RegExp(String.raw`\b(?:${standing})\b`.replaceAll(' ', String.raw`\s+`), 'iu')
const saysNoMore = new RegExp(
  String.raw`^(?:[\s,.!;()*_"”]|(?:${standing}|now|again|instead|after all|please|pls|only|thanks|thank you|with me|to me|(?:and )?(?:not|never|instead of|rather than|no longer)(?: in)? ${language}|any(?: |)more)(?![\p{L}\p{N}]))*$`.replaceAll(
    ' ',
    String.raw`\s+`,
  ),
  'iu',
)

/** Whether it is to be so always, and not where something is the case alone. */
const isAlways = ({ rest = '' }: RuleParts) => saysNoMore.test(rest)

/** In which language somebody is to be answered: one at a time. */
export const answerLanguages: readonly Rule[] = [
  {
    kind: 'preference',
    by: 'user',
    confidence: 0.9,
    negates: true,
    claim: (parts) => (isAlways(parts) ? claimOf(parts) : undefined),
    pattern: words(
      `${leading}(?:never|don['’]t(?: ever)?|do not(?: ever)?|stop) (?<value>${answeringNot}(?<of>${language})(?<rest>.*))`,
    ),
  },
  {
    kind: 'preference',
    by: 'user',
    confidence: 0.9,
    slot: (parts) => (isAlways(parts) ? 'language of answers' : undefined),
    claim: (parts) => (isAlways(parts) ? claimOf(parts) : undefined),
    fits: ({ led = '', rest = '' }) => isStanding.test(led) || isStanding.test(rest),
    pattern: words(`${leading}(?<value>${answering}(?<of>${language})(?<rest>.*))`),
  },
]

function claimOf({ of = '' }: RuleParts): string {
  return `answer in ${of.toLowerCase().replaceAll(/\s+/gu, ' ')}`
}
