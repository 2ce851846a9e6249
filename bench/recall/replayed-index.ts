import { readFile } from 'node:fs/promises'

import { z } from 'zod'

import type {
  VectorFilter,
  VectorIndex,
  VectorMatch,
  VectorQuery,
  VectorRecord,
  VectorResult,
} from '../../src/ports/vector-index.ts'
import type { Question } from './dataset.ts'
import type { Place } from './fill.ts'
import { numberOfVector, numberQuestions } from './replayed-embedder.ts'

const ranksSchema = z.object({ ranks: z.record(z.string(), z.array(z.array(z.string()))) })

/** A published ranking: refs of messages, best first, by conversation and by the place of a question in it. */
export type PublishedRanks = ReadonlyMap<string, readonly (readonly string[])[]>

export async function readPublishedRanks(path: string): Promise<PublishedRanks> {
  return new Map(Object.entries(ranksSchema.parse(JSON.parse(await readFile(path, 'utf8'))).ranks))
}

export interface Replay {
  readonly ranks: PublishedRanks
  readonly questions: readonly Question[]
  /** Where the store has the messages. */
  readonly places: readonly Place[]
}

/** The order is all that is published: similarities fall from 1 by as much from rank to rank. */
const similarityStep = 0.005

/**
 * A vector index whose rankings were published with a benchmark, for questions whose vectors nobody has. It keeps nothing
 * that is written to it. Only the filter by session is obeyed: the benchmark sets no other that reaches an index.
 */
export class ReplayedIndex implements VectorIndex {
  readonly kind = 'pgvector'
  readonly name = 'replayed'
  readonly #replay: Replay
  readonly #places: ReadonlyMap<string, Place>
  readonly #numbers: ReadonlyMap<string, number>

  constructor(replay: Replay) {
    this.#replay = replay
    this.#places = new Map(replay.places.map((place) => [`${place.conversation}/${place.ref}`, place]))
    this.#numbers = numberQuestions(replay.questions)
  }

  query(_space: unknown, query: VectorQuery): Promise<VectorResult> {
    if (query.level !== 0) return Promise.resolve({ matches: [], behind: false })
    const number = numberOfVector(query.vector)
    const questions = this.#replay.questions.filter(({ question }) => this.#numbers.get(question) === number)
    const matches = questions.flatMap((question) => this.#matches(question, query.filter))
    const sorted = matches.toSorted((a, b) => b.similarity - a.similarity).slice(0, query.limit)
    return Promise.resolve({ matches: sorted, behind: false })
  }

  upsert(): Promise<void> {
    return Promise.resolve()
  }

  fetch(): Promise<(VectorMatch & Pick<VectorRecord, 'vector'>)[]> {
    return Promise.resolve([])
  }

  delete(): Promise<void> {
    return Promise.resolve()
  }

  deleteSession(): Promise<void> {
    return Promise.resolve()
  }

  deleteSpace(): Promise<void> {
    return Promise.resolve()
  }

  count(): Promise<number> {
    return Promise.resolve(this.#places.size)
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  #matches(question: Question, filter: VectorFilter): VectorMatch[] {
    const ranked = this.#replay.ranks.get(question.conversation)?.[question.index] ?? []
    return ranked.flatMap((ref, at) => {
      const place = this.#places.get(`${question.conversation}/${ref}`)
      if (place === undefined) return []
      const { sessionId, seq: firstSeq } = place
      if (filter.sessionIds !== undefined && !filter.sessionIds.includes(sessionId)) return []
      if (filter.notSessionId === sessionId) return []
      return [{ level: 0, sessionId, firstSeq, part: 0, similarity: 1 - at * similarityStep }]
    })
  }
}
