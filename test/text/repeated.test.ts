import { describe, expect, it } from 'vitest'

import { candidatesOf, type MessageToSummarize } from '../../src/insight/extracts/candidates.ts'
import { Condenser } from '../../src/insight/extracts/condense.ts'
import { OpenQuestions } from '../../src/insight/extracts/cues/open-questions.ts'
import { summarizeExtractive } from '../../src/insight/extracts/extract.ts'
import type { SummaryStyle } from '../../src/model/summary-style.ts'

const decision = 'We decided to ship 2.4 on Monday, and Bob owns the changelog.'
const question = 'Who signs the Windows installer?'

const steps = (count: number) =>
  Array.from({ length: count }, (_, at) => `Please run step ${at} of the release checklist and tell me what it prints.`)

const messagesOf = (texts: readonly string[], role: MessageToSummarize['role'] = 'user') =>
  texts.map((text, at) => ({ id: `m${at}`, seq: at + 1, sender: 'Ada', role, text }))

async function chosen(texts: readonly string[], style: SummaryStyle): Promise<readonly string[]> {
  const { sentences } = await summarizeExtractive(messagesOf(texts), { style, maxTokens: 600 })
  return sentences.map(({ text }) => text)
}

const stepsOf = (texts: readonly string[]) => texts.filter((text) => text.startsWith('Please run step'))

describe('a conversation that says the same again and again', () => {
  it.each([60, 1_000])('has one of %d such sentences in a brief, and what else was said', async (count) => {
    const texts = [...steps(count), decision]
    texts.splice(20, 0, question)
    const brief = await chosen(texts, 'brief')
    expect(brief).toEqual([
      question,
      `Please run step ${count - 1} of the release checklist and tell me what it prints.`,
      decision,
    ])
    const handoff = await chosen(texts, 'handoff')
    expect(handoff).toEqual(expect.arrayContaining([question, decision]))
  })

  it('keeps what else was said where a segment of it is condensed', () => {
    const condenser = new Condenser()
    const texts = [...steps(90), question, ...steps(90), decision, ...steps(90)]
    for (const message of messagesOf(texts))
      for (const candidate of candidatesOf({ ...message })) condenser.add(candidate)
    const kept = condenser.sentences()
    for (const text of [question, decision])
      expect(kept.find((one) => one.text === text)?.styles).toEqual(expect.arrayContaining(['brief', 'handoff']))
  })

  it('has several of them where nothing else was said, and all decisions in the style of decisions', async () => {
    expect(stepsOf(await chosen(steps(60), 'brief')).length).toBeGreaterThan(2)
    const decisions = ['Windows', 'Linux', 'Android'].map(
      (name) => `We decided to ship the installer for ${name} on Monday at noon, after all tests.`,
    )
    expect(await chosen(decisions, 'decisions')).toEqual(decisions)
  })
})

describe('a question that nobody answered', () => {
  const others = Array.from({ length: 200 }, (_, at) => {
    const thing = ['crane', 'berth', 'tide', 'pilot', 'cargo', 'customs', 'tug'][at % 7]
    return `Next we still need to check the ${thing} in src/harbour/${thing}-${at}.ts, as \`${thing}${at}\` fails in run ${at * 3}.`
  })

  it('is in a handoff, however much was said since', async () => {
    const handoff = await chosen([question, ...others], 'handoff')
    expect(handoff).toContain(question)
    expect(await chosen([question, 'Bob signs the installer for Windows.', ...others], 'handoff')).not.toContain(
      question,
    )
  })

  it('is none where an agent was told to do something and said that it did', () => {
    const openAfter = (asked: string, answer: string) => {
      const questions = new OpenQuestions()
      const said = [
        ...messagesOf([asked]),
        ...messagesOf([answer], 'assistant').map((one) => ({ ...one, id: 'a', sender: 'bot' })),
      ]
      let order = 0
      for (const message of said)
        for (const candidate of candidatesOf(message)) questions.see({ ...candidate, order: order++ })
      return questions.last(3).map(({ text }) => text)
    }
    expect(openAfter('Can you make the northern crane faster?', 'It lifts twice as much now.')).toEqual([])
    expect(openAfter(question, 'It lifts twice as much now.')).toEqual([question])
    expect(openAfter(question, 'Who could that be, and for which version?')).toContain(question)
  })
})
