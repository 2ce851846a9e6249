import { describe, expect, it } from 'vitest'

import type { Place } from '../../bench/recall/fill.ts'
import { numberOfVector, ReplayedEmbedder, vectorOfNumber } from '../../bench/recall/replayed-embedder.ts'
import { ReplayedIndex } from '../../bench/recall/replayed-index.ts'
import { makeQuestion } from './questions.ts'

const signal = AbortSignal.timeout(60_000)
const space = { tenantId: 1, modelId: 1, dimensions: 16 }

const questions = [
  makeQuestion({ conversation: 'c', index: 0, question: 'Where?' }),
  makeQuestion({ conversation: 'c', index: 1, question: 'When?' }),
  makeQuestion({ conversation: 'd', index: 0, question: 'When?' }),
]
const ranks = new Map([
  [
    'c',
    [
      ['a', 'b', 'gone'],
      ['b', 'a'],
    ],
  ],
  ['d', [['z']]],
])

function place(conversation: string, ref: string, at: readonly [sessionId: string, seq: number]): Place {
  return { conversation, session: 1, ref, sessionId: at[0], seq: at[1] }
}

const places = [place('c', 'a', ['s1', 4]), place('c', 'b', ['s2', 9]), place('d', 'z', ['s3', 1])]

async function found(text: string, options: { level?: number; limit?: number; filter?: object } = {}) {
  const embedder = new ReplayedEmbedder(questions)
  const index = new ReplayedIndex({ ranks, questions, places })
  const [vector = new Float32Array()] = await embedder.embed([text], { purpose: 'query', signal })
  const { matches } = await index.query(space, { vector, level: 0, limit: 50, filter: {}, ...options })
  return matches.map(({ sessionId, firstSeq }) => `${sessionId}:${firstSeq}`)
}

describe('ReplayedIndex', () => {
  it('answers a question with its published ranking, without messages that the store does not have', async () => {
    expect(await found('Where?')).toEqual(['s1:4', 's2:9'])
  })

  it('answers a question of two conversations with both rankings, rank by rank', async () => {
    expect(await found('When?')).toEqual(['s2:9', 's3:1', 's1:4'])
    expect(await found('When?', { filter: { sessionIds: ['s3'] } })).toEqual(['s3:1'])
    expect(await found('When?', { filter: { notSessionId: 's3' } })).toEqual(['s2:9', 's1:4'])
    expect(await found('When?', { limit: 1 })).toEqual(['s2:9'])
  })

  it('knows nothing of other texts and other levels', async () => {
    expect(await found('Whence?')).toEqual([])
    expect(await found('Where?', { level: 1 })).toEqual([])
  })
})

describe('ReplayedEmbedder', () => {
  it('gives vectors of length 1 that are no questions for documents, whatever they say', async () => {
    const [vector = new Float32Array()] = await new ReplayedEmbedder(questions).embed(['Where?'], {
      purpose: 'document',
      signal,
    })
    expect(numberOfVector(vector)).toBe(0)
    expect(Math.hypot(...vector)).toBeCloseTo(1, 6)
  })

  it('keeps every number in its vector', () => {
    for (const number of [0, 1, 2, 997, 65_535]) expect(numberOfVector(vectorOfNumber(number))).toBe(number)
  })
})
