import type { Role } from '../../../model/messages/message.ts'
import { tellsDecision } from '../../learning/extract-facts.ts'
import { isDoubtful, isSupposed, withoutQuestion } from '../../learning/meant/doubt.ts'
import { isQuoted } from '../../learning/meant/quoted.ts'
import { isExample } from './next-step-cues.ts'

/** How sure it is that a sentence says what was decided: 1 is what learning takes for a decision, 0 says nothing of one. */
export type DecisionCertainty = 0 | 0.3 | 0.7 | 1

/** A title, which says what is spoken of and not what was decided on it. */
const title = /^#{1,6}\s|^(?:\*\*|__)[^*_]+(?:\*\*|__):?$/u
/** Somebody else than who says it may have decided it: minutes are written so. */
const decidedByAnybody = String.raw`(?:decided|agreed|opted|chose|voted|settled) (?:to|on|upon|that|against|not|for)\b`
const decidedByUs = String.raw`\b(?:i|we|(?:our|the|my) \w+)(?: have| has|['’]ve| both| all| finally| then| also| just| already| therefore)* (?:decided|agreed(?: (?:to|on|that)\b|:)|opted (?:to|for|against)|settled on|chose|chosen|went with|ruled out|rejected|approved|dropped the idea|picked)(?<=[\w:])(?!\w)(?! (?:if|whether|between|yet))`
const wasDecided = String.raw`\b(?:was|were|has been|have been) (?:now |finally |already )?(?:decided|agreed (?:to|on|that|upon)|approved|rejected|ruled out)\b`
const theDecision = String.raw`\b(?:the|our|my|final) decision (?:is|was) (?:to|that|not|against)\b|^\W*(?:final |our )?(?:decision(?: \d+)?|decided|agreed|resolved): |\bagreed, (?:we|i|let['’]s)\b|\bmade the decision (?:to|that|not)\b`
const others = String.raw`(?<!\p{L})(?:(?:habe?n?|hast|habt|hat|hatten?|wurden?|ist|sind|war)\P{L}[^.]*(?:entschieden|beschlossen|vereinbart|geeinigt)|(?:entschieden|beschlossen|vereinbart)(?=(?: |)[:,]| dass)|wir (?:nehmen|bleiben bei|entscheiden uns)|(?:die|unsere) entscheidung (?:ist|war|fiel|steht)|décidé|décidons|convenu|(?:la|notre) décision (?:est|était)|on (?:garde|prend)|decidimos|decidió|decidido|acordamos|acordado|(?:la|nuestra) decisión (?:es|fue)|hemos (?:elegido|optado)|elegimos|optamos|(?:ai|avons|a) (?:choisi|opté)|(?:abbiamo|ho|hanno|(?:è|e['’]) stato) (?:deciso|scelto|concordato)|deciso di|decidiu|ficou decidido|escolhemos|(?:hebben|heb|is) [^.]*(?:besloten|gekozen)|(?:zdecydowa|postanowi)(?:liśmy|łem|łam|no)|karar verdi(?:k|m)|реши(?:л|ла|ли)|решено|договорил\p{L}*)(?!\p{L})|决定|決定|改用|採用|采用|にします|にしよう|ことにし|[にと]決め(?:た|まし)|決まりました|决议|결정(?:했|하였|됐|되었)|하기로`

const saidByAll = phrases(decidedByUs, wasDecided, theDecision, others)
/** A model tells stories too, in which many people decide. */
const saidByPeople = phrases(decidedByAnybody)
const taken = String.raw`(?:use (?!(?:the|a|my|your|this) (?:bathroom|restroom|washroom|toilet|loo|shower|stairs|elevator|lift|phone|car|bus|train|time|opportunity|chance|break|moment)\b)|drop|skip|ship|adopt|take (?!care|advantage|a look|it\b|notes|(?:my |our |the )?time)|switch to|move to|stick (?:with|to)|stay with|go with|postpone|replace|remove|not (?!be\b)\p{L}+|never (?:use|commit|push|deploy)|keep (?:the|our|it (?:as|at|in)))`
/** It may have been decided by that: only people decide so, where a model says what it does next. */
const saidWeakly = phrases(
  String.raw`\b(?:i|we)(?:['’]ll| will|['’]re going to| are going to|['’]m going to| am going to) (?:definitely |just |then |now |only )?${taken}\b`,
  String.raw`\blet(?:['’]s| us) ${taken}\b`,
  String.raw`\bwe(?: now| just| simply)? (?:go|stay|stick) with\b(?! (?:the flow|you|me|him|her|them)\b)`,
  String.raw`^\W*(?:\p{L}+, )?(?:please )?(?:use|do|keep|make|put|take) [^,.]{2,80} (?:instead of|rather than)\b`,
  String.raw`\b(?:from now on|must not|no longer (?:use|need|support))\b`,
  String.raw`(?<!\p{L})(?:stattdessen|endgültig|finalement|вместо|будем)(?!\p{L})|同意|(?:我们|最终|最后|已经?)选择|选择了|选定`,
)
/** Where it is not decided yet, or not. */
const undecided =
  /(?:\b(?:not|never|nobody|nothing|yet to|cannot|without)|n['’]t|\bnoch nicht|\bnicht|\bpas|(?<!\p{L})(?:не|no|nunca)|没有?|未|还没|不)(?: (?:was|were|is|yet|really|fully|quite|have|been|formally))*\s*$/iu
const undecidedIn = /\b(?:nicht|kein\p{L}*)\b/iu
/** `We chose it, right?` */
const asking = /^[,;]\s*\S+(?:\s+\S+){0,2}\?\s*$/u
const undecidedBehind = /^[^,.;]*?\b(?:nicht|noch offen|not yet|pending|tbd)\b|^(?:吗|か|할지)/iu
/** What was proposed, or is another's to decide. */
const proposed =
  /\b(?:should|suggest\p{L}*|recommend\p{L}*|propos\p{L}*|ensure|make sure|confirm|check|verify|option|once|until|when(?:ever)?|after|before|unless|in case)\b[^,]*$|\b(?:who|what|which|whoever)\s*$|(?:需要|应该|应当|可以|可能|建议|如果|是否|考虑|打算|为何|为什么)[^，。；]*$/iu
/** What another says of it. */
const reported =
  /\b(?:he|she|they|it|some(?:one|body)|(?:[Tt]he|[Mm]y|[Oo]ur|[Tt]heir) \p{L}+|(?!We\b)\p{Lu}\p{Ll}+)(?: (?:has|had|have|also|just|then))? (?:said|says|say|told|tells|claims?|claimed|wr(?:ites?|ote)|thinks?|thought|believes?|believed|heard|mention(?:s|ed)|reports?|reported|asserts?|asserted)\b[^.]*$/u

/** A sentence that is to be read as one. */
const sample = /^\W*(?:example|original):/iu
/** What stands before a phrase in its clause. */
const ledBy = /[^,;]*$/u
const clauseBehind = /[,;]/u

function phrases(...sources: readonly string[]): RegExp {
  return new RegExp(sources.join('|').replaceAll(' ', String.raw`\s+`), 'giu')
}

/** How surely a sentence says what was decided. Titles, questions and proposals say nothing of that. */
export function decisionIn(sentence: string, role: Role): DecisionCertainty {
  if (title.test(sentence) || sample.test(sentence) || isExample(sentence)) return 0
  if (tellsDecision(sentence, role)) return 1
  const told = withoutQuestion(sentence)
  const isOfPeople = role === 'user'
  if (isSaid(told, saidByAll) || (isOfPeople && isSaid(told, saidByPeople))) return 0.7
  return isOfPeople && isSaid(told, saidWeakly) ? 0.3 : 0
}

/** Whether one of the phrases stands there, in a clause that is meant as it stands. What is said weakly has no condition before it either. */
function isSaid(told: string, pattern: RegExp): boolean {
  return [...told.matchAll(pattern)].some(({ 0: found, index }) => {
    const before = told.slice(0, index)
    const behind = told.slice(index + found.length)
    const led = pattern === saidWeakly ? before : before.slice(before.search(ledBy))
    const end = clauseBehind.exec(behind)?.index ?? behind.length
    const own = `${led}${found}${behind.slice(0, end)}`
    return (
      !isDoubtful(own) &&
      !isQuoted(told, index) &&
      !asking.test(behind.slice(end)) &&
      !undecidedIn.test(found) &&
      !isSupposed({ before: led, own: '', behind }) &&
      !undecided.test(led) &&
      !undecidedBehind.test(behind) &&
      !proposed.test(led) &&
      !reported.test(led)
    )
  })
}
