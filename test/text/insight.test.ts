import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { MessageToSummarize } from '../../src/insight/extracts/candidates.ts'
import { summarizeExtractive } from '../../src/insight/extracts/extract.ts'
import { cosine, inverseFrequencies, lexRank, type TermCounts, vectorOf } from '../../src/insight/extracts/lexrank.ts'
import { splitSentences } from '../../src/insight/extracts/sentences.ts'
import type { SummaryStyle } from '../../src/model/summary-style.ts'
import { estimateTokens } from '../../src/model/text/tokens.ts'
import { awkwardText, badInputs, cpuSeconds, secondsPerMegabyte } from './bad-inputs.ts'

const sentencesOf = (text: string): string[] => splitSentences(text).map(({ start, end }) => text.slice(start, end))

const similarityOf = (a: TermCounts, b: TermCounts, idf: ReadonlyMap<string, number>) =>
  cosine(vectorOf(a, idf), vectorOf(b, idf))

describe('splitSentences()', () => {
  it.each([
    ['One is here. Two is there! Three?', ['One is here.', 'Two is there!', 'Three?']],
    ['Ask Dr. Smith, e.g. Tomorrow. Then go.', ['Ask Dr. Smith, e.g. Tomorrow.', 'Then go.']],
    ['A sentence that was\nwrapped by hand. Next.', ['A sentence that was\nwrapped by hand.', 'Next.']],
    ['- first item\n- second item\n1. third', ['first item', 'second item', 'third']],
    ['Anna: hello there\nBob: hi Anna', ['Anna: hello there', 'Bob: hi Anna']],
    ['# Title\nText follows.', ['# Title', 'Text follows.']],
    ['会议改到星期五。地点在三楼！好吗？', ['会议改到星期五。', '地点在三楼！', '好吗？']],
    ['Das gilt z. B. Montags. Ende.', ['Das gilt z. B. Montags.', 'Ende.']],
  ])('splits %j', (text, expected) => {
    expect(sentencesOf(text)).toEqual(expected)
  })

  it('keeps sentences whole in a paragraph of any length', () => {
    const sentence = 'This sentence of a very long paragraph has exactly twelve words in it.'
    const found = sentencesOf(Array.from({ length: 500 }, () => sentence).join(' '))
    expect(found).toHaveLength(500)
    expect(new Set(found)).toEqual(new Set([sentence]))
  })

  it('gives a fenced block as one span of code, also when it is never closed', () => {
    const closed = 'Run this.\n```sh\nnpm test. Then stop.\n```\nDone now.'
    expect(splitSentences(closed).map(({ kind }) => kind)).toEqual(['prose', 'code', 'prose'])
    expect(splitSentences('Look.\n```\nopen. end').map(({ kind }) => kind)).toEqual(['prose', 'code'])
  })

  it('gives spans in order that do not overlap, are not empty and have no white space around them', () => {
    fc.assert(
      fc.property(awkwardText, (text) => {
        let at = 0
        for (const { start, end } of splitSentences(text)) {
          expect(start).toBeGreaterThanOrEqual(at)
          expect(end).toBeGreaterThan(start)
          at = end
        }
        expect(at).toBeLessThanOrEqual(text.length)
      }),
      { numRuns: 300 },
    )
  })

  it.each(Object.entries(badInputs))('takes time in proportion to the size of the bad input: %s', (_, make) => {
    const small = secondsPerMegabyte(() => splitSentences(make(1)), make(1).length)
    const large = secondsPerMegabyte(() => splitSentences(make(8)), make(8).length)
    expect(large).toBeLessThan(Math.max(small, 0.2) * 4)
  })
})

const counts = (text: string): Map<string, number> => {
  const found = new Map<string, number>()
  for (const word of text.split(' ').filter((word) => word !== '')) found.set(word, (found.get(word) ?? 0) + 1)
  return found
}

describe('lexRank()', () => {
  it('ranks the sentence that resembles most others first, and an isolated one as average', () => {
    const ranks = lexRank(['lock held server', 'server lock', 'lock held', 'banana cake'].map(counts))
    expect(Math.max(...ranks)).toBe(ranks[0])
    expect(ranks[3]).toBeCloseTo(1, 2)
  })

  it('averages to 1 and is never negative', () => {
    const sentence = fc
      .array(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { maxLength: 6 })
      .map((words) => counts(words.join(' ')))
    fc.assert(
      fc.property(fc.array(sentence, { minLength: 1, maxLength: 30 }), (sentences) => {
        const ranks = lexRank(sentences)
        expect(ranks.reduce((sum, rank) => sum + rank, 0)).toBeCloseTo(sentences.length, 6)
        expect(Math.min(...ranks)).toBeGreaterThan(0)
      }),
    )
  })

  it('is a fixed point of its own equation: the ranks of the paper by direct solution', () => {
    // Two sentences and a third that resembles both: by symmetry r1 = r2, and r3 follows from the average of 1.
    const sentences = ['x a', 'x b', 'x a b'].map(counts)
    const idf = inverseFrequencies(sentences)
    const similarity = sentences.map((a) => sentences.map((b) => similarityOf(a, b, idf)))
    const ranks = lexRank(sentences, { convergence: 1e-12 })
    for (const index of [0, 1, 2]) {
      const votes = [0, 1, 2].reduce((sum, from) => {
        const total = (similarity[from] ?? []).reduce((all, value) => all + value, 0)
        return sum + ((ranks[from] ?? 0) * (similarity[from]?.[index] ?? 0)) / total
      }, 0)
      expect(ranks[index]).toBeCloseTo(0.15 + 0.85 * votes, 3)
    }
  })

  it('has cosines of 1 for equal sentences, 0 for those without a common word, and is symmetric', () => {
    const [a, b, c] = [counts('x y z'), counts('x y'), counts('q')]
    const idf = inverseFrequencies([a, b, c])
    expect(similarityOf(a, a, idf)).toBeCloseTo(1, 10)
    expect(similarityOf(a, c, idf)).toBe(0)
    expect(similarityOf(a, b, idf)).toBe(similarityOf(b, a, idf))
  })
})

const talk: readonly (readonly [MessageToSummarize['role'], string, string])[] = [
  [
    'user',
    'anna',
    'Our import of the customer database fails every night. The log shows E_CONN-1042 from src/store/db.ts.',
  ],
  [
    'assistant',
    'bot',
    'The connection pool of the database is exhausted by the nightly import. The pool has ten connections and the import opens twelve.',
  ],
  [
    'tool',
    'bash',
    'connection refused connection refused\nimport of the customer database failed with the connection pool exhausted\n'.repeat(
      40,
    ),
  ],
  ['user', 'anna', 'We decided to limit the import to eight connections instead of raising the pool size. Thank you!'],
  ['assistant', 'bot', 'I will change the import worker so that it never opens more than eight database connections.'],
  ['user', 'anna', 'Does the staging database have the same connection limit?'],
  [
    'assistant',
    'bot',
    'Next step: check the connection limit of the staging database and run the nightly import there.',
  ],
]
const messages: MessageToSummarize[] = talk.map(([role, sender, text], index) => ({
  id: `m${index}`,
  seq: index + 1,
  role,
  sender,
  text,
}))

describe('summarizeExtractive()', () => {
  const styles: readonly SummaryStyle[] = ['brief', 'detailed', 'decisions', 'handoff']

  it.each(styles)(
    'gives sentences word for word, in order, within the budget, the same each time: %s',
    async (style) => {
      for (const maxTokens of [0, 20, 60, 400]) {
        const summary = await summarizeExtractive(messages, { style, maxTokens })
        expect(summary).toEqual(await summarizeExtractive(messages, { style, maxTokens }))
        expect(summary.messagesRead).toBe(messages.length)
        expect(summary.sentences.reduce((sum, { text }) => sum + estimateTokens(text), 0)).toBeLessThanOrEqual(
          maxTokens,
        )
        let last = 0
        for (const { text, messageId, seq, sender } of summary.sentences) {
          const source = messages.find(({ id }) => id === messageId)
          expect(source?.text).toContain(text)
          expect([source?.seq, source?.sender]).toEqual([seq, sender])
          expect(seq).toBeGreaterThanOrEqual(last)
          last = seq
        }
      }
    },
  )

  it('gives decisions only in the style of decisions', async () => {
    const { sentences } = await summarizeExtractive(messages, { style: 'decisions', maxTokens: 400 })
    expect(sentences.map(({ messageId }) => messageId)).toEqual(['m3'])
  })

  it('gives what was decided before what may have been, where there is not room for both', async () => {
    const texts = [
      "I'll use the large crane for the containers of the northern berth.",
      "I've decided against the night shift at the southern berth, can you tell the crew of the crane about it?",
    ]
    const list = texts.map((text, at) => ({ id: `d${at}`, seq: at + 1, sender: 'a', role: 'user' as const, text }))
    const idsOf = async (maxTokens: number) =>
      (await summarizeExtractive(list, { style: 'decisions', maxTokens })).sentences.map(({ messageId }) => messageId)
    expect(await idsOf(40)).toEqual(['d1'])
    expect(await idsOf(400)).toEqual(['d0', 'd1'])
  })

  it('names the newest state, the open question and the next step in a handoff', async () => {
    const { sentences } = await summarizeExtractive(messages, { style: 'handoff', maxTokens: 120 })
    const text = sentences.map((sentence) => sentence.text).join('\n')
    expect(text).toContain('Next step: check the connection limit')
    expect(text).toContain('Does the staging database have the same connection limit?')
    expect(text).toContain('E_CONN-1042')
  })

  it('takes no example for how things stand, and no small talk for a next step', async () => {
    const texts = [
      'For example, we could then import the customer database from the second server by hand?',
      'E.g. if you wanted a report of the import, the second server would need to send it later.',
      "I'd love to sail to the islands with the crew of the customer next month!",
      'The nightly import of the customer database still fails on the second server.',
    ]
    const list = texts.map((text, at) => ({ id: `h${at}`, seq: at + 1, sender: 'a', role: 'user' as const, text }))
    const { sentences } = await summarizeExtractive(list, { style: 'handoff', maxTokens: 30 })
    expect(sentences.map(({ messageId }) => messageId)).toEqual(['h3'])
  })

  it('prefers what people said to what a tool printed, and does not say a thing twice', async () => {
    const { sentences } = await summarizeExtractive(messages, { style: 'brief', maxTokens: 100 })
    expect(sentences.filter(({ sender }) => sender === 'bash')).toEqual([])
    const repeated = Array.from({ length: 30 }, (_, index) => ({
      ...messages[1],
      id: `r${index}`,
      seq: index,
      role: 'user' as const,
      sender: 'x',
      text: 'The pool of the database is exhausted again.',
    }))
    expect((await summarizeExtractive(repeated, { style: 'detailed', maxTokens: 500 })).sentences).toHaveLength(1)
  })

  it('quotes of what was said and taken back what was said last', async () => {
    const said = [
      'We decided to use Kafka for the queue.',
      'The tests are green.',
      'We decided not to use Kafka for the queue.',
    ]
    const told = said.map((text, at) => ({
      ...messages[1],
      id: `k${at}`,
      seq: at,
      role: 'user' as const,
      sender: 'x',
      text,
    }))
    const { sentences } = await summarizeExtractive(told, { style: 'decisions', maxTokens: 500 })
    expect(sentences.map(({ text }) => text)).toContain(said[2])
    expect(sentences.map(({ text }) => text)).not.toContain(said[0])
  })

  it.each([[[]], [['']], [['the of and is', 'to be or not to be that is']], [['```\ncode only\n```']], [['!!! ???']]])(
    'is empty for %j',
    async (texts) => {
      const list = texts.map((text, index) => ({
        id: `e${index}`,
        seq: index,
        sender: 'a',
        role: 'user' as const,
        text,
      }))
      expect((await summarizeExtractive(list, { style: 'detailed', maxTokens: 500 })).sentences).toEqual([])
    },
  )

  it('works in Chinese and Russian', async () => {
    for (const text of [
      '我们决定把数据库迁移到新的服务器。数据库的迁移在星期五开始。',
      'Мы решили перенести базу данных на новый сервер. Перенос базы начнётся в пятницу.',
    ]) {
      const list = [{ id: 'z', seq: 1, sender: 'a', role: 'user' as const, text }]
      const { sentences } = await summarizeExtractive(list, { style: 'decisions', maxTokens: 200 })
      expect(sentences).toHaveLength(1)
      expect(text.startsWith(sentences[0]?.text ?? 'nothing')).toBe(true)
    }
  })

  it('takes time in proportion to the length of a stream', async () => {
    async function* stream(count: number): AsyncGenerator<MessageToSummarize> {
      for (let index = 0; index < count; index++) {
        const text = `Message ${index} says that module ${index % 97} of project ${index % 13} depends on part ${index % 31}. It was checked by team ${index % 7}.`
        yield { id: `s${index}`, seq: index, sender: 'a', role: 'user', text }
      }
    }
    const time = async (count: number): Promise<number> => {
      const start = cpuSeconds()
      const summary = await summarizeExtractive(stream(count), { style: 'brief', maxTokens: 200 })
      expect(summary.messagesRead).toBe(count)
      expect(summary.sentences.length).toBeGreaterThan(2)
      return ((cpuSeconds() - start) * 1_000) / count
    }
    await time(500)
    const small = await time(1_000)
    expect(await time(8_000)).toBeLessThan(Math.max(small, 0.1) * 4)
  })

  it('finishes on every bad input', async () => {
    const list = Object.values(badInputs).map((make, index) => ({
      id: `b${index}`,
      seq: index,
      sender: 'a',
      role: 'user' as const,
      text: make(2),
    }))
    expect((await summarizeExtractive(list, { style: 'detailed', maxTokens: 500 })).messagesRead).toBe(list.length)
  })
})
