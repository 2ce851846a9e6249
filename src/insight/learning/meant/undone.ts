import type { RuleParts } from '../rules/rule.ts'
import type { OwnSentence } from './own-sentences.ts'

/*
 * What is said of something that helped, or of what was just told, which shows that it did not, or not for long: `it came back`, `wait, no`.
 */

const opening = String.raw`^[\s*_"“]*(?:(?:oh|ah|ugh|hm+|oops|ok(?:ay)?|sorry|well)\b[\s,.!…–—-]*)*`
const isSoNot = String.raw`that(?:['’]s| is| was) (?:(?:totally|completely|actually|just|all) )?(?:wrong|incorrect|(?:my|our|the) (?:old|previous|former)\b)|that(?:['’]s| is| was)(?: not|n['’]t) (?:(?:actually|quite|really) )?(?:true|right|correct)`
/** How a sentence begins that takes back the one before it. What bears it out (`that is right`, `actually, that is why`) does not. */
const correction = new RegExp(
  String.raw`${opening}(?:(?:(?:wait|actually|hang on|hold on)[\s,.!…–—-]+)?(?:${isSoNot})\b|(?:wait|actually|hang on|hold on|oops)[\s,.!…–—-]+(?:no\b(?! (?:one|need|problem|worries|matter|doubt|wonder|other|idea|more)\b)|not (?:really|quite|exactly|any ?more)\b|scratch)|scratch (?:that|it)\b|no,? wait\b(?! (?:time|list))|(?:i )?take (?:it|that) back\b|(?:i|we) (?:was|were) wrong(?: there| (?:about|on) (?:that|this|it))?\s*(?:[.,;:!–—-]|$)|i meant\b(?! to\b(?! (?:say|write|type)\b))|correction\b\s*[:,.–—-])`,
  'iu',
)
/** The same by the name of what is so in its place, or is not. */
const otherName =
  /^\W*(?:(?:[Ww]ait|[Aa]ctually|[Hh]ang on|[Hh]old on|[Oo]ops|[Ss]orry)\W+not (?:in |at |on |for )?\p{Lu}|I mean\W+(?:in |at |on |for )?(?!I\b)\p{Lu}[\p{L}\p{N}.-]*(?: \p{Lu}[\p{L}\p{N}.-]*)*[\s.!]*(?:$|, not\b))/u
/** The same of what helped. */
const denial = new RegExp(
  String.raw`${opening}(?:(?:no|nope|nah)(?!\W+(?:(?:that|it|this)(?:['’]s| is| was) (?:all|it|everything|the only)|nothing|thanks|thank you|more|further|need|problem|worries))(?:[,.!;:–—-]|\s+(?:that|it)(?:['’]s|\s+(?:is|was|did|only))\b)|false alarm\b|(?:i )?spoke too soon\b|not (?:really|quite|any ?more|for long)\b)`,
  'iu',
)

/** What says of something that helped that it did not, or that it is gone again. */
const failed =
  /\b(?:came|comes|come|(?:is|are|was|were|['’]s) (?:now )?)\s*back\b(?! (?:up|online|to normal|to green))|\b(?:returned|returns|re-?appear(?:s|ed)|re-?occur(?:s|red)|persist(?:s|ed)|(?:problem|issue|bug|error|crash) (?:remains|remained))\b|\b(?:br[eo]aks?|broke|broken|fail\w*|crash\w*|happen\w*|hang\w*|hung|stopp\w*|leak\w*|dropp\w*|tim(?:es|ed) out|died|dies|down|flaky|red|slow) (?:once )?(?:again|any ?way|all the same)\b|\bnot (?:for (?:long|good|ever)|really|quite|entirely|completely|always)\b|\bstill (?:there|here|broken|present|persists?|exists?|flaky|not\b|the same|see\w*|get\w*|fail\w*|crash\w*|happen\w*|hang\w*|leak\w*|drop\w*|occur\w*|tim(?:es|ing) out)|\b(?:revert(?:ed)?|roll(?:ed)? (?:\S+ ){0,2}back|undid|undone|backed (?:\S+ )?out)\b|\b(?:only|just|merely) (?:hid|hides|masked|masks|delayed|delays|moved|papered|worked|works|helped|helps|lasted|lasts|treat\w*|postponed)\b|\b(?:made (?:it|things?|everything)|(?:is|was|were|are|got) (?:even |much |actually )?)\s*worse\b|(?:n['’]t|\bnot|\bnever) (?:(?:really|actually|fully|entirely|quite|even|properly|completely|help to) )*(?:help|helped|fix|fixed|work|worked|working|last|hold|solve|solved|resolve|resolved|stick|enough|true|gone|the (?:\p{L}+ )?(?:cause|fix|case|problem|reason|solution))\b|\b(?:was|is|were|turned out to be|proved) (?:\p{L}+ )?(?:wrong|incorrect|mistaken|premature|unrelated|useless|incomplete|short-lived|insufficient|(?:a )?(?:pure )?(?:coincidence|red herring|luck|false alarm|placebo))\b/giu
/** Before that: it does so no longer, or did so before. */
const noLongerSo =
  /(?:n['’]t|\b(?:never|no longer|not(?! only)|nothing|none(?: of \S+)?|no|without))(?:\s+[\p{L}'’]+){0,2}\s*$|\b(?:had(?! to\b)|used to|before (?:that|this|then)|until (?:then|now)|previously|formerly|earlier|in the past)\b[^.;]*$/iu
/** Behind it: that it was before. */
const wasBefore = /^[^.;]*?\b(?:before(?: (?:that|this|then))?|previously|until then|in the past)\W*(?:$|[.;])/iu
/** What is to be back: of these `it is back` says that it helped. */
const lost =
  /\b(?:outage|downtime|incident|site|website|servers?|service|network|connection|connectivity|wi-?fi|internet|display|screen|sound|audio|page|access|signal|power)\b/iu
const isBack =
  /(?<!\b(?:outage|downtime|incident|problem|issue|error|bug)s?)(?:\s(?:is|are|was|were)|['’]s)\s+(?:now\s+)?back\b(?! again)/iu

/** Where something else is said. */
const clause =
  /[,;:.!?()–—]|\b(?:but|and|which|(?<!until )then|though|although|however|yet|because|until(?! then\b))\b/iu
const itself =
  /\b(?:it|that|this|they|these|same|fix(?:es)?|solution|workaround|change|problem|issue|bug|error|crash(?:es)?|failures?)\b|^\W*(?:still|again|came|returned|broke|reverted|rolled|undone|did|has|does|only|not|never|and|but|then|until)\b/iu
const tellingLetters = 4
/** So many sentences behind it may take it back. */
const followingMax = 3

const telling = (text: string) => new Set(text.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? [])

/** Whether a clause speaks of what was told: names it, or points to it. */
function speaksOf(told: ReadonlySet<string>, words: string): boolean {
  return itself.test(words) || [...telling(words)].some((word) => word.length >= tellingLetters && told.has(word))
}

/** Whether words say that it failed, and not that it does so no longer. `behind`: what stands behind them. */
function tellsFailure(said: string, behind = ''): boolean {
  return [...said.matchAll(failed)].some(
    ({ 0: found, index }) =>
      !noLongerSo.test(said.slice(0, index)) && !wasBefore.test(said.slice(index + found.length) + behind),
  )
}

/** The clauses of a text that say that it failed. */
function failuresIn(text: string): string[] {
  const clauses = text.split(clause)
  let at = 0
  return clauses.filter((one) => {
    at = text.indexOf(one, at) + one.length
    return tellsFailure(one, text.slice(at))
  })
}

/** Whether the next sentence takes back what was told. */
export function isTakenBackBy([next]: readonly OwnSentence[]): boolean {
  return next !== undefined && (correction.test(next.text) || otherName.test(next.text))
}

/** Whether what helped did not after all, by what is said behind it in its sentence, or in the next ones. */
export function isUndone({ value = '', what = '' }: RuleParts, following: readonly OwnSentence[]): boolean {
  if (isTakenBackBy(following) || denial.test(following[0]?.text ?? '')) return true
  const own = value.slice(value.indexOf(what))
  const first = clause.exec(own)
  if (first !== null && failuresIn(own.slice(first.index)).length > 0) return true
  const told = telling(value)
  const isOfLost = lost.test(what.split(clause)[0] ?? '')
  return following
    .slice(0, followingMax)
    .some(({ text }) => failuresIn(text).some((one) => speaksOf(told, one) && !(isOfLost && isBack.test(one))))
}
