import { isInRole } from './in-role.ts'

/*
 * What is said and not meant as it stands: questions, suppositions, jokes, what others say, texts that a model is to work on.
 * A fact that is missed can be told again; one that nobody meant is worse than none.
 */

/** Longer texts of a user are documents, logs and prompts far more often than words of their own. */
const ownWordsMax = 2_500
const itemsMax = 12

const heading = /^\s{0,3}#{1,6}\s/gmu
const item = /^\s*(?:[-*+•]|\d{1,3}[.)])\s/gmu
const prompt =
  /^\s*(?:you(?:['’]re| are) (?:an?|the|now|acting|helping|working|tasked)\b|your (?:task|job|role|goal) is\b|act as\b|system:|<|\[|\{|caveat:|this session is being continued|implement the following|base directory)/iu
/** Work on a text that speaks for somebody else. */
const writing =
  /\b(?:translate|translation|proof-?read|re-?write|re-?phrase|paraphrase|(?:fix|check|correct) (?:the |my )?grammar|in the style of|dummy|placeholder|test (?:data|message))\b|\b(?:write|draft|compose|create|generate|make|give)\s+(?:me\s+|us\s+)?(?:an?|the|my|some|this|another)\b[^.?!]{0,60}\b(?:story|stories|poem|lyrics|song|essay|novel|script|dialog(?:ue)?|monolog(?:ue)?|letter|e-?mail|statement|bio|speech|tweet|post|message|resume|résumé|template|sample|persona|review|caption|toast)\b/iu
const withdrawn =
  /\b(?:just kidding|kidding|jk|joking|joke|sarcas\w+|april fool\w*|never ?mind|(?:scratch|scrap|strike|undo) that|take (?:that|it) back|actually,? no|(?:changed|change) (?:my|our) minds?|on second thoughts?|ignore that|forget (?:that|it))\b/iu

/** Whether a message of a user is no telling of their own: a document, a prompt, a text to be worked on, or taken back at once. */
export function isNoTelling(text: string): boolean {
  return (
    text.length > ownWordsMax ||
    isToBeWorkedOn(text) ||
    (text.match(heading)?.length ?? 0) > 1 ||
    (text.match(item)?.length ?? 0) > itemsMax
  )
}

/** Whether a message of a user is a prompt or a text to be worked on, or is taken back at once. */
export function isToBeWorkedOn(text: string): boolean {
  return prompt.test(text) || writing.test(text) || isInRole(text) || withdrawn.test(text)
}

const question = /\?["'”’)\]*_]*\s*$|\?\s/u
const unfinished = /(?:…|\.\.\.|[:,;([{=])\s*$/u
const supposed =
  /\b(?:if|unless|suppos(?:e|ing|edly)|imagin(?:e|ing)|assum(?:e|ed|ing)|would|could|might|maybe|perhaps|probably|possibly|presumably|likely|hypothetical\w*|what if|wish|pretend\w*|for (?:example|instance)|e\.g|i\.e|in case|whether|not sure|unsure|i (?:think|guess|believe|suppose|feel)|(?:i|we) thought|should i|used to|think(?:ing)? (?:of|about)|consider(?:ing)?|wonder(?:ing)?|seems?|seemingly|apparently|no longer|any ?more|almost|nearly|partly|partially|hopefully|hoping|trying to|planned? to|as if|like when)\b/iu
const joke = /\b(?:lol|lmao|rofl|haha\w*|hehe\w*)\b|😂|🤣|😜|😉|🙃|😅|;-?\)|\s\/s\b/iu
const reported =
  /\b(?:sa(?:id|ys|ying)|told|tells?|ask(?:ed|s)|claim(?:s|ed)?|wr(?:ites?|ote)|according to|quot(?:es?|ed)|mention(?:s|ed)|respon(?:se|ds|ded)|repl(?:y|ies|ied)|think|thinks|thought|believes?|heard|reads?)\b/iu

/** A question that is asked after something was told: `I live in Porto, can you find a bakery there?` */
const askedAfter =
  /(?:,|;|\s[-–—]|\sand|\sso|\sbut)\s+(?:and |so |but |now |then )?(?:can|could|would|will|do|does|did|should|shall|is|are|was|has|have|what|how|which|where|when|why|who|any|please)\b(?:\s+\S+){3,}\?\s*$/iu

/** A sentence without the question at its end, where it tells something before that. */
export function withoutQuestion(sentence: string): string {
  const asked = askedAfter.exec(sentence)
  return asked === null ? sentence : sentence.slice(0, asked.index)
}

/** What takes back a clause that stands before it. */
const takenBack =
  /^\s*,?\s*(?:if|unless|maybe|perhaps|probably|right|or something|i (?:think|guess|suppose)|as if|in theory|supposedly|allegedly|not really|for (?:example|instance)|but (?:then |later |now |soon )?(?:we |i )?(?:(?:have |['’]ve )?since )?(?:changed|went back|reverted|dropped|gave up|started again|stopped again|undid|backed out|decided against))\b/iu

/** Whether a sentence as a whole cannot be taken for what it says. */
export function isDoubtful(sentence: string): boolean {
  return question.test(sentence) || unfinished.test(sentence) || joke.test(sentence)
}

const noLonger = /\b(?:no longer|any ?more)\b/giu

/** A clause that is told as what is so no longer, without the words that say so: of another they make a doubt. */
export function withoutNoLonger(clause: string): string {
  return clause.replaceAll(noLonger, '')
}

/** Whether a clause cannot be taken for what it says, by what stands before it, in it, or right behind it. */
export function isSupposed(clause: {
  readonly before: string
  readonly own: string
  readonly behind: string
}): boolean {
  return supposed.test(clause.before) || supposed.test(clause.own) || takenBack.test(clause.behind)
}

/** What begins a condition or a place for what is said after its comma. */
const conditional =
  /^(?:(?:just|only|but|except|even|right)\s+)?(?:until|till|while|when(?:ever)?|before|after|during|as long as|as soon as|once|for|in|on|at|under|within|inside|outside|with(?:out)?|between)\b[^,;]*,\s*$/iu
/** What begins like a condition and is none. */
const connecting =
  /^(?:in (?:fact|addition|short|summary|general|my (?:opinion|view|experience)|the end|other words|any case|that case)|on (?:the other hand|top of that|second thought)|at (?:first|last|the end(?: of the day)?|least)|for (?:me|us|sure|the record|what it['’]s worth)|with that (?:said|in mind)|after (?:all|that|this|some|a|the|much|trying|looking|reading|talking|thinking)|before that|during the (?:meeting|call|review)|once again)\b/iu
/** A condition that is over soon. */
const soonOver =
  /\b(?:until|till|while|now|moment|meantime|time being|today|tonight|tomorrow|temporarily|just for|only for|for (?:this|that|these)|this (?:time|once|week|sprint))\b/iu

/** Whether what leads in to a clause is a condition for it, and whether that lasts. */
export function conditionOf(led: string): 'none' | 'lasting' | 'passing' {
  const own = led.trimStart()
  if (!conditional.test(own) || connecting.test(own)) return 'none'
  return soonOver.test(own) ? 'passing' : 'lasting'
}

/** Whether what stands before a clause makes it another's. */
export function isReported(before: string): boolean {
  return reported.test(before)
}
