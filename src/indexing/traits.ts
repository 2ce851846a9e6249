/** What a message says about itself without being asked, as bits: the ranking weighs it, nothing is left out for it. */
export const traits = {
  /** It names a time: "yesterday", "last summer", "May 8", a year. Answers to "when". */
  time: 1,
  /** It holds a number, in digits or as a word. Answers to "how many". */
  number: 2,
  /** Most of it is a question: it asks for what another message may answer. */
  question: 4,
  /** A standing instruction or a preference: "always answer in German", "I prefer tabs". */
  standing: 8,
  /** It is short and ends with a question, whatever it tells before that. */
  asks: 16,
} as const

/** Longer texts are looked at in their beginning only. */
const readCharacters = 2_000
/** More than this share of the letters stand in sentences that end with a question mark. */
const questionShare = 0.5
/** A longer text tells something besides what it asks. */
const questionWordsMax = 30
const asksWordsMax = 40

const months =
  'january|february|march|april|june|july|august|september|october|november|december|januar|februar|märz|juni|juli|oktober|dezember|janvier|février|mars|avril|juin|juillet|août|septembre|octobre|novembre|décembre|enero|febrero|marzo|abril|junio|julio|agosto|septiembre|octubre|noviembre|diciembre'
const weekdays =
  '(?:mon|tues|wednes|thurs|fri|satur|sun)day|montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|lunes|martes|miércoles|jueves|viernes|sábado|domingo'
const english =
  'yesterday|today|tonight|tomorrow|ago|recently|(?:last|next|this) (?:night|morning|afternoon|evening|week|weekend|month|year|summer|winter|spring|fall|autumn)|(?:a|two|three|few|couple)(?: of)? (?:days|weeks|months|years)'
const others =
  'gestern|heute|morgen|vorgestern|letzte[nrs]? \\p{L}+|nächste[nrs]? \\p{L}+|vor (?:einem|einer|zwei|drei|\\d+) \\p{L}+|hier|aujourd|demain|il y a|dernière?|prochaine?|ayer|hoy|mañana|hace \\p{L}+|pasad[oa]|próxim[oa]|ontem|hoje|amanhã|ieri|oggi|domani|вчера|сегодня|завтра|назад|прошл\\p{L}+|следующ\\p{L}+'
const timeWords = new RegExp(
  `(?<![\\p{L}\\p{N}])(?:${[english, weekdays, months, others].join('|')}|may \\d{1,2}|\\d{1,2} may|\\d{1,2}(?:st|nd|rd|th)|(?:19|20)\\d\\d)(?![\\p{L}\\p{N}])|昨天|今天|明天|上周|下周|去年|明年|昨日|今日|明日|先週|来週|\\d+[年月日]`,
  'iu',
)
const numbers =
  /\p{N}|(?<!\p{L})(?:one|two|three|four|five|six|seven|eight|nine|ten|dozen|twice|once|couple|several|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|deux|trois|quatre|cinq|dix|dos|tres|cuatro|cinco|diez|два|три|четыре|пять)(?!\p{L})/iu
const standingWords =
  /^(?:please )?(?:always|never|from now on|whenever|in (?:the )?future|remember (?:to|that)|don't ever|immer|niemals|ab jetzt|von jetzt an|toujours|ne jamais|désormais|siempre|nunca|de ahora en adelante|sempre|всегда|никогда)(?!\p{L})|(?<!\p{L})(?:i (?:always |really |generally |usually )?prefer|i'd (?:rather|prefer)|my preference|please (?:always|never)|ich bevorzuge|mir ist lieber|je préfère|prefiero|prefiro|preferisco|я предпочитаю)(?!\p{L})/iu
const sentences = /[^.!?。！？]+[.!?。！？]*/gu

/** The traits of a message's text, as a sum of bits. Linear in its length, and only in its first 2,000 characters. */
export function traitsOf(text: string): number {
  const read = text.slice(0, readCharacters).trim()
  return (
    (timeWords.test(read) ? traits.time : 0) |
    (numbers.test(read) ? traits.number : 0) |
    (isQuestion(text, read) ? traits.question : 0) |
    (standingWords.test(read) ? traits.standing : 0) |
    (asksAtItsEnd(text, read) ? traits.asks : 0)
  )
}

function hasWordsAtMost(text: string, read: string, max: number): boolean {
  return text.length <= readCharacters && read.split(/\s+/u, max + 1).length <= max
}

function asksAtItsEnd(text: string, read: string): boolean {
  return /[?？]$/u.test(read) && hasWordsAtMost(text, read, asksWordsMax)
}

function isQuestion(text: string, read: string): boolean {
  if (!hasWordsAtMost(text, read, questionWordsMax)) return false
  const asked = [...read.matchAll(sentences)].reduce(
    (sum, [sentence]) => sum + (/[?？]$/u.test(sentence.trimEnd()) ? sentence.length : 0),
    0,
  )
  return asked > read.length * questionShare
}
