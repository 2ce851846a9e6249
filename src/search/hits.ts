import { overlapEnd, splitIntoParts } from '../indexing/parts.ts'
import { TermFinder } from '../indexing/terms/term-finder.ts'
import type { TokenKind } from '../indexing/terms/tokenize.ts'
import type { ArchiveStore } from '../ports/archive-store.ts'
import { readableText } from '../sessions/document.ts'
import { messageBody } from '../sessions/message-body.ts'
import { withFlags } from '../sessions/message-flags.ts'
import type { Database } from '../store/database.ts'
import { readPlaces, type MessageRow } from '../store/messages.ts'
import type { Match } from './excerpt.ts'
import { phraseMatches } from './query/phrase-matches.ts'
import type { ParsedQuery } from './query/query-text.ts'
import type { RankedMessage } from './ranking/rank.ts'
import { SeenTexts } from './seen-texts.ts'

export interface ReadMessage {
  readonly message: MessageRow
  readonly text: string
}

/** A message that matched, with the places in its text that did. */
export interface Hit extends ReadMessage {
  readonly ranked: RankedMessage
  readonly matches: readonly Match[]
  /** The words of the text that match the query, as they stand there, each form once. */
  readonly terms: readonly string[]
}

export interface HitRequest {
  readonly tenantId: number
  readonly queries: readonly ParsedQuery[]
  readonly ranked: readonly RankedMessage[]
  /** Hits to leave out at the start, and to return at most after that. */
  readonly offset: number
  readonly limit: number
}

export interface FoundHits {
  readonly hits: readonly Hit[]
  /** True where more hits follow. */
  readonly more: boolean
  /** Ids of messages whose bytes could not be read or were altered: they are left out, and said. */
  readonly unreadable: readonly string[]
}

/**
 * Messages read at first beside those that are wanted, as some repeat others: of queries with phrases, and of those without. As long
 * as hits are missing the database is asked for twice as many again.
 */
const moreWithPhrases = 50
const moreWithout = 5
const firstBatchMax = 100

/** Matched words that a reply names, and how much of each. */
const termsMax = 12
const termCharactersMax = 80

/** A text longer than this is looked at in its best part only: taking all of it apart would take seconds. */
const wholeTextCharacters = 50_000

/** What places count where an excerpt cannot show all: a whole identifier says more than its pieces, and a word more than its stem. */
const placeWeights: Readonly<Record<TokenKind, number>> = {
  identifier: 3,
  joined: 3,
  word: 2,
  gram: 2,
  stem: 1,
  part: 1,
  character: 1,
}

/** Finds the places and the words of texts that match some queries, in texts of one reply. */
export class MatchFinder {
  readonly #terms: TermFinder
  /** The word of the queries that a term is a form of. */
  readonly #words: ReadonlyMap<string, string>

  constructor(queries: readonly ParsedQuery[]) {
    const telling = queries.flatMap(({ terms }, query) =>
      terms.filter(({ lowValue }) => !lowValue).map(({ term, group }) => [term, `${query} ${group}`] as const),
    )
    this.#words = new Map(telling)
    this.#terms = new TermFinder(new Set(this.#words.keys()))
  }

  /** `best` is the part that is looked at where the text is too long. */
  find(text: string, best: number): Pick<Hit, 'matches' | 'terms'> {
    if (text.length <= wholeTextCharacters) return this.#matchesIn(text, 0)
    const { start, end } = splitIntoParts(text)[best] ?? { start: 0, end: wholeTextCharacters }
    return this.#matchesIn(text.slice(start, overlapEnd(text, end)), start)
  }

  /** `offset` is where the text begins in the whole one. */
  #matchesIn(text: string, offset: number): Pick<Hit, 'matches' | 'terms'> {
    const matches: Match[] = []
    const terms = new Map<string, string>()
    for (const token of this.#terms.find(text)) {
      const last = matches.at(-1)
      const [start, end] = [offset + token.start, offset + token.end]
      // A word's stems come after its written form and are at the same place: it matched once.
      if (last?.start === start && last.end === end) continue
      matches.push({ start, end, word: this.#words.get(token.term) ?? token.term, weight: placeWeights[token.kind] })
      if (terms.size < termsMax && !terms.has(token.term))
        terms.set(
          token.term,
          text.slice(token.start, Math.min(token.end, token.start + termCharactersMax)).toWellFormed(),
        )
    }
    return { matches, terms: [...terms.values()] }
  }
}

/** Every quoted phrase must stand in the text; its places are where the excerpt is cut. */
function phrasePlaces(text: string, queries: readonly ParsedQuery[]): Match[] | undefined {
  const places: Match[] = []
  for (const phrase of queries.flatMap((query) => query.phrases)) {
    const found = phraseMatches(text, phrase)
    if (found.length === 0) return undefined
    places.push(...found)
  }
  return places
}

/**
 * Reads the ranked messages, drops those that lack a quoted phrase, and of messages that tell the same keeps the best ranked
 * one.
 */
export async function readHits(
  stores: { readonly database: Database; readonly archive: ArchiveStore },
  request: HitRequest,
): Promise<FoundHits> {
  const hits: Hit[] = []
  const unreadable: string[] = []
  const seen = new SeenTexts()
  const finder = new MatchFinder(request.queries)
  const more = request.queries.some(({ phrases }) => phrases.length > 0) ? moreWithPhrases : moreWithout
  let skipped = 0
  for (
    let at = 0, size = Math.min(request.offset + request.limit + more, firstBatchMax);
    at < request.ranked.length;
    at += size, size *= 2
  ) {
    const batch = request.ranked.slice(at, at + size)
    const rows = await readPlaces(stores.database, request.tenantId, { places: batch })
    const byPlace = new Map(rows.map((row) => [`${row.sessionId} ${row.seq}`, row]))
    for (const ranked of batch) {
      const found = byPlace.get(`${ranked.sessionId} ${ranked.seq}`)
      if (found === undefined) continue
      const read = await readIfIntact(stores.archive, found)
      if (read === undefined) {
        unreadable.push(found.id)
        continue
      }
      const { message, text } = read
      const phrases = phrasePlaces(text, request.queries)
      if (phrases === undefined || seen.isRepeat(text)) continue
      if (skipped < request.offset) {
        skipped++
        continue
      }
      if (hits.length === request.limit) return { hits, more: true, unreadable }
      const { matches, terms } = finder.find(text, ranked.part)
      hits.push({ message, text, ranked, matches: phrases.length > 0 ? phrases : matches, terms })
    }
  }
  return { hits, more: false, unreadable }
}

/** A message's text, or undefined where its bytes are missing or altered. */
export async function textIfIntact(archive: ArchiveStore, message: MessageRow): Promise<string | undefined> {
  const body = await messageBody(archive, message)
  return 'payload' in body ? readableText(message, body.payload) : undefined
}

/** A message with its text and what it is flagged for, or undefined where its bytes are missing or altered. */
export async function readIfIntact(archive: ArchiveStore, message: MessageRow): Promise<ReadMessage | undefined> {
  const body = await messageBody(archive, message)
  if ('error' in body) return undefined
  return { message: withFlags(message, body), text: readableText(message, body.payload) }
}
