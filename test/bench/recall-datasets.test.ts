import { describe, expect, it } from 'vitest'

import { beamSessions, parseTimeAnchor, readBeam, withoutGeneratorLabel } from '../../bench/recall/beam.ts'
import { sampleQuestions, type Dataset } from '../../bench/recall/dataset.ts'
import { locomoConversations, parseSessionDate, readLocomo } from '../../bench/recall/locomo.ts'
import { makeQuestion } from './questions.ts'

const locomo = await readLocomo()
const beam = await readBeam()

function messagesOf(dataset: Dataset | undefined) {
  return (dataset?.conversations ?? []).flatMap(({ sessions }) => sessions.flatMap(({ messages }) => messages))
}

/** Questions of which a gold message or session is not in their conversation. */
function dangling(dataset: Dataset | undefined) {
  return (dataset?.questions ?? []).filter(({ conversation, gold, goldSessions }) => {
    const sessions = dataset?.conversations.find(({ id }) => id === conversation)?.sessions ?? []
    const refs = new Set(sessions.flatMap(({ messages }) => messages.map(({ ref }) => ref)))
    const numbers = new Set(sessions.map(({ number }) => number))
    return !gold.every((ref) => refs.has(ref)) || !goldSessions.every((number) => numbers.has(number))
  })
}

describe('locomoConversations()', () => {
  const turns = [
    { speaker: 'Ada', dia_id: 'D2:1', text: 'Look!', img_url: ['x'], blip_caption: 'a red boat', query: 'boat' },
    { speaker: 'Ben', dia_id: 'D2:2', text: 'Nice.' },
  ]

  it('gives turns in order, a second apart, with the caption of a shared photo', () => {
    const [conversation] = locomoConversations([
      {
        sample_id: 'conv-1',
        conversation: {
          speaker_a: 'Ada',
          session_2_date_time: '12:05 am on 3 January, 2024',
          session_2: turns,
          session_3_date_time: '1:00 pm on 4 January, 2024',
        },
        session_summary: { session_2_summary: 'never read' },
      },
    ])
    expect(conversation).toEqual({
      id: 'conv-1',
      sessions: [
        {
          number: 2,
          startedAt: '2024-01-03T00:05:00.000Z',
          messages: [
            {
              ref: 'D2:1',
              sender: 'Ada',
              role: 'user',
              timestamp: '2024-01-03T00:05:00.000Z',
              text: 'Look! [image: a red boat]',
            },
            { ref: 'D2:2', sender: 'Ben', role: 'user', timestamp: '2024-01-03T00:05:01.000Z', text: 'Nice.' },
          ],
        },
      ],
    })
  })

  it('reads noon and midnight, and refuses another form of date', () => {
    expect(parseSessionDate('12:09 pm on 13 September, 2023')).toBe('2023-09-13T12:09:00.000Z')
    expect(parseSessionDate('12:09 am on 13 September, 2023')).toBe('2023-09-13T00:09:00.000Z')
    expect(() => parseSessionDate('13 September 2023')).toThrow('date of a LoCoMo session')
  })
})

describe('beamSessions()', () => {
  it('gives a batch as a session, with the date of its first message for all', () => {
    const [session] = beamSessions([
      {
        batch_number: 4,
        turns: [
          [
            { id: 60, role: 'user', content: 'Hi ->-> 2,1', time_anchor: 'April-05-2024' },
            { id: 61, role: 'assistant', content: 'Hello' },
          ],
        ],
      },
    ])
    expect(session).toMatchObject({ number: 4, startedAt: '2024-04-05T00:00:00.000Z' })
    expect(session?.messages.map(({ ref, sender, role, text }) => [ref, sender, role, text])).toEqual([
      ['60', 'user', 'user', 'Hi'],
      ['61', 'assistant', 'assistant', 'Hello'],
    ])
    expect(session?.messages[1]?.timestamp).toBe('2024-04-05T00:00:01.000Z')
  })

  it('takes off the label of the generator, and arrows of the text not', () => {
    expect(withoutGeneratorLabel('a ->-> b, c ->->  3,12')).toBe('a ->-> b, c')
    expect(withoutGeneratorLabel('a ->-> 3,N/A')).toBe('a')
    expect(withoutGeneratorLabel('a ->-> 3,12)')).toBe('a')
    expect(withoutGeneratorLabel('x -> y')).toBe('x -> y')
  })

  it('refuses a date that is none', () => {
    expect(() => parseTimeAnchor('soon')).toThrow('time anchor')
  })
})

describe('sampleQuestions()', () => {
  it('gives as many as wanted, the same every time, in their order', () => {
    const questions = Array.from({ length: 100 }, (_, index) => makeQuestion({ index }))
    const sample = sampleQuestions(questions, 10)
    expect(sample).toHaveLength(10)
    expect(sample).toEqual(sampleQuestions(questions, 10))
    expect(sample.map(({ index }) => index)).toEqual(sample.map(({ index }) => index).toSorted((a, b) => a - b))
    expect(sampleQuestions(questions, 1_000)).toHaveLength(100)
  })
})

describe.skipIf(locomo === undefined)('readLocomo()', () => {
  it('reads the five conversations, and every question is about messages that are there', () => {
    expect(locomo?.conversations.map(({ id }) => id)).toEqual(['conv-26', 'conv-30', 'conv-41', 'conv-42', 'conv-43'])
    expect(messagesOf(locomo)).toHaveLength(2_760)
    expect(locomo?.questions.filter(({ category }) => category !== '5')).toHaveLength(760)
    expect(dangling(locomo)).toEqual([])
  })
})

describe.skipIf(beam === undefined)('readBeam()', () => {
  it('reads the ten chats without labels, and every question is about messages that are there', () => {
    expect(beam?.conversations).toHaveLength(10)
    expect(messagesOf(beam)).toHaveLength(2_432)
    expect(messagesOf(beam).filter(({ text }) => text.includes('->->'))).toEqual([])
    expect(beam?.questions).toHaveLength(179)
    expect(dangling(beam)).toEqual([])
  })
})
