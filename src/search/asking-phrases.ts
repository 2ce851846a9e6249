/**
 * How people ask a memory: "can you list the order in which I brought up …", "… throughout our conversations", "give me a
 * summary of …". Such words are about the asking and not about what was said, so they hardly weigh. Whole phrases are looked
 * for, since the same words ("the order of the list") are what others ask about.
 */
const asking = [
  // English: who is asked to do what, who said it, where, and in which form the answer is wanted
  String.raw`(?:can|could|would|will) you (?:please |also )?(?:list|summari[sz]e|recap|outline|describe|explain|(?:walk|take|lead) me through|(?:give|show|tell|remind) me)`,
  String.raw`(?:please )?(?:remind|tell) me(?: again)?|walk me through|(?:do|can|did) you (?:remember|recall)|summari[sz]e`,
  String.raw`(?:have i|did i|did we|had i|i|i've|we|we've|you) (?:ever |have |had |just |previously |first )*(?:brought up|bring up|mention(?:ed)?|discuss(?:ed)?|talk(?:ed)? about|spoke(?:n)? (?:of|about)|said|say|told|tell|raised)`,
  String.raw`(?:throughout|across|in|over|during|from|through) (?:all )?(?:of )?(?:our|my|the|these|those|this)(?: entire| whole| previous| past| earlier| last| recent)* (?:conversations?|chats?|discussions?|dialogues?|messages)`,
  String.raw`(?:give me|provide|write|have)?(?: me)? ?an? (?:\p{L}+ )?(?:summary|overview|recap|rundown) (?:of|about)`,
  String.raw`(?:list )?the order in which|in (?:the )?(?:chronological |correct |right |same )?order(?=\s*[.,;:?!]|\s*$)`,
  String.raw`(?:the |some )?(?:different|various|main|key|several) (?:aspects|topics|concepts|points|parts|things|subjects)(?: of| related to| about)?`,
  String.raw`mention only(?: and only)?(?: \p{L}+| \d+)? (?:items?|things|points|topics)`,
  // German
  String.raw`(?:kannst|könntest) du (?:mir |bitte )*|(?:können|könnten) sie (?:mir |bitte )*|erinnere mich(?: daran)?|fass(?:e)?(?: mir)? zusammen|zusammenfassung`,
  String.raw`(?:habe ich|haben wir|hatte ich|hatten wir) (?:\p{L}+ )?(?:gesagt|erwähnt|besprochen|erzählt)|(?:in|während) unser(?:en|em|er) (?:gespräch(?:en)?|unterhaltung(?:en)?|chats?)`,
  String.raw`(?:die|in welcher) reihenfolge(?:, in der)?|(?:die )?(?:verschiedenen|einzelnen) (?:aspekte|themen|punkte)`,
  // French
  String.raw`(?:peux-tu|pourrais-tu|pouvez-vous|pourriez-vous) (?:me )?(?:lister|résumer|rappeler|expliquer|décrire|donner|dire)|rappelle-moi|résume-moi|un résumé (?:de|du|des)`,
  String.raw`(?:dans|pendant|au cours de) nos (?:conversations|discussions|échanges)|(?:j'ai|nous avons|on a) (?:mentionné|évoqué|abordé|dit|discuté)|l'ordre dans lequel`,
  // Spanish, Portuguese, Italian
  String.raw`(?:puedes|podrías|puede) (?:hacerme |darme |decirme |listar |resumir |recordarme |explicar )|recuérdame|un resumen (?:de|del)|en nuestras (?:conversaciones|charlas)|el orden en que`,
  String.raw`(?:você pode|pode|poderia) (?:me )?(?:listar|resumir|lembrar|explicar|dar)|um resumo (?:de|do|da)|em nossas conversas|a ordem em que`,
  String.raw`(?:puoi|potresti) (?:elencare|riassumere|ricordarmi|spiegare|darmi|dirmi)|un riassunto (?:di|del|della)|nelle nostre conversazioni|l'ordine in cui`,
]
const askingPattern = new RegExp(String.raw`(?<![\p{L}\p{N}])(?:${asking.join('|')})(?![\p{L}\p{N}])`, 'giu')

/** The stretches of a query that are only about the asking, as UTF-16 offsets, in their order. */
export function askingPhrases(query: string): { readonly start: number; readonly end: number }[] {
  return [...query.replaceAll('’', "'").matchAll(askingPattern)].map((match) => ({
    start: match.index,
    end: match.index + match[0].length,
  }))
}

/** The query as it is compared by meaning: without what is only about the asking, which is near to all that was ever asked. */
export function withoutAsking(query: string): string {
  const phrases = askingPhrases(query)
  if (phrases.length === 0) return query
  let kept = ''
  let at = 0
  for (const { start, end } of phrases) {
    kept += query.slice(at, start)
    at = end
  }
  kept = (kept + query.slice(at)).replaceAll(/[\s,]+/g, ' ').trim()
  return /\p{L}{2,}.*\P{L}\p{L}{2,}/su.test(kept) ? kept : query
}
