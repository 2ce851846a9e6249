import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { z } from 'zod'

import { sharedData } from '../../test/support/shared-data.ts'
import { seededRandom } from '../measure.ts'

const sampleSeed = 5

export interface RecordedMessage {
  /** The id by which the questions name it; unique in its conversation. */
  readonly ref: string
  readonly sender: string
  readonly role: 'user' | 'assistant'
  /** ISO 8601; in ascending order within a session. */
  readonly timestamp: string
  readonly text: string
}

export interface RecordedSession {
  /** The number by which the questions name it. */
  readonly number: number
  /** ISO 8601. */
  readonly startedAt: string
  readonly messages: readonly RecordedMessage[]
}

export interface RecordedConversation {
  readonly id: string
  readonly sessions: readonly RecordedSession[]
}

export interface Question {
  readonly conversation: string
  /** Its place among the questions of its conversation. */
  readonly index: number
  readonly category: string
  readonly question: string
  /** The messages that hold the answer; at least one. */
  readonly gold: readonly string[]
  readonly goldSessions: readonly number[]
}

export const datasetNames = ['locomo', 'beam'] as const
export type DatasetName = (typeof datasetNames)[number]

export interface Dataset {
  readonly name: DatasetName
  readonly title: string
  readonly conversations: readonly RecordedConversation[]
  readonly questions: readonly Question[]
  /** What a category is called in tables. */
  readonly categoryTitles: Readonly<Record<string, string>>
  /** Categories that are not in the headline: they are reported apart. */
  readonly categoriesApart: readonly string[]
}

const questionSchema = z
  .object({
    conv: z.string(),
    qi: z.number().int(),
    category: z.union([z.number(), z.string()]).transform(String),
    question: z.string().min(1),
    gold: z.array(z.union([z.number(), z.string()]).transform(String)).min(1),
    gold_sessions: z.array(z.number().int()),
  })
  .transform(({ conv, qi, gold_sessions, ...rest }): Question => ({
    conversation: conv,
    index: qi,
    goldSessions: gold_sessions,
    ...rest,
  }))

/** Reads a file of questions, one JSON object a line. Throws where a line has another form. */
export async function readQuestions(path: string): Promise<Question[]> {
  const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => line.length > 0)
  return lines.map((line) => questionSchema.parse(JSON.parse(line)))
}

/** Questions of a dataset that lies beside the repository, or undefined where it does not. */
export async function sharedQuestions(name: DatasetName): Promise<Question[] | undefined> {
  const directory = sharedData('bench', 'qrels')
  return directory === undefined ? undefined : readQuestions(join(directory, `${name}.dev.jsonl`))
}

/** The time `seconds` after another, both ISO 8601: messages of a session have only its date, and an order. */
export function secondsAfter(startedAt: string, seconds: number): string {
  return new Date(Date.parse(startedAt) + seconds * 1000).toISOString()
}

/** Some of the questions, the same in every run, in their order. */
export function sampleQuestions(questions: readonly Question[], count: number): readonly Question[] {
  const random = seededRandom(sampleSeed)
  const drawn = questions.map((question) => ({ question, at: random() })).toSorted((a, b) => a.at - b.at)
  const chosen = new Set(drawn.slice(0, count).map(({ question }) => question))
  return questions.filter((question) => chosen.has(question))
}
