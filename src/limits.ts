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
  /** Distinct terms that one search unit indexes; further ones are left out of the index, never of the store. */
  unitTermsMax: 2_000,
  /** Words in one part of a long message; each part is a search unit of its own. */
  unitWordsMax: 200,
  /** Parts of one message that are indexed; a message beyond this is findable by its first parts only. */
  unitsPerMessageMax: 500,
  queryTermsMax: 64,
  /** Units that one search scores at most; the rarest terms choose them. */
  searchCandidatesMax: 1_000,
  searchWaitForIndexMs: 2_000,
} as const
