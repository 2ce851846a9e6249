/*
 * The layout of what others wrote, where nothing else says that somebody pasted it: mails with their headers, letters from greeting to sign-off,
 * chats line by line.
 */

const agent = String.raw`(?:claude|chat ?gpt|gpt|gemini|copilot|codex|assistant|ai|bot|chatbot|agent|llm|model|computer|openclaw|grok|mistral|llama|deepseek|siri|alexa|perplexity)\b`

/** The head of a mail, and what programs write where one is forwarded or answered. */
const headers =
  /^[ \t>*]*(?:-{2,}[ \t]*(?:original message|forwarded (?:message|by))|begin forwarded message|\*{0,2}subject[ \t*]{0,3}:|\*{0,2}(?:from|to|sent|date|cc|bcc|reply-to)[* ]{0,3}:[^\n]*\n\s{0,4}\*{0,2}(?:from|to|sent|date|cc|bcc|reply-to|subject)[* ]{0,3}:|on [^\n]{6,100}\bwrote:[ \t]*$)|^(?<![^])\s{0,4}(?:fwd?|fw|wg|aw|re):[^\n]{1,120}\n/imu
/** `[10:02] Tom:`, `12/05/2024, 10:02 - Tom:`, `Customer:` */
const chatLine =
  /^[ \t]*(?:(?:\[[^\]\n]{0,30}\d:\d\d[^\]\n]{0,12}\]|\d[\d/.,: -]{5,22}(?:[ap]m)?[ -]{1,3})[ \t]*[\p{L}@~][^\n:]{0,30}:[ \t]|(?:customer|client|caller|interviewer|interviewee|support|host|guest|patient|doctor|therapist|human|applicant|candidate|narrator|speaker \w):[ \t]+\S|[\p{L}@][\p{L}.'’-]{0,20}(?: [\p{L}.'’-]{1,20})?(?:,[ \t]*|[ \t]+\[?)\d\d?:\d\d(?:[ \t]?[ap]m)?\]?[ \t]*$)/imu
const dear = new RegExp(
  String.raw`^[ \t]*(?:dear[ \t]+(?!(?:my )?${agent})[^\n,:;!.]{1,60}(?:[,:;!]|\.?[ \t]*$)|to whom (?:it|this) may concern)`,
  'imu',
)
const greeting = String.raw`(?:hi|hello|hey|greetings|good (?:morning|afternoon|evening|day))\b(?!,? ${agent})(?:[ \t]+[\p{L}.'’-]{1,20}){0,3}[ \t]*`
/** A greeting on a line of its own, or at the beginning of a paragraph, behind what somebody said before. */
const greetingInside = new RegExp(
  String.raw`^(?<=\S[ \t]{1,8}\S[^\n]{0,400}\s{0,8})[ \t]*${greeting}(?:[,!.:–-]?[ \t]*$|(?<=\n[ \t]*\n[^\n]{1,90})[,!])`,
  'imu',
)
const greetingFirst = new RegExp(String.raw`^\s{0,8}${greeting}(?:[,!.:–-]|\n)`, 'iu')
const toAgent = new RegExp(String.raw`^\s{0,8}(?:hi|hello|hey|greetings|dear|good \w{1,9}),?(?: my)? ${agent}`, 'iu')

const signer = String.raw`[ \t]*[,.!–—-]{0,2}\s{0,4}(?<name>\p{L}[\p{L}.'’-]{0,30}(?:[ \t]+\p{L}[\p{L}.'’-]{0,30}){0,3})[.,!]?[ \t]*$`
const signedFormally = new RegExp(
  String.raw`(?<=^[ \t]{0,8}|[.!?,][ \t]{1,2})(?:(?:(?:with |my |kind |kindest |best |warm |warmest |many ){0,3}(?:regards|wishes)|yours(?:,? (?:truly|sincerely|faithfully))?|sincerely(?: yours)?|respectfully(?: yours)?|cordially)${signer}|(?:kind(?:est)?|best|warm(?:est)?) regards[ \t]*[,.!]?\s*$(?![^]))`,
  'gimu',
)
const signedFriendly = new RegExp(
  String.raw`^[ \t]*(?:best|cheers|(?:many )?thanks(?: in advance| again| so much| a lot)?|thank you|love(?=[ \t]*[,–—\n-])|xoxo|take care|all the best|kr|br)${signer}`,
  'gimu',
)
/** A name, also `Ana de Souza`: `Looking forward` is none. */
const signed =
  /^\p{Lu}[\p{L}.'’-]*(?:[ \t]+(?:(?:de|da|di|du|del|della|dos|la|le|van|von|der|den|ten|bin|ibn|al|el)\b|\p{Lu}[\p{L}.'’-]*))*$/u
/** What else begins with a capital behind thanks: who is thanked, and what is said next. */
const noName =
  /^(?:(?:you|all|everyone|everybody|team|guys|folks|friend|buddy|mate|man|dude|there|again|in|for|so|an?|to|looking|please|pls|now|also|and|but|or|then|next|sorry|ok(?:ay)?|use|be|no|not|yes|yeah|i|my|our|we|your|the|this|that|these|it|if|what|how|when|where|why|who|which|just|let|here|btw|ps|keep|make|answer|reply|respond|write|go|stop|help|see|bye|good|great|perfect|awesome|regards|only|always|never|remember|english|german|french|spanish)\b|i['’])/iu
const isAgent = new RegExp(String.raw`^(?:dear )?${agent}(?:[ \t]+(?:code|ai|sonnet|opus|haiku|pro))?[.!]*$`, 'iu')

/** Where a letter or a chat of others begins by its head; undefined where a message is none. Who signs by their own name has written it. */
export function letterFrom(text: string, sender: string): number | undefined {
  const letter = isOwnLetter(text, sender) ? undefined : firstOf([dear, greetingInside], text)
  const places = [letter, firstOf([headers, chatLine], text)].flatMap((at) => at ?? [])
  return places.length === 0 ? undefined : Math.min(...places)
}

/** Whether a message is a letter of others by how it is signed: formally, or with a greeting too. */
export function isSignedLetter(text: string, sender: string): boolean {
  if (isOwnLetter(text, sender)) return false
  const isGreeting = greetingFirst.test(text)
  return (
    signatureIn(signedFormally, text) !== undefined || (isGreeting && signatureIn(signedFriendly, text) !== undefined)
  )
}

function isOwnLetter(text: string, sender: string): boolean {
  const names = [signedFormally, signedFriendly].flatMap((pattern) => signatureIn(pattern, text) ?? [])
  return toAgent.test(text) || names.some((name) => isOwnName(name, sender))
}

/** The name that a letter is signed by, empty where it is signed without. Thanks to a model are no signature. */
function signatureIn(pattern: RegExp, text: string): string | undefined {
  const names = [...text.matchAll(pattern)].map(({ groups }) => groups?.['name'] ?? '')
  return names.find((name) =>
    pattern === signedFormally
      ? name === '' || /^\p{Lu}/u.test(name)
      : signed.test(name) && !noName.test(name) && !isAgent.test(name),
  )
}

function isOwnName(name: string, sender: string): boolean {
  const [first = ''] = name.toLowerCase().split(/\s+/u)
  return first !== '' && sender.toLowerCase().split(/\s+/u).includes(first)
}

function firstOf(patterns: readonly RegExp[], text: string): number | undefined {
  const places = patterns.flatMap((pattern) => pattern.exec(text)?.index ?? [])
  return places.length === 0 ? undefined : Math.min(...places)
}
