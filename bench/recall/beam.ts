import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { z } from 'zod'

import { sharedData } from '../../test/support/shared-data.ts'
import { secondsAfter, sharedQuestions, type Dataset, type RecordedSession } from './dataset.ts'

const chats = 10

const messageSchema = z.object({
  id: z.number().int(),
  role: z.enum(['user', 'assistant']),
  content: z.string(),
  time_anchor: z.string().nullish(),
})

const chatSchema = z.array(
  z.object({
    batch_number: z.number().int(),
    turns: z.array(z.array(messageSchema)),
  }),
)

/** What the generator of the chats left at the end of most messages: `->-> 1,12`, and some slips of it. */
const generatorLabel = /\s*->->\s*\d+,(?:\d+|N\/A)\)?\s*$/u

export function withoutGeneratorLabel(content: string): string {
  return content.replace(generatorLabel, '')
}

/** `March-15-2024` as ISO 8601, at the beginning of the day in UTC. */
export function parseTimeAnchor(anchor: string): string {
  const at = Date.parse(`${anchor.replaceAll('-', ' ')} UTC`)
  if (Number.isNaN(at)) throw new Error(`Cannot read the time anchor of a BEAM batch: "${anchor}"`)
  return new Date(at).toISOString()
}

/** Reads the batches of one parsed `chat.json`, each as a session. Only its first message names the date of a batch. */
export function beamSessions(json: unknown): RecordedSession[] {
  return chatSchema.parse(json).map(({ batch_number: number, turns }) => {
    const messages = turns.flat()
    const anchor = messages.find(({ time_anchor }) => typeof time_anchor === 'string')?.time_anchor
    if (typeof anchor !== 'string') throw new Error(`Batch ${number} of a BEAM chat has no time anchor`)
    const startedAt = parseTimeAnchor(anchor)
    return {
      number,
      startedAt,
      messages: messages.map(({ id, role, content }, at) => ({
        ref: String(id),
        sender: role,
        role,
        timestamp: secondsAfter(startedAt, at),
        text: withoutGeneratorLabel(content),
      })),
    }
  })
}

/** Chats 1 to 10 of BEAM-100K, or undefined where they are not beside the repository. */
export async function readBeam(): Promise<Dataset | undefined> {
  const directory = sharedData('bench', 'beam-100k')
  const questions = await sharedQuestions('beam')
  if (directory === undefined || questions === undefined) return undefined
  const conversations = await Promise.all(
    Array.from({ length: chats }, async (_, at) => {
      const text = await readFile(join(directory, String(at + 1), 'chat.json'), 'utf8')
      return { id: `beam-${at + 1}`, sessions: beamSessions(JSON.parse(text)) }
    }),
  )
  return { name: 'beam', title: 'BEAM-100K', conversations, questions, categoryTitles: {}, categoriesApart: [] }
}
