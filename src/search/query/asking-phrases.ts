/**
 * How people ask a memory: "can you list the order in which I brought up …", "… throughout our conversations", "give me a
 * summary of …". Such words are about the asking and not about what was said. Whole phrases are looked for, since the same
 * words ("the order of the list", "key concepts") are what others ask about. Where in doubt a phrase is none.
 */
const asking = [
  // English: who is asked to do what, who said it, where, and in which form the answer is wanted
  String.raw`(?:can|could|would|will) you(?: please| also)?(?: list| summari[sz]e| recap| outline| describe| explain| (?:walk|take|lead) me through| (?:give|show|tell|remind) me)`,
  String.raw`(?:please )?(?:remind|tell) me(?: again)?|walk me through|(?:do|can|did) you (?:remember|recall)|summari[sz]e (?=how|what|my|our|the|everything)`,
  String.raw`(?:have i|had i|did i|have we|had we|did we|i|i've|we|we've|you|have you|did you)(?: ever| have| had| just| previously| first)*(?: brought up| bring up| mention(?:ed)?| discuss(?:ed)?| talk(?:ed)? about| spoke(?:n)? (?:of|about)| said| say| told| tell)(?: (?:different|various|several|the main) (?:aspects|topics|concepts|points|parts|things|subjects)(?: of| related to| about)?)?`,
  String.raw`(?:throughout|across|in|over|during|from|through)(?: all)?(?: of)? (?:our|my|these|those)(?: entire| whole| previous| past| earlier| last| recent)* (?:conversations?|chats?|discussions?|dialogues?|messages)`,
  String.raw`an? (?:\p{L}+ )?(?:summary|overview|recap|rundown) (?:of|about)`,
  String.raw`(?:list )?the order in which|in (?:the )?(?:chronological |correct |right |same )?order(?=\s*[.,;:?!]\s*(?:mention|$)|\s*$)`,
  String.raw`mention only(?: and only)?(?: \p{L}+| \d+)? (?:items?|things|points|topics)`,
  // German
  String.raw`(?:kannst|könntest) du(?: mir| bitte)*(?: sagen| erzählen| erklären| zeigen| auflisten)?|(?:können|könnten) sie(?: mir| bitte)*(?: sagen| erzählen| erklären| zeigen| auflisten)?|erinnere mich(?: daran)?|eine zusammenfassung (?:von|der|des|über)`,
  String.raw`(?:habe ich|haben wir|hatte ich|hatten wir)(?: \p{L}+)? (?:gesagt|erwähnt|besprochen|erzählt)|(?:in|während) unser(?:en|em|er) (?:gespräch(?:en)?|unterhaltung(?:en)?|chats?)`,
  String.raw`(?:die|in welcher) reihenfolge, in der`,
  // French
  String.raw`(?:peux-tu|pourrais-tu|pouvez-vous|pourriez-vous)(?: me)? (?:lister|résumer|rappeler|expliquer|décrire|donner|dire)|rappelle-moi|résume-moi|un résumé (?:de|du|des)`,
  String.raw`(?:dans|pendant|au cours de) nos (?:conversations|discussions|échanges)|l'ordre dans lequel`,
  // Spanish, Portuguese, Italian
  String.raw`(?:puedes|podrías) (?:hacerme|darme|decirme|listar|resumir|recordarme|explicarme)|recuérdame|un resumen (?:de|del)|en nuestras (?:conversaciones|charlas)|el orden en que`,
  String.raw`você (?:pode|poderia)(?: me)? (?:listar|resumir|lembrar|explicar|dizer)|um resumo (?:de|do|da)|em nossas conversas|a ordem em que`,
  String.raw`(?:puoi|potresti) (?:elencare|riassumere|ricordarmi|spiegarmi|darmi|dirmi)|un riassunto (?:di|del|della)|nelle nostre conversazioni|l'ordine in cui`,
]
/** Not inside a name of a file, a path or an identifier. */
const [before, after] = [
  String.raw`(?<![\p{L}\p{N}_]|[\p{L}\p{N}][-./'])`,
  String.raw`(?![\p{L}\p{N}_]|[-./'][\p{L}\p{N}])`,
]
const askingPattern = new RegExp(`${before}(?:${asking.join('|')})${after}`, 'giu')

/** A stretch of a text, as UTF-16 offsets. */
interface Span {
  readonly start: number
  readonly end: number
}

/** The stretches of a query that are only about the asking, in their order. */
export function findAsking(query: string): Span[] {
  return [...query.replaceAll('’', "'").matchAll(askingPattern)].map((match) => ({
    start: match.index,
    end: match.index + match[0].length,
  }))
}

/** A text without some stretches, each with the comma after it. They are in their order and do not overlap. */
export function withoutSpans(text: string, spans: readonly Span[]): string {
  const kept = [text.slice(0, spans[0]?.start)]
  for (const [index, { end }] of spans.entries())
    kept.push(text.slice(end, spans[index + 1]?.start).replace(/^\s*,/, ''))
  return kept
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .join(' ')
}
