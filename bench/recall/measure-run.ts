import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'

import { ask, type AskOptions, type Reply, type Scope } from './ask.ts'
import type { Dataset, Question } from './dataset.ts'
import type { Places } from './fill.ts'
import type { MemoryProcess } from './memory-process.ts'
import { scoreAnswer } from './metrics.ts'
import { answerOf, type Run } from './run-file.ts'

/** Questions that are asked a second time, to see whether the answer is the same. */
const repeated = 50

export interface MeasuredRun extends Run {
  readonly scope: Scope
  readonly shape: AskOptions['shape']
  /** Of the questions that were asked twice, those with another answer the second time. */
  readonly unstable: number
  readonly asked: { readonly twice: number }
}

/** Tokens of the texts alone, by a message's ref, with its conversation before it where it is of another one. */
export function tokenCounter(dataset: Dataset): (question: Question) => (ref: string) => number {
  const counts = new Map<string, number>(
    dataset.conversations.flatMap(({ id, sessions }) =>
      sessions.flatMap(({ messages }) => messages.map(({ ref, text }) => [`${id}/${ref}`, countTokens(text)] as const)),
    ),
  )
  return (question) => (ref) => {
    const count = counts.get(ref) ?? counts.get(`${question.conversation}/${ref}`)
    if (count === undefined) throw new Error(`No message of ${dataset.title} is called "${ref}"`)
    return count
  }
}

function sameAnswer(first: Reply, second: Reply | undefined): boolean {
  return JSON.stringify(first.windows) === JSON.stringify(second?.windows)
}

/** Asks every question and scores the answers. */
export async function measureRun(
  memory: MemoryProcess,
  of: {
    readonly dataset: Dataset
    readonly questions: readonly Question[]
    readonly places: Places
    readonly setting: string
  },
  options: { readonly scope: Scope; readonly shape: AskOptions['shape'] },
): Promise<MeasuredRun> {
  const { dataset, questions, places, setting } = of
  const replies: Reply[] = []
  for (const question of questions) replies.push(await ask(memory, question, { ...options, places }))
  const again: Reply[] = []
  for (const question of questions.slice(0, repeated)) again.push(await ask(memory, question, { ...options, places }))
  const tokensFor = tokenCounter(dataset)
  const scored = questions.flatMap((question, at) => {
    const reply = replies[at]
    return reply === undefined ? [] : [scoreAnswer(question, answerOf(question, reply), tokensFor(question))]
  })
  return {
    name: [setting, dataset.name, options.scope, ...(options.shape === 'hits' ? [] : [options.shape])].join('-'),
    dataset,
    questions,
    replies,
    scored,
    ...options,
    unstable: again.filter((reply, at) => !sameAnswer(reply, replies[at])).length,
    asked: { twice: again.length },
  }
}
