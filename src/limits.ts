const KiB = 1024
const MiB = 1024 * KiB

/** Every bound of the product in one place; units are in the names. They are quoted in errors and in docs/limits.md. */
export const limits = {
  messageBytesMax: 8 * MiB,
  /** One entry of an imported file. */
  importedMessageBytesMax: 256 * MiB,
  sessionMessagesMax: 1_000_000,
  sessionBytesMax: 10_000_000_000,
  batchMessagesMax: 500,
  /** One request over HTTP, or one line over stdio: a message of the largest size fits, unless most of it is escaped. */
  requestBytesMax: 10 * MiB,
  /** Requests over HTTP that wait for their turn, for each that is worked on at once. */
  waitingRequestsPerPlace: 16,
  /** The bodies of all that wait. */
  waitingRequestBytesMax: 64 * MiB,
  requestWaitMs: 30_000,
  /** What another store sends at once: about 4 MiB, or one message of the largest size. */
  syncRequestBytesMax: 272 * MiB,
  syncRequestMs: 300_000,
  /** Answers with 429 that a tenant gets at once; further ones come late. */
  promptRefusalsPerSecond: 20,
  lateRefusalMs: 2_000,
  lateRefusalMsMax: 20_000,
  /** In one process; further ones are answered at once, and their connections closed. */
  lateRefusalsMax: 2_000,
  /** What a clock may be ahead of or behind that of an authorization server. */
  clockSkewMs: 30_000,
  /** The keys or the metadata of an authorization server. */
  issuerAnswerBytesMax: MiB,
  /** OpenID Connect allows 255 for a subject. */
  subjectCharactersMax: 255,
  searchHitsMax: 100,
  searchHitsDefault: 10,
  resultTokensMax: 25_000,
  resultTokensDefault: 8_000,
  /** Hosts cut longer answers of reading tools (12,000 characters), so replies of search and recall stay below it. */
  searchReplyCharactersMax: 11_800,
  queryCharactersMax: 10_000,
  querySet: 5,
  idCharactersMax: 200,
  nameCharactersMax: 200,
  titleCharactersMax: 1_000,
  tagsMax: 50,
  tagCharactersMax: 100,
  summaryCharactersMax: 100_000,
  summaryTokensDefault: 600,
  /** What somebody puts in the place of a fact that was learned. */
  factCharactersMax: 1_000,
  factsPageMax: 500,
  factsPageDefault: 50,
  metadataBytesMax: 64 * KiB,
  pageMessagesMax: 500,
  pageMessagesDefault: 50,
  pageSessionsMax: 100,
  pageSessionsDefault: 20,
  resourcePageSessions: 50,
  contextNeighboursMax: 10,
  contextNeighboursDefault: 1,
  /** Payloads above this live in the archive store, addressed by their SHA-256. */
  inlinePayloadBytesMax: MiB,
  /** One request to a bucket, its answer included; a payload of 256 MiB is the largest. */
  archiveRequestMs: 120_000,
  archiveConnectMs: 2_000,
  archiveSilentMs: 10_000,
  /** Of a list or an erasure, which no client waits for and a large bucket thinks about. */
  archiveListSilentMs: 60_000,
  archiveRetryMs: 30_000,
  /** What the archive is asked while something is locked in the database: a store in one process stands still meanwhile. */
  archiveLockedMs: 5_000,
  /** Messages of one segment of the archive, and their bytes before compression; one message above it has a segment of its own. */
  archiveSegmentMessagesMax: 1_000,
  archiveSegmentBytesMax: 4 * MiB,
  /** Messages that one transaction of an erasure takes: others wait for its locks. */
  erasedMessagesMax: 2_000,
  /** Objects of the archive that an erasure notes before it erases them. */
  erasedObjectsAtOnce: 500,
  /** Messages that one transaction of an anonymisation takes, and about how long its preview looks for what would be replaced. */
  anonymisedMessagesMax: 500,
  anonymisePreviewMs: 5_000,
  /** How long the preview of an erasure may be confirmed. */
  erasureConfirmMs: 900_000,
  /** One call to a remote index that removes vectors. */
  erasureRequestMs: 120_000,
  /** How long a call waits for the erasure that it began; the rest is done in the background. */
  erasureWaitMs: 20_000,
  /** Distinct terms that one search unit indexes; further ones are left out of the index, never of the store. */
  unitTermsMax: 2_000,
  /** Words in one part of a long message; each part is a search unit of its own. */
  unitWordsMax: 200,
  /** Parts of one message that are indexed; a message beyond this is findable by its first parts only. */
  unitsPerMessageMax: 500,
  queryTermsMax: 64,
  /** Of a longer query so many tokens of its beginning and its end are embedded by a model on this machine, in a fifth of a second. */
  embeddedQueryTokensMax: 96,
  /** Units that one search scores at most; the rarest terms choose them. */
  searchCandidatesMax: 1_000,
  searchWaitForIndexMs: 2_000,
  /** How long a search waits for a model that adds words to the query; then it does without and says so. */
  queryExpansionMs: 2_000,
  /** How long a ranking may be used again: what "last week" means moves on. */
  rankingKeptMs: 300_000,
  /** Results of a search that are noted, should one of them be used, and for how long after it, and of how many searches of a caller. */
  shownHitsMax: 20,
  shownKeptMs: 900_000,
  shownSearchesMax: 10,
  /** Searches with a result that was used that the ranking is learned from: the newest, and none that is older. */
  rankingSearchesMax: 1_000,
  rankingFeedbackDays: 180,
  /** Below so many of them nothing is learned. */
  rankingSearchesMin: 30,
  /** A learned weight is at most so many times the usual one, and at least one so manieth of it. */
  rankingFactorMax: 2,
  /** Messages that are recalled for a conversation, as far as the budget allows. */
  recalledMessages: 20,
  /** How long what a session will need is kept, and made anew after each of its messages since it was last asked for. */
  predictionKeptMs: 900_000,
  /** Of a session, forms of what it will need that are kept beside each other: budgets and formats. */
  recallFormsKept: 4,
  /** After a save, how long a session must be at rest before what it will need is looked for. */
  predictionRestMs: 300,
  /** How long a search waits for the query's vector and the nearest ones; then it answers by words and says so. */
  searchMeaningMs: 1_500,
  /** The same where only meaning was asked for: a local model that is not loaded yet takes a second. */
  searchMeaningOnlyMs: 20_000,
  /** The same in a recall, which comes with every prompt: one vector is made, in a fifth of a second, and loading the model takes longer. */
  recallMeaningMs: 750,
  /** How long a search by meaning alone waits for a model that nobody offers, and for the first vectors of a store, of its whole time. */
  searchMeaningOfferMs: 5_000,
  /** A provider that asks for a longer pause is asked again after this all the same. */
  providerPauseMsMax: 86_400_000,
  /** Matches that one query of a vector index may ask for: pgvector looks at no more of its graph at once. */
  vectorMatchesMax: 1_000,
  /** Vectors that are compared one by one (2 to 5 µs each of 384 dimensions); where there are more, an index finds the nearest. */
  exactVectorsMax: 20_000,
  /** One request to Pinecone, its answer included. */
  pineconeRequestMs: 20_000,
  /** Pinecone's own bound on an answer is 4 MB. */
  pineconeAnswerBytesMax: 16 * MiB,
  /** How long an index that was just made may take to be ready. */
  pineconeCreateMs: 120_000,
  /** How long the deletion of a session waits until all that was written can be listed. */
  pineconeFreshnessMs: 30_000,
  /** One request to a provider of embeddings, its answer included. */
  embeddingRequestMs: 30_000,
  /** One request to a model that writes, its answer included. */
  generationRequestMs: 30_000,
  /** A model that has had too many calls, or cannot be reached, and wants to be asked again within so long is waited for, twice at most. */
  generationWaitMsMax: 5_000,
  /** What a model finds of names: the length of one, how many are kept of a message, and how many of a session are looked for in a text. */
  foundNameCharactersMax: 100,
  namesPerMessageMax: 200,
  namesPerSessionMax: 50_000,
  /** Characters of a message in which a model looks for names; rules look at all of it. */
  namedMessageCharactersMax: 48_000,
  /** A message that is larger, in bytes, is not read for names by a model. */
  namedPayloadBytesMax: 8 * 1024 * 1024,
  /** Characters of messages in which a model that writes is asked for names at once. */
  namesCallCharactersMax: 12_000,
  /** How long a summary waits for the model that writes it; then it is extracted, and what was noted by then is kept. */
  summaryByModelMs: 45_000,
  /** Messages of a session that one summary of its own sentences is made of: a fifth of a millisecond each, and reading them as much. */
  summaryMessagesMax: 20_000,
  /** The same of a piece that a model is shown the most telling sentences of. */
  summaryPieceMessagesMax: 2_000,
  /** Messages that a summary of a calling model's cites: each is read. */
  summaryCitationsMax: 200,
  /** Sentences of one that cite nothing, for which messages are looked for, and for how long at most. */
  summaryLookSentencesMax: 200,
  summaryLookMs: 10_000,
  /** The newest messages that are looked through for them, and their characters; what is older is searched. */
  summaryLookMessagesMax: 2_000,
  summaryLookCharactersMax: 4_000_000,
  /** Pieces of a session that a model takes notes of for one summary, and notes of pieces that one summary is made of. */
  summaryPiecesMax: 16,
  /** Messages that a summary of a search is made of, without their neighbours, and sessions that one of a time is made of. */
  summaryHitsMax: 40,
  summarySessionsMax: 20,
  /** Characters of the newest messages of each of these that are looked at. */
  summarySessionCharacters: 240_000,
  /** Characters of messages that a model is shown at once; where a piece has more, its most telling sentences. */
  summaryPieceCharacters: 24_000,
  /** 100 vectors of 4,096 dimensions, written out, are 9 MB. */
  embeddingAnswerBytesMax: 32 * MiB,
  /** One request to the local embedding service. */
  embeddingRequestBytesMax: 16 * MiB,
  /** Texts in one call of an embedder; Gemini takes no more. */
  embeddingTextsMax: 100,
  /** A text is cut at this many characters for each token that its model reads, before it is sent or tokenized. */
  embeddingCharactersPerTokenMax: 16,
  /** The same where the model runs on this machine, one text after the other. */
  localModelTextsMax: 32,
  /** Texts of all calls that wait for a model at once: one to ten minutes of work. */
  localModelWaitingTextsMax: 1_000,
  embeddingDimensionsMax: 16_000,
  /** Loading a model that runs in this process takes 0.5 s, one text 0.05 to 0.5 s; a machine that is short of both is slower. */
  localModelLoadMs: 60_000,
  localModelTextMs: 30_000,
} as const
