import { detectionsOf, type Detector } from '../detection.ts'
import { nameSource, noName } from './name-words.ts'

const titles =
  'Mr|Mrs|Ms|Miss|Mx|Messrs|Dr|Prof(?:essor)?|Sir|Dame|Lord|Lady|Rev|Fr|Judge|Justice|Captain|Capt|Col|Sgt|Lt|Herrn?|Frau|Mme|Mlle|Monsieur|Madame|Señora?|Sra?|Don|Doña|Sig(?:nora?)?|Dott|Pan[ií]?|Dhr|Mevr'
const titled = new RegExp(`(?<![\\p{L}\\p{N}])((?:(?:${titles})\\.? ){1,3}${nameSource})`, 'gu')
/** What comes right before a name, in a few languages. */
const cues =
  "(?:[Mm]y|[Hh]is|[Hh]er|[Tt]heir|[Mm]aiden|[Ff]ull|[Pp]artner[’']s|[Cc]ustomer|[Pp]atient|[Aa]pplicant)(?: maiden| full| last| first| given| family)? name(?: is|:| was)?|\\bnamed|\\bnée|\\bcalled|[Nn]ame ?:|nationals?,|citizens?,|represented by|signed by|[Rr]egards,|[Ss]incerely,|[Ww]itness(?:es)?|[Aa]ttention:|\\bc/o|[Dd]ear|mein Name ist|ich heiße|je m[’']appelle|me llamo|mi nombre es|mi chiamo|meu nome é"
const cued = new RegExp(`(?<![\\p{L}\\p{N}])(?:${cues})(?:,? (?:to )?|\\n{1,2})[“"‘']?(${nameSource})`, 'gu')
/** After "my name is", also one that is written small. */
const cuedSmall =
  /(?<![\p{L}\p{N}])my (?:full |last |first )?name(?: is|'s|’s)\s(\p{Ll}{2,20}(?: \p{Ll}{2,20})?)(?![\p{L}\p{N}])/giu
/** The further names of a list that began with a title: "Mr A. Bauer and Josef Fischer". */
const further = new RegExp(
  `(?<=(?:${titles})\\.? [\\p{L}\\p{M}'’. -]{2,60}(?:,| and|, and| or)\\s)(${nameSource})`,
  'gu',
)

function isName(found: string): boolean {
  const [first] = found.toLowerCase().split(/[ .]/u)
  return first !== undefined && !noName.has(first)
}

/** Names of people that a title or a phrase announces. */
export const cuedNames: Detector = (text) => [
  ...detectionsOf(text, { type: 'person', pattern: titled, confidence: 0.8 }),
  ...detectionsOf(text, { type: 'person', pattern: cued, confidence: 0.75, accepts: isName }),
  ...detectionsOf(text, { type: 'person', pattern: cuedSmall, confidence: 0.7, accepts: isName }),
  ...detectionsOf(text, { type: 'person', pattern: further, confidence: 0.7, accepts: isName }),
]
