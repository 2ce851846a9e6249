import type { Role } from '../../../model/messages/message.ts'
import type { Asserted } from './asserted.ts'
import { isSignedLetter, letterFrom } from './letters.ts'

/*
 * Where a message passes on what somebody else wrote, or a text that a model is to work on: mails, letters, bios, chats. Who pastes one seldom
 * marks where it ends, so that nothing behind its beginning is taken for the sender's own.
 */

/** What is built and bears the name of a text: `the chat component`, `this email sending code`. */
const builds = String.raw`(?:(?: |-)(?!(?:from|by|to|for|about|of|on|in|at|as|with|into|i|we|he|she|they|it|that|which|is|are|was|and|or|so|the|an?|my|our|your|sent|below|above|please|says|asking|saying)\b)[\p{L}]{1,20})?(?: |-)(?:app|application|component|queue|field|file|table|model|template|editor|parser|parsing|code|server|sending|opener|box|area|input|format|type|view|viewer|page|schema|database|db|column|row|bot|widget|client|api|endpoint|handler|handling|service|module|class|function|library|package|plugin|feature|button|form|list|bubble|window|panel|screen|ui|interface|layout|css|colou?r|contrast|font|render(?:er|ing)|generator|generation|validat(?:or|ion)|broker|bus|system|platform|store|storage|index(?:ing)?|encod(?:er|ing)|embeddings?|process(?:ing|or)|pool|job|worker|cron|notifications?|verification|signup|integration|provider|account|address|delivery|webhook|hook|reducer|repo|repository|project|website|site|engine|collection|node|element|variable|buffer|cell|wrap(?:ping)?|alignment|overflow|channel|stream(?:ing)?|dispatcher|listener|events?|migration|tests?|script|crawler|scraper|import(?:er)?|export(?:er)?|builder|icon|counter|limit|track(?:er|ing)|loading|loader|filter(?:ing)?|sort(?:ing)?|split(?:ting|ter)|rout(?:er|ing)|scroll(?:ing|bar)?|caching|cache|polling|sync|recognition|synthesis|detection|classifi(?:er|cation)|transformer|tokenizer|to[\s-]text|mode|flow|banner|modal|popup|map|board|method|route|url|object|entity|card|app|tool|gateway|protocol|syntax|selection|cursor|consumer|producer|driver|framework|sdk|binding|backup|spacing|sidebar|count|regexp?|settings?|safety|display|header|footer|setup|config|options?|preview|metadata|status|timestamp|avatar|padding|margin|width|height|animation|truncation|search|archive|infrastructure|pipeline|cluster)s?\b`
/** Texts that people paste. */
const texts = String.raw`(?:(?:e-?mails?|mails?|(?:cover )?letters?|(?<!(?:error|commit|log|warning|status|exception|failure|kafka|toast|validation|flash|mqtt|websocket|protobuf|pop-?up)[\s-])messages?|texts?|paragraphs?|passages?|sentences?|articles?|bio(?:graphy)?|(?<!\b(?:my|our) )blog|(?:blog |linkedin )?posts?(?! requests?)|tweets?|essays?|(?<!\b(?:user|sub) )stor(?:y|ies)|poems?|speech|transcripts?|lyrics|dialogues?|dialogs?(?=:| (?:between|with)\b)|chats?|conversations?|(?<!\b(?:worker|main|ui|background|event|kernel|cpu|os|java) )threads?|interviews?|cv|resume|résumé|personal statement|testimonials?|press release|newsletters?|announcements?|excerpts?|complaints?|memos?|minutes|job (?:ad|description|posting)|abstract|drafts?|cover note|obituary|invitations?|inquir(?:y|ies)|enquir(?:y|ies))\b(?!${builds})|about[\s-](?:me |us )?(?:page|section)\b)`
/** Texts of others that the sender may also have written to whom they are talking: `my answer: I live in Porto`. */
const replies = String.raw`(?:comments?(?! sections?)|reviews?|repl(?:y|ies)|(?<!\b(?:http|api|json|server|error)[\s-])responses?|tickets?|(?<!\b(?:pull|merge|https?|api|get|post|put|patch|web|network|change|ajax|fetch|feature)[\s-])requests?|statements?|notes?|descriptions?|profiles?|feedback|introductions?|intros?|questions?|answers?)\b(?!${builds})`
const following = String.raw`(?:this|these|the (?:following|attached|above|below)|following)`
const unable = String.raw`(?:can['’]t|cannot|can not|couldn['’]t|could not|can (?:barely|hardly)|(?:hard|difficult|impossible|unable) to)`
const few = String.raw`(?:[\p{L}-]{1,20} ){0,3}?`

/** Up to a colon with words behind it. What is put in as a block, as code or in tags ends where that does, and is known for it. */
const below = String.raw`(?=\s+(?!\x60|[<>~|#]|https?:|[-*•]\s|\d+[.)]\s)\S+\s+\S)`
const colon = String.raw`[^.?!\n:\x60"“]{0,80}:${below}`
/** Up to the end of a line with more words below. */
const line = String.raw`[^\n]{0,120}$${below}`
const clauses = (sources: readonly string[]) =>
  sources.map((source) => new RegExp(source.replaceAll(' ', String.raw`[ \t]{1,8}`), 'gimu'))

/** What is a letter, whoever brings it in: drafts of an assistant too. */
const bringsLetter = String.raw`(?:^|\b(?:the|my|an?|this|your|his|her|their|our|revised|polished|sample|refined|improved) )${few}(?:e-?mail|mail|letter|draft|newsletter|press release)s?(?: (?:from|by|to|for|about|i|we|that|which|draft|below)\b${colon}|:[^\S\n]*\n${below})`
const bringsIn = clauses([
  bringsLetter,
  String.raw`(?:^|\b(?:my|our|your|the|his|her|their|an?|this|that|these|those|some|another) |\p{L}['’]s )${few}${texts}(?=:| (?:from|by|to|for|about|of|on|in|i|we|he|she|they|it|that|which|below|above|here|so far|sent|received|written|is|says|reads|goes)\b)${colon}`,
  String.raw`\b(?:the(?! (?:late|slow))|his|her|their|an?|this|that|these|those|\p{L}{1,20}['’]s) ${few}${replies}(?=:| (?:from|by|of|that|which|below|above|i (?:got|received|found)|we (?:got|received)|he|she|they)\b)${colon}`,
  String.raw`\b(?<!\b(?:i|we|already|just|also|have|['’]ve) )(?:said|says|told|tells|asked|answered|replied)\b${colon}`,
  String.raw`\b(?:wrote|writes|sent|sends|e?-?mailed|messaged|texted|posted|forwarded|commented|tweeted)\b${colon}`,
  String.raw`\b(?:got|received|found|saw|copied|pasted|copy|paste|pasting|forwarding|sending) (?:you )?(?:${following}|it|one)\b${colon}`,
  String.raw`\b(?:improve|edit|revise|correct|check|critique|comment on|analy[sz]e|read|make|turn|convert|simplify|expand|extend|enhance|refine|evaluate|assess|rate|grade|judge|interpret|continue|finish|complete|react to|classify|say|put|word|format|review|fix|(?:think|say|answer|reply|respond|feel)(?: (?:of|about|to))?) (?:${following}|that|it)\b(?! (?:out|in mind|up)\b)${colon}`,
  String.raw`\b(?<!\b(?:my|your) )(?:reply|respond|react|write back|get back) to (?!your?\b|that\b|me\b|us\b)${colon}`,
  String.raw`\b(?<!\b(?:to|my|your|the|an?|will|me) )answer (?:to )?(?:the|my|our|his|her|their|an?|\p{L}{1,20}['’]s)\b${colon}`,
  String.raw`(?:^|[.?!,] )(?:(?:is|are|does|do) ${following}|how (?:is|does) (?:${following}|it)|how (?:do|would|can|should) (?:you|i|we|one) say)\b${colon}`,
  String.raw`^(?:original|source|input)(?: text)?:${below}`,
  String.raw`\b(?<!\b(?:in|${unable} read) )(?:this|these|the following) ${few}${texts}${line}`,
  String.raw`\b(?:here(?: is| are|['’]s)|(?:this|that|below|attached)(?: is|['’]s)|i (?:just )?(?:got|received|wrote)) ${few}${texts}${line}`,
  String.raw`\b(?<!\bto )(?:improve|edit|revise|correct|check|fix|review|critique|read|rate|judge|feedback on|think (?:of|about)|look (?:at|over|through)|go over|finish|complete|continue|help(?: me)? with) (?:my|our|his|her|their|the|\p{L}{1,20}['’]s) ${few}${texts}${line}`,
  String.raw`\b(?:sent|gave|wrote|showed|forwarded|e?-?mailed) (?:me|us) ${few}${texts}${line}`,
  String.raw`\b(?:answer|reply to|respond to|write back to|deal with|handle) (?:this|that|my|the|our) (?:customer|client|user|landlord|tenant|boss|manager|colleague|recruiter|seller|buyer|neighbou?r|teacher|professor|person|guy|man|woman|lady)\b${line}`,
  String.raw`^(?:(?:please|now|can you|could you) )?(?:detect|extract|identify|tag|parse|anonymi[sz]e|redact|repeat|spell-?check|punctuate|capitali[sz]e|find (?:the|all|any) (?:typos|mistakes))\b${colon}`,
  String.raw`\b(?:the|my) (?:english|grammar|spelling|punctuation|wording|phrasing|tone|language|typos?|mistakes|sentiment)\b${colon}`,
  String.raw`\b${texts} (?:is|are) (?:below|attached|here|as follows)\b${line}`,
])
const bringsLetters = clauses([bringsLetter])

/** Of a verb: that it is not what the sender does, or is about to. */
const asked = String.raw`\b(?<!\b(?:i|we|['’]ve|have|had|just|already|${unable}|(?<!\b(?:you|me) )to) )`
/** Work on a text, wherever that stands. */
const worksOn = clauses([
  String.raw`\b(?:summari[sz]e|sum up|tl;?dr|re-?word|re-?phrase|re-?write|paraphrase|proof-?read|polish|shorten|condense|transcribe|(?:reply|respond|write back) to|(?<!\b(?:to|me|will|can|['’]ll) )answer) (?:to )?${following}\b(?!${builds}| (?:links?|names?|loops?|logic|function|code|files?|director(?:y|ies)|folder|class|module|tests?|repo(?:sitory)?|project|component|script|query|sql|session|chat|conversation|thread|discussion|pr|pull request|commit|diff|changes?)\b)`,
  String.raw`${asked}(?:summari[sz]e|sum up|improve|edit|revise|correct|fix|check|review|critique|comments? on|feedback on|thoughts? on|opinions? (?:on|of|about)|think (?:of|about)|analy[sz]e|look (?:at|over|through)|go (?:over|through)|read|clean up|tidy(?: up)?|tweak|simplify|expand|extend|enhance|refine|optimi[sz]e|evaluate|assess|rate|grade|judge|score|format|convert|turn|transform|explain|interpret|continue|finish|complete|react to|deal with|handle|classify|categori[sz]e|label|extract|help(?: me)? with|based on|from|according to|forward) ${few}${following} (?:[\p{L}-]{1,20} ){0,2}?(?:${texts}|${replies})`,
  String.raw`\b(?:how (?:do|does)|do|does|is|are) (?:${following}|my ${few}(?:${texts}|${replies})) ${few}(?:sound(?! (?:like|files?|effects?|tracks?|clips?|card|play|work|driver|engine)\b)|grammatical(?:ly)?|natural|well[\s-]written|polite|professional|(?:correct|good|proper) english)\b`,
  String.raw`\bmake ${following} (?:sound(?! (?:files?|effects?|tracks?|clips?|card|play|loop|louder|quieter|start|stop|fade)\b)|read(?= (?:better|well|easier|nicer|more|less|like|as if|(?:nice|smooth|natural|clear|fluent)\p{L}*)\b))\b(?![^.?!\n]{0,30} (?:speakers?|headphones?|headset|earbuds|airpods|stereo|tv|soundbar|amp|microphone|mic)\b)|\b(?:better|shorter|clearer|(?:more|less) \p{L}{1,20}) version of ${following}\b`,
  String.raw`(?:^|[.!?] |please )(?:summari[sz]e|shorten|polish|improve|correct|edit|re-?word|condense|tl;?dr|eli5)(?: please)?[.:?!]?$|(?:^|[.!?] |please )(?:summari[sz]e|shorten|polish|improve|correct|edit|re-?word|condense|tl;?dr|eli5)(?: please)?:`,
  String.raw`\b(?:summary|translation|gist|meaning|tone|sentiment) of ${following}\b(?!${builds}|(?: |-)(?:[\p{L}-]{1,20} )?(?:flag|option|parameter|argument|setting|keyword|operator|warning|commit|diff|pr|session|regex)s?\b)|\bis my (?:english|grammar|spelling|wording|phrasing) (?:ok(?:ay)?|right|correct|fine)(?: here)?\?`,
  String.raw`\bwho (?:wrote|said|sent) ${following}(?: ${few}(?:${texts}|${replies}))?(?=[?.!:,]|$)`,
  String.raw`(?:^|[.?!] |please |(?:can|could|would) you )(?:correct|improve|check|fix|polish) my (?:english|grammar|spelling|writing|wording|phrasing)\b(?=[.!?:]|$)`,
  String.raw`\b(?<!\bto )(?:proof-?read|polish|re-?word|re-?phrase|shorten|condense|paraphrase) (?:my|our|his|her|the) ${few}(?:${texts}|${replies}|summary|headline)`,
  String.raw`\b${texts} (?:(?:below|above)\b(?! (?:the|my|it|an?|this|that|each|every)\b)|(?:that )?(?:i|we)(?: just| have)? (?:pasted|copied|attached|forwarded|got|received))\b`,
])

/** On the lines below stands what is put in as a block, and no more. */
const isOfBlock = /^[^\n]*\n\s*[\x60<>|]/u
const behindMax = 200
/** So much of the line before a cue says what it is about. */
const beforeMax = 400
/** What is to be kept in mind is the sender's own, however it is brought in. */
const toKeep = /\b(?:remember|memor\p{L}+|save|store|keep in mind|know about (?:me|us))\b/iu
/** What a program says is no text of anybody. */
const technical =
  /\b(?:errors?|fail(?:s|ed|ing|ure)?|crash\p{L}*|exceptions?|throws?|warn\p{L}*|stderr|stdout|outputs?|logs?|console|compiler|overflow\p{L}*|overlap\p{L}*|css|buttons?|deadlock\p{L}*)\b/iu
/** What goes on here and now. */
const present = /\b(?:this|the above) (?:\p{L}+ )?(?:chat|conversation|thread|discussion)$/iu
/** More than this is not looked through. */
const charactersMax = 20_000

/** What a message says in its sender's own words, without what it passes on from others. */
export function withoutPassedOn(
  asserted: Asserted,
  { role, sender }: { readonly role: Role; readonly sender: string },
): Asserted {
  const { text, stretches } = asserted
  let said = ''
  for (const { start, end } of stretches) said += '\n'.repeat(start - said.length) + text.slice(start, end)
  // Code is none of it: `from` and `text:` mean something else there.
  said = said
    .slice(0, charactersMax)
    .replaceAll(/^ {0,3}```[^]*?(?:^ {0,3}```|$(?![^]))/gmu, (code) => '`'.repeat(code.length))
  const from =
    role === 'user' ? passedOnFrom(said, sender) : firstOf([earliest(said, bringsLetters), letterFrom(said, sender)])
  if (from === undefined) return asserted
  return {
    text,
    stretches: stretches.flatMap(({ start, end }) => (start < from ? { start, end: Math.min(end, from) } : [])),
  }
}

/** Where what a user passes on begins. */
function passedOnFrom(said: string, sender: string): number | undefined {
  const begun = firstOf([earliest(said, bringsIn), letterFrom(said, sender)])
  // A letter that nothing brings in and that has no head is one by its signature.
  const brought = begun ?? (isSignedLetter(said, sender) ? 0 : undefined)
  const work = earliest(said, worksOn)
  if (work === undefined || (brought !== undefined && brought <= work)) return brought
  // Behind the first line of a message there is the text that it asks to work on; else that may stand before as well.
  const [firstLine = ''] = /^\s*[^\n]*/u.exec(said) ?? []
  const isFirst = work < firstLine.length && /(?:\S+\s+){5}\S/u.test(said.slice(firstLine.length))
  return isFirst ? work : 0
}

function firstOf(places: readonly (number | undefined)[]): number | undefined {
  const known = places.flatMap((at) => at ?? [])
  return known.length === 0 ? undefined : Math.min(...known)
}

function earliest(said: string, cues: readonly RegExp[]): number | undefined {
  let first: number | undefined
  for (const cue of cues)
    for (const { 0: found, index } of said.matchAll(cue)) {
      if (first !== undefined && index >= first) break
      const until = said.slice(Math.max(said.lastIndexOf('\n', index) + 1, index - beforeMax), index) + found
      if (isOfBlock.test(said.slice(index + found.length, index + found.length + behindMax))) continue
      if (toKeep.test(until) || technical.test(until) || present.test(found)) continue
      first = index
      break
    }
  return first
}
