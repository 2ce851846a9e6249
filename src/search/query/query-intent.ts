/**
 * What kind of answer a query wants, read from its question words. It weighs results and leaves none out, so that a wrong
 * guess costs a little order and never a hit.
 */
export interface QueryIntent {
  /** "When …": messages that name a time are likelier. */
  readonly asksTime: boolean
  /** "How many …": messages that hold a number are likelier. */
  readonly asksNumber: boolean
  /** Whose words are wanted: "what did I say" the user's, "what did you suggest" the assistant's. */
  readonly speaker: 'user' | 'assistant' | undefined
}

const timeQuestions =
  /(?<!\p{L})(?:when|how long|(?:what|which) (?:date|day|time|month|year)|wann|wie lange|seit wann|quand|depuis quand|cuándo|desde cuándo|quando|когда|как долго|wanneer|hvornår|när)(?!\p{L})|いつ|什么时候|何时|幾時|언제/iu
const numberQuestions =
  /(?<!\p{L})(?:how (?:many|much|often|old|long|far)|wie (?:viele?|oft|alt|lange|weit)|combien|cuánt[oa]s?|quanti|quante|quanto|quantos|quantas|сколько|hoeveel)(?!\p{L})|何人|何個|いくつ|多少|几个|몇/iu
/** The user asks their own memory through the agent that they talk to: "you" is the assistant, "I" the user. */
const assistantWords =
  /(?<!\p{L})(?:(?:did|have|had) you|you (?:recommended|suggested|said|told|gave|mentioned|explained|advised|provided|proposed|wrote|described|listed|outlined)|(?:hast|hattest) du|haben sie|du (?:empfahlst|sagtest|schriebst)|as-tu|avez-vous|tu as|vous avez|dijiste|recomendaste|sugeriste|ты (?:сказал|советовал|предложил)\p{L}*|вы (?:сказали|советовали|предложили))(?!\p{L})/iu
const userWords =
  /(?<!\p{L})(?:i|my|me|i'm|i've|mine|our|we|ich|mein\p{L}*|mir|mich|unser\p{L}*|wir|je|j'ai|mon|ma|mes|moi|notre|nos|nous|yo|mi|mis|mío|nuestr[oa]s?|eu|meu|minha|io|mio|mia|я|мой|моя|моё|мои|мне|меня|наш\p{L}*|мы)(?!\p{L})|私|僕|我|나의|내가/iu

export function readIntent(query: string): QueryIntent {
  const text = query.replaceAll('’', "'")
  return {
    asksTime: timeQuestions.test(text),
    asksNumber: numberQuestions.test(text),
    speaker: assistantWords.test(text) ? 'assistant' : userWords.test(text) ? 'user' : undefined,
  }
}
