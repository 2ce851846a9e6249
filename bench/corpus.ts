import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { z } from 'zod'

import { listFiles } from '../src/capture/documents/list-files.ts'
import { detectFormat } from '../src/transcripts/registry.ts'
import { sharedData } from '../test/support/shared-data.ts'
import { pick, seededRandom } from './measure.ts'

/** Sentences of real conversations, and real questions about them. */
export interface Corpus {
  readonly sentences: readonly string[]
  readonly questions: readonly string[]
}

const sentenceCharacters = { min: 15, max: 400 } as const
/** Tool output is mostly listings and file contents; beyond this a message adds more of the same. */
const transcriptTextMax = 4_000

function sentencesOf(text: string): string[] {
  return text
    .split(/(?<=[.!?])\s+|\n+/)
    .map((sentence) => sentence.trim())
    .filter(({ length }) => length >= sentenceCharacters.min && length <= sentenceCharacters.max)
}

const locomoSchema = z.array(z.object({ conversation: z.record(z.string(), z.unknown()) }))
const locomoTurns = z.array(z.object({ text: z.string() }))
const beamSchema = z.array(z.object({ turns: z.array(z.array(z.object({ content: z.string() }))) }))
const questionSchema = z.object({ question: z.string() })

async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path, 'utf8'))
}

async function locomoTexts(path: string): Promise<string[]> {
  const conversations = locomoSchema.parse(await readJson(path))
  return conversations.flatMap(({ conversation }) =>
    Object.values(conversation).flatMap((value) => {
      const turns = locomoTurns.safeParse(value)
      return turns.success ? turns.data.map(({ text }) => text) : []
    }),
  )
}

async function beamTexts(directory: string): Promise<string[]> {
  const files = (await listFiles([directory])).filter(({ path }) => path.endsWith('chat.json'))
  const texts: string[] = []
  for (const { path } of files) {
    for (const { turns } of beamSchema.parse(await readJson(path))) {
      texts.push(...turns.flat().map(({ content }) => content))
    }
  }
  return texts
}

async function transcriptTexts(directory: string): Promise<string[]> {
  const texts: string[] = []
  for (const { path } of await listFiles([directory])) {
    const detected = await detectFormat(path)
    if (detected === undefined) continue
    for await (const document of detected.format.documents(path)) {
      for await (const event of document.events) {
        if (event.type === 'entry' && event.kind === 'message') texts.push(event.text.slice(0, transcriptTextMax))
      }
    }
  }
  return texts
}

/** Reads the real conversations beside the repository; undefined where they are absent. */
export async function readCorpus(): Promise<Corpus | undefined> {
  const locomo = sharedData('bench', 'locomo', 'locomo10.dev.json')
  const beam = sharedData('bench', 'beam-100k')
  const transcripts = sharedData('transcripts', 'claude-code')
  const qrels = sharedData('bench', 'qrels')
  if (locomo === undefined || beam === undefined || transcripts === undefined || qrels === undefined) return undefined
  const texts = [...(await locomoTexts(locomo)), ...(await beamTexts(beam)), ...(await transcriptTexts(transcripts))]
  const questions: string[] = []
  for (const name of ['locomo.dev.jsonl', 'beam.dev.jsonl']) {
    const lines = (await readFile(join(qrels, name), 'utf8')).split('\n').filter((line) => line.length > 0)
    questions.push(...lines.map((line) => questionSchema.parse(JSON.parse(line)).question))
  }
  return { sentences: texts.flatMap(sentencesOf), questions }
}

const messageCharacters = 300
const namesOneIn = 5

/**
 * Messages without end, about 300 characters each, of real sentences in a new order. One of five also names something
 * that no other message does, a commit or a file as real work has them, so that the vocabulary keeps growing with
 * the store instead of stopping at that of the sentences.
 */
export function* makeMessages(corpus: Corpus, seed: number): Generator<string, never> {
  const random = seededRandom(seed)
  for (;;) {
    // Lengths vary as those of real turns do: many short, a few long.
    const length = -Math.log(1 - random()) * messageCharacters
    const parts = [pick(corpus.sentences, random)]
    let characters = parts[0]?.length ?? 0
    while (characters < length) {
      const sentence = pick(corpus.sentences, random)
      parts.push(sentence)
      characters += sentence.length
    }
    if (random() * namesOneIn < 1) {
      const name = Math.floor(random() * 0xffff_ffff)
        .toString(16)
        .padStart(8, '0')
      parts.push(
        random() < 0.5 ? `See commit ${name}.` : `It is in src/${name.slice(0, 5)}/module-${name.slice(5)}.ts.`,
      )
    }
    yield parts.join(' ')
  }
}

/** Queries by kind. */
export interface QuerySet {
  readonly kind: string
  readonly queries: readonly string[]
}

const wordPattern = /[\p{L}\p{N}]{3,}/gu

function wordsOf(sentence: string): string[] {
  return sentence.match(wordPattern) ?? []
}

/** Questions as people asked them, and words and phrases of the sentences themselves. */
export function makeQueries(corpus: Corpus, options: { readonly each: number; readonly seed: number }): QuerySet[] {
  const random = seededRandom(options.seed)
  const rich = corpus.sentences.filter((sentence) => wordsOf(sentence).length >= 4)
  const repeat = (make: () => string) => Array.from({ length: options.each }, make)
  const threeWords = () => {
    const words = wordsOf(pick(rich, random))
    return [pick(words, random), pick(words, random), pick(words, random)].join(' ')
  }
  const phrase = () => {
    const words = pick(rich, random).match(/[\p{L}\p{N}]+/gu) ?? []
    const at = Math.floor(random() * Math.max(1, words.length - 2))
    return `"${words.slice(at, at + 2 + Math.floor(random() * 2)).join(' ')}"`
  }
  return [
    { kind: 'questions', queries: repeat(() => pick(corpus.questions, random)) },
    { kind: 'one word', queries: repeat(() => pick(wordsOf(pick(rich, random)), random)) },
    { kind: 'three words', queries: repeat(threeWords) },
    { kind: 'phrases', queries: repeat(phrase) },
  ]
}
