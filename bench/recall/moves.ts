import type { Weights } from '../../src/search/ranking/weights.ts'

/** One move of the ranking. */
export interface Move {
  readonly title: string
  /** The weights with which it does nothing. */
  readonly off: Partial<Weights>
  readonly needsMeaning?: boolean
}

export const moves: readonly Move[] = [
  { title: 'k1 = 0.5 and b = 0.45 instead of 1.2 and 0.75', off: { k1: 1.2, b: 0.75 } },
  { title: 'function words count a little', off: { functionWord: 0 } },
  { title: 'words that are only about the asking count little as words', off: { asking: 1 } },
  { title: 'names of people, places and products', off: { properName: 1 } },
  { title: 'contextual BM25: words of the turns around', off: { previous: 0, next: 0, secondPrevious: 0 } },
  { title: 'a long neighbour counts less a word', off: { neighbourWords: 1_000_000 } },
  { title: 'the more words of the query the better', off: { coordination: 0 } },
  { title: 'the sender that the query names', off: { sender: 0 } },
  { title: 'the name counts little as a word', off: { name: 1 } },
  { title: 'dates that the query names', off: { date: 0 } },
  { title: 'messages that name a time or a number, where one is asked for', off: { time: 0, number: 0 } },
  { title: 'who is asked about, user or assistant', off: { user: 0, userAsked: 0, assistantAsked: 0 } },
  { title: 'standing instructions and preferences', off: { standing: 0, standingShare: 0 } },
  { title: 'messages of some length', off: { substance: 0 } },
  { title: 'messages that only ask, or end by asking', off: { question: 0, asks: 0 } },
  { title: 'titles that a sentence quotes', off: { title: 0 } },
  { title: 'neighbour smoothing', off: { smoothing: 0 } },
  { title: 'session prior', off: { session: 0 } },
  { title: 'spread over sessions', off: { sessionRepeat: 0 } },
  { title: "an author's share of ten places", off: { authorPlaces: 10 } },
  { title: 'the share of what repeats itself', off: { repeatPlaces: 10 } },
  { title: 'nearness in meaning', off: { meaning: 0, meaningLocal: 0 }, needsMeaning: true },
  { title: 'meaning of the turns around', off: { previousMeaning: 0, nextMeaning: 0 }, needsMeaning: true },
]
