import type { OwnSentence } from './own-sentences.ts'
import type { RuleParts } from './rules/rule.ts'

/*
 * What is said of something that helped, or of what was just told, which shows that it did not, or not for long: `it came back`, `wait, no`.
 */

const opening = String.raw`^[\s*_"“]*(?:(?:oh|ah|ugh|hm+|ok(?:ay)?|sorry|well)\b[\s,.!…–—-]*)*`
/** How a sentence begins that takes back the one before it. */
const correction = new RegExp(
  String.raw`${opening}(?:(?:wait|actually|hang on|hold on)[\s,.!…–—-]+(?:no\b|not\b|that(?:['’]s| is| was| only| did)|scratch)|no,? wait\b|oops\b|(?:i )?take (?:it|that) back\b|(?:i|we) (?:was|were) wrong\b|i meant\b|i mean[,:]|that(?:['’]s| is| was)(?: not|n['’]t)? (?:wrong|true|right|correct)\b|correction\b)`,
  'iu',
)
/** The same of what helped. */
const denial = new RegExp(
  String.raw`${opening}(?:(?:no|nope|nah)(?:[,.!;:–—-]|\s+(?:that|it)(?:['’]s|\s+(?:is|was|did|only))\b)|false alarm\b|(?:i )?spoke too soon\b|not (?:really|quite|any ?more|for long)\b)`,
  'iu',
)

/** What says of something that helped that it did not, or that it is gone again. */
const failed =
  /\b(?:came|comes|come|(?:is|are|was|were|['’]s) (?:now )?)\s*back\b(?! (?:up|online|to normal|to green))|\b(?:returned|returns|re-?appear(?:s|ed)|re-?occur(?:s|red)|persist(?:s|ed)|(?:problem|issue|bug|error|crash) (?:remains|remained))\b|\b(?:br[eo]aks?|broke|broken|fail\w*|crash\w*|happen\w*|hang\w*|hung|stopp\w*|leak\w*|dropp\w*|tim(?:es|ed) out|died|dies|down|flaky|red|slow) (?:once )?(?:again|any ?way|all the same)\b|\bnot (?:for (?:long|good|ever)|really|quite|entirely|completely|always)\b|\bstill (?:there|here|broken|present|persists?|exists?|flaky|not\b|the same|see\w*|get\w*|fail\w*|crash\w*|happen\w*|hang\w*|leak\w*|drop\w*|occur\w*|tim(?:es|ing) out)|\b(?:revert(?:ed)?|roll(?:ed)? (?:\S+ ){0,2}back|undid|undone|backed (?:\S+ )?out)\b|\b(?:only|just|merely) (?:hid|hides|masked|masks|delayed|delays|moved|papered|worked|works|helped|helps|lasted|lasts|treat\w*|postponed)\b|\b(?:made (?:it|things?|everything)|(?:is|was|were|are|got) (?:even |much |actually )?)\s*worse\b|(?:n['’]t|\bnot|\bnever) (?:(?:really|actually|fully|entirely|quite|even|properly|completely|help to) )*(?:help|helped|fix|fixed|work|worked|working|last|hold|solve|solved|resolve|resolved|stick|enough|true|gone|the (?:\p{L}+ )?(?:cause|fix|case|problem|reason|solution))\b|\b(?:was|is|were|turned out to be|proved) (?:\p{L}+ )?(?:wrong|incorrect|mistaken|premature|unrelated|useless|incomplete|short-lived|insufficient|(?:a )?(?:pure )?(?:coincidence|red herring|luck|false alarm|placebo))\b/iu

/** Where something else is said. */
const clause = /[,;:.!?()–—]|\b(?:but|and|which|then|though|although|however|yet|because|until)\b/iu
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

/** Whether the next sentence takes back what was told. */
export function isTakenBackBy([next]: readonly OwnSentence[]): boolean {
  return next !== undefined && correction.test(next.text)
}

/** Whether what helped did not after all, by what is said behind it in its sentence, or in the next ones. */
export function isUndone({ value = '', what = '' }: RuleParts, following: readonly OwnSentence[]): boolean {
  if (isTakenBackBy(following) || denial.test(following[0]?.text ?? '')) return true
  const own = value.slice(value.indexOf(what))
  const [, ...more] = own.split(clause)
  if (more.some((words) => failed.test(words))) return true
  const told = telling(value)
  return following
    .slice(0, followingMax)
    .some(({ text }) => failed.test(text) && text.split(clause).some((one) => failed.test(one) && speaksOf(told, one)))
}
