/*
 * What is said in the part of somebody else: whom a model, or its user, is to play. Programs behave like something, and people play the violin: only
 * who is told to play a part, or says that they will, plays one.
 */

/** What may stand before an order at the beginning of a sentence. */
const led = String.raw`(?:^|[.!?:;][ \t]{1,4})\s{0,3}(?:(?:please|now|ok(?:ay)?|hey|hi|hello|so|then|and|just|always|kindly|claude|chat ?gpt|today|from now on|for the rest of [^,.?!\n]{1,30}|in this (?:chat|conversation|game|session)|let['’]s play a game)[,:!]?\s{1,4}){0,3}`
const toYou = String.raw`\byou(?:['’]ll|['’]re going to|\s(?:should|must|will|shall|have to|are to|are going to|are now going to))\s(?:(?:now|always|please)\s)?|\b(?:can|could|would|will)\syou\s(?:please\s)?|\b(?:want|need|like|ask|wish|expect)(?:ing)?\syou\sto\s|\b(?:your (?:job|task) is|try)\sto\s`
const ofUs = String.raw`\blet['’]s\s|\b(?:i['’]ll|i will|i['’]m going to|let me)\s`
const told = String.raw`(?:${led}|${toYou}|${ofUs})`

const acts = String.raw`(?:act|behave|speak|talk|sound)\s(?:as|like)\b(?!\s(?:before|usual|expected|(?:soon|long|much|far|little|few|many|short\p{L}*|brief\p{L}*|concise\p{L}*|normal|if\b(?!\s(?:i|you|we|he|she)\b)))\b)|act\sout\b|(?:pretend|impersonate|role-?play)\b|play\s(?:the\s)?(?:role|part|character)s?\b|play\s(?:an?|my|as)\s(?!(?:\p{L}+\s)?(?:game|song|sound|video|audio|clip|note|chord|track|match|round|tune|file|move|card)s?\b)|play\sthe\s(?!(?:\p{L}+\s)?(?:game|song|sound|video|audio|clip|notes?|chords?|track|music|file|movie|animation|level|lottery|market|violin|piano|guitar|drums|flute|cello|trumpet|sax\p{L}*|bass|harp|clarinet|organ|keyboards?|ukulele|viola|banjo|oboe|accordion)\b)`

/** `You play a customer`: the part of a sentence that begins with it. */
const youPlay = String.raw`(?:^|[.!?:;][ \t]{1,4}|\b(?:and|now|then)\s)\s{0,3}you\s(?:now\s)?play\s(?:as\b|(?:an?|my)\s(?!(?:\p{L}+\s)?(?:game|song|sound|video|note|chord|match|tune|card|lot|bit|mean|big|key|instrument|violin|piano|guitar|flute|major|crucial|role)s?\b)|the\s(?!(?:\p{L}+\s)?(?:game|song|sound|video|music|lottery|market|violin|piano|guitar|drums|flute|cello|trumpet|sax\p{L}*|bass|harp|clarinet|organ|keyboards?|ukulele|viola|banjo|oboe|accordion)\b))`

const inRole = new RegExp(
  [
    `${told}(?:${acts})`,
    youPlay,
    String.raw`\b(?:respond|answer|reply|write|act|behave|speak|talk) as (?:if|though) you\b`,
    String.raw`\b(?:stay(?:ing)?|remain|keep|be|get|speak|talk|act|respond|answer|reply|while|always) in character\b(?!\s(?:encoding|set|count|class|limit|length|code|map|mode)s?\b)`,
    String.raw`\b(?:pretend|pretending) (?:that )?(?:to be|you|i|we (?:are|were))\b`,
    // Games of parts are played by many, and bots for them are built.
    String.raw`\brole-?play(?:ing)?\b(?!\s(?:games?|bots?|apps?|servers?|sites?|communit(?:y|ies)|groups?|features?|platforms?|engines?|sessions? (?:on|every)|exercises?)\b)`,
    String.raw`\b(?:answer|reply|respond|speak|talk|write|say|tell|explain|describe)\b[^.?!\n]{0,40} (?:in the (?:voice|role|shoes|words) of|from the (?:perspective|point of view|viewpoint) of)\b`,
    String.raw`${led}in the (?:voice|role|shoes|words) of\b(?! (?:admins?|users?|owners?|editors?|viewers?|guests?)\b)`,
    String.raw`${led}from the (?:perspective|point of view|viewpoint) of (?:an? |my )(?!(?:\p{L}+ )?(?:users?|clients?|servers?|callers?|customers?|developers?|programs?|process|module|service|api|browser|test)\b)`,
    String.raw`\b(?:adopt|assume|take on|play|embody) (?:the|an?|this|my) (?:\p{L}+ )?persona\b|${led}(?:your |my )?persona(?:\s?:| is\b)`,
    String.raw`\bmy character\b(?!s?\s(?:limit|set|count|encoding|class|map|length|maximum|budget|counter|code|table|range|recognition|sheet|model|controller|sprite|animation|generator|creator|editor)s?\b)`,
    String.raw`\b(?:you(?:['’]re| are|['’]ll be| will be)?|be) (?:the |my |our |an? )?(?:dungeon|game) master\b`,
    String.raw`(?<![^])\s{0,8}(?:please |now )?be my\b`,
    String.raw`\b(?:imagine|suppose|let['’]s say) (?:that )?(?:you|i)(?:['’](?:re|m)| are| am| were)\b`,
  ].join('|'),
  'imu',
)

/** Whether a text gives its writer or its reader a part to play. */
export function isInRole(text: string): boolean {
  return inRole.test(text)
}
