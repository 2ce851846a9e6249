/**
 * Every weight of the ranking, one set for all stores. Each belongs to one move, which is a function of its own in
 * `score-turns.ts`, `rank-turns.ts`, `fuse.ts` or `diversity.ts`; docs/search.md shows what each is worth. They were tuned by hand on the
 * development half of LoCoMo and BEAM and moved little there: most can be halved or doubled for less than a point.
 */
export const weights = {
  /** BM25 (Robertson and Zaragoza 2009): saturation of a term's frequency, and how far long units are held back. */
  k1: 0.5,
  b: 0.45,
  /** A function word, beside the words that tell something. */
  functionWord: 0.5,
  /** Words that are about the asking: "can you list the order in which I brought up". */
  asking: 0.1,
  /** Names of people, places and products: written with a capital inside a sentence. */
  properName: 1.3,
  /** A word that a model added to the query, beside the query's own. */
  expansion: 0.3,
  /** A word that is also the name of somebody who writes: they are found as the sender, and vocatives say little. */
  name: 0.12,
  /** Contextual BM25: what the messages before and after say counts as said here, in parts. Answers are replies. */
  previous: 0.6,
  next: 0.2,
  /** The same of the messages one further, half of it for the one after. */
  secondPrevious: 0.18,
  /** Of a longer neighbour each word counts less: as if only so many of its words were heard. */
  neighbourWords: 25,
  /** For each further word of the query that matches. */
  coordination: 0.05,
  /** Up to twenty words, a longer message is likelier to be told something with. */
  substance: 0.3,
  substanceWords: 20,
  /** The query names who wrote it. */
  sender: 1.1,
  /** "When …" and a message that names a time; "how many …" and one that holds a number. */
  time: 0.3,
  number: 0.35,
  /** The query names a time and the message is of that time. */
  date: 3,
  /** "What did I say …", "what did you suggest …", and questions that say neither: what a person wrote comes first. */
  userAsked: 2,
  assistantAsked: 0.5,
  user: 0.3,
  /** The query quotes a title and the message has all of its words. */
  title: 0.5,
  /** A short message that only asks, and one that ends by asking. */
  question: 0.35,
  asks: 0.2,
  /** The user's standing instructions and preferences: a factor, and a share of the best score, so that they are seen. */
  standing: 0.3,
  standingShare: 0.2,
  /** Of that share, what depends on how well the rest of its session matches. */
  standingSession: 0.5,
  /** Neighbour smoothing: half of it from each side. */
  smoothing: 0.12,
  /** A session's three best messages lift the others of it. */
  session: 0.5,
  sessionBest: 3,
  /** Each further message of one session in the result counts so much less than the one before it: others are seen too. */
  sessionRepeat: 0.03,
  /** Of ten results one author has so many, while what others say scores at least this share of what it takes the place of. */
  authorPlaces: 8,
  authorNear: 0.5,
  /**
   * Where more than so many of the best, of ten, say nearly the same (share this part of the terms of both), they have so many places of a
   * page, while what else there is scores at least this share of what it takes the place of.
   */
  repeatFlood: 5,
  repeatShare: 0.65,
  repeatPlaces: 3,
  repeatNear: 0.25,
  /** Fusion with vectors: what the first by meaning is worth beside the best by words. Models on this machine are small ones. */
  meaning: 0.7,
  meaningLocal: 0.35,
  /** The constant of reciprocal rank fusion. 60, the usual one, is for lists of thousands. */
  fusionRank: 10,
  /** Answers stand beside what is near in meaning too. */
  previousMeaning: 0.5,
  nextMeaning: 0.3,
} as const

export type Weights = { readonly [name in keyof typeof weights]: number }
