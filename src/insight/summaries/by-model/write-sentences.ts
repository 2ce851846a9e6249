import { z } from 'zod'

import { fence } from '../../../model/text/fence.ts'
import { ProviderError } from '../../../ports/provider-error.ts'
import type { TextGenerator } from '../../../ports/text-generator.ts'
import { messageBody } from '../../../sessions/message-body.ts'
import { readsLikeInstructions } from '../../../sessions/message-flags.ts'
import type { ReadDependencies } from '../../../sessions/session-page.ts'
import { readPlaces } from '../../../store/messages.ts'
import { isBorneOut } from '../../checks/borne-out.ts'
import { numbersOf, rangesOfList, withoutCitations } from '../cited-numbers.ts'
import { turnOf } from './turns.ts'
import { rules } from './writing-tasks.ts'

export interface Place {
  readonly sessionId: string
  readonly seq: number
}

/** A message that a sentence comes from. */
export interface Source extends Place {
  readonly messageId: string
  readonly sender: string
}

export interface WrittenSentence {
  readonly text: string
  readonly sources: readonly Source[]
}

/** What a model is shown: recorded text, in which messages have numbers. */
export interface Material {
  readonly text: string
  readonly places: ReadonlyMap<number, Place>
}

export interface WritingDependencies extends ReadDependencies {
  readonly generator: TextGenerator
}

export interface Writing {
  readonly tenantId: number
  readonly task: string
  readonly sentencesMax: number
  readonly signal: AbortSignal
}

export interface Written {
  /** As the model has put them in order. */
  readonly sentences: readonly WrittenSentence[]
  /** How many others their messages did not bear out. */
  readonly dropped: number
}

/** Models write a number as text now and then, or a range: "3-5", "messages 3 and 4". */
const messagesSchema = z
  .union([z.array(z.union([z.number().int(), z.string().max(200)])), z.number().int(), z.string().max(200)])
  .transform((given) => {
    const ranges = [given]
      .flat()
      .map((one) => (typeof one === 'number' ? [{ first: one, last: one }] : rangesOfList(one)))
    return ranges.every((some) => some !== undefined) ? numbersOf(ranges.flat()) : undefined
  })
  .pipe(z.array(z.number()).min(1))

const sentenceSchema = z.object({
  text: z
    .string()
    .transform((text) =>
      text
        .toWellFormed()
        .replaceAll(/[\s\p{Cc}]+/gu, ' ')
        .trim(),
    )
    .pipe(z.string().min(1).max(800)),
  messages: messagesSchema,
})
const answerSchema = z.object({ sentences: z.array(z.unknown()).max(500) })
const answerForm = {
  type: 'object',
  properties: {
    sentences: {
      type: 'array',
      items: {
        type: 'object',
        properties: { text: { type: 'string' }, messages: { type: 'array', items: { type: 'integer' } } },
        required: ['text', 'messages'],
      },
    },
  },
  required: ['sentences'],
}

/** Of a sentence with its numbers and marks. */
const sentenceTokens = 70
const answerTokens = { fewest: 600, most: 6_000 } as const
/** Messages of up to 8 MiB that are read at once. */
const sourcesPerRead = 8
const sourceCharactersMax = 100_000

/**
 * Has a model write sentences from a material, and takes of them what their messages bear out: those that they cite are there and
 * were shown, and have all names and numbers; and what reads like instructions to a model is not taken either. Throws
 * ProviderError where the model does not answer, or not in the form that it was asked for.
 */
export async function writeSentences(
  dependencies: WritingDependencies,
  material: Material,
  { tenantId, task, sentencesMax, signal }: Writing,
): Promise<Written> {
  const { generator } = dependencies
  const answer = await generator.generate(
    {
      instructions: `${task}\n${rules}`,
      text: fence(material.text, 'conversation'),
      tokensMax: Math.min(answerTokens.most, answerTokens.fewest + sentencesMax * sentenceTokens),
      answer: answerForm,
    },
    { signal },
  )
  const given = parsed(answer)
  if (given === undefined) throw new ProviderError(generator.provider, 'malformed')
  const read = given.map((one) => withoutNumbers(sentenceSchema.safeParse(one).data))
  const cited = read.flatMap((one) => one?.messages.flatMap((number) => material.places.get(number) ?? []) ?? [])
  const sources = await readSources(dependencies, tenantId, cited)
  const sentences = read.flatMap((one) => (one === undefined ? [] : (supported(one, material, sources) ?? [])))
  return { sentences: sentences.slice(0, sentencesMax), dropped: given.length - sentences.length }
}

/** A sentence that says again in brackets what it cites would have these numbers for what it says. */
function withoutNumbers(
  sentence: z.output<typeof sentenceSchema> | undefined,
): z.output<typeof sentenceSchema> | undefined {
  if (sentence === undefined) return undefined
  const text = withoutCitations(
    sentence.text,
    (ranges) => numbersOf(ranges)?.every((number) => sentence.messages.includes(number)) === true,
  )
  return text === '' ? undefined : { ...sentence, text }
}

/** Models put JSON into a fence of code now and then. */
function parsed(answer: string): readonly unknown[] | undefined {
  const json = answer.replace(/^```(?:json)?\s*|\s*```$/gu, '')
  try {
    return answerSchema.safeParse(JSON.parse(json)).data?.sentences
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

interface SourceText {
  readonly source: Source
  readonly text: string
}

const keyOf = ({ sessionId, seq }: Place) => `${sessionId} ${seq}`

/** The messages at some places, with what they say. Absent what is not there, is damaged, or may not be used. */
async function readSources(
  { database, archive }: ReadDependencies,
  tenantId: number,
  cited: readonly Place[],
): Promise<ReadonlyMap<string, SourceText>> {
  const places = [...new Map(cited.map((place) => [keyOf(place), place])).values()]
  const sources = new Map<string, SourceText>()
  for (let at = 0; at < places.length; at += sourcesPerRead) {
    for (const row of await readPlaces(database, tenantId, { places: places.slice(at, at + sourcesPerRead) })) {
      if (row.isRestricted === true || row.correctedById !== undefined) continue
      const body = await messageBody(archive, row)
      if ('error' in body) continue
      const { sender, text } = turnOf(row, body.payload)
      const { sessionId, seq, id: messageId } = row
      sources.set(keyOf(row), {
        source: { sessionId, seq, messageId, sender },
        text: `${sender}\n${text.slice(0, sourceCharactersMax)}`,
      })
    }
  }
  return sources
}

function supported(
  { text, messages }: z.output<typeof sentenceSchema>,
  { places }: Material,
  sources: ReadonlyMap<string, SourceText>,
): WrittenSentence | undefined {
  const cited = [...new Set(messages)].map((number) => {
    const place = places.get(number)
    return place === undefined ? undefined : sources.get(keyOf(place))
  })
  const found = cited.filter((source) => source !== undefined)
  if (found.length < cited.length || readsLikeInstructions(text)) return undefined
  if (!isBorneOut(text, found.map((source) => source.text).join('\n'))) return undefined
  return { text, sources: found.map(({ source }) => source) }
}
