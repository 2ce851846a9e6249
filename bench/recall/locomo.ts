import { readFile } from 'node:fs/promises'

import { z } from 'zod'

import { sharedData } from '../../test/support/shared-data.ts'
import {
  secondsAfter,
  sharedQuestions,
  type Dataset,
  type RecordedConversation,
  type RecordedSession,
} from './dataset.ts'

const turnSchema = z.object({
  speaker: z.string(),
  dia_id: z.string(),
  text: z.string(),
  blip_caption: z.string().optional(),
})

/** Summaries, observations and events stand beside the conversation in the file; they were written from its answers and are left out. */
const fileSchema = z.array(z.object({ sample_id: z.string(), conversation: z.record(z.string(), z.unknown()) }))

const datePattern = /^(\d{1,2}):(\d{2}) (am|pm) on (\d{1,2}) ([A-Z][a-z]+), (\d{4})$/u
const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const

/** `1:56 pm on 8 May, 2023` as ISO 8601. It names no zone; UTC is taken. */
export function parseSessionDate(text: string): string {
  const [, hour, minute, half, day, monthName, year] = datePattern.exec(text) ?? []
  const month = months.findIndex((name) => name === monthName)
  if (year === undefined || month < 0) throw new Error(`Cannot read the date of a LoCoMo session: "${text}"`)
  const hours = (Number(hour) % 12) + (half === 'pm' ? 12 : 0)
  return new Date(Date.UTC(Number(year), month, Number(day), hours, Number(minute))).toISOString()
}

function sessionOf(number: number, date: unknown, turns: unknown): RecordedSession {
  const startedAt = parseSessionDate(z.string().parse(date))
  return {
    number,
    startedAt,
    messages: z
      .array(turnSchema)
      .parse(turns)
      .map((turn, at) => ({
        ref: turn.dia_id,
        sender: turn.speaker,
        role: 'user',
        timestamp: secondsAfter(startedAt, at),
        text: turn.blip_caption === undefined ? turn.text : `${turn.text} [image: ${turn.blip_caption}]`,
      })),
  }
}

/** Reads conversations from the parsed file of LoCoMo. A turn that shares a photo ends with the photo's caption. */
export function locomoConversations(json: unknown): RecordedConversation[] {
  return fileSchema.parse(json).map(({ sample_id, conversation }) => ({
    id: sample_id,
    sessions: Object.entries(conversation)
      .flatMap(([key, turns]) => {
        const number = /^session_(\d+)$/u.exec(key)?.[1]
        return number === undefined ? [] : [sessionOf(Number(number), conversation[`${key}_date_time`], turns)]
      })
      .toSorted((a, b) => a.number - b.number),
  }))
}

/** The development part of LoCoMo, or undefined where it is not beside the repository. */
export async function readLocomo(): Promise<Dataset | undefined> {
  const path = sharedData('bench', 'locomo', 'locomo10.dev.json')
  const questions = await sharedQuestions('locomo')
  if (path === undefined || questions === undefined) return undefined
  return {
    name: 'locomo',
    title: 'LoCoMo',
    conversations: locomoConversations(JSON.parse(await readFile(path, 'utf8'))),
    questions,
    categoryTitles: { 1: 'multi-hop', 2: 'temporal', 3: 'open', 4: 'single-hop', 5: 'adversarial' },
    categoriesApart: ['5'],
  }
}
