import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'

import { embeddingTexts } from '../src/indexing/vectors/embedding-texts.ts'
import { makeMessages, type Corpus } from './corpus.ts'
import type { Figure } from './figure.ts'

const million = 1_000_000
const sampled = 2_000
/** List price of text for gemini-embedding-2 in 2026; half of it in batches, which are not used. */
const dollarsAMillionTokens = 0.2

/** Tokens of everything that is embedded of an average message; o200k_base, which is near to Gemini's own. */
function tokensAMessage(corpus: Corpus): number {
  const texts = makeMessages(corpus, 31)
  let tokens = 0
  let previous: { sender: string; text: string } | undefined
  for (let at = 0; at < sampled; at++) {
    const message = { sender: at % 2 === 0 ? 'user' : 'assistant', text: texts.next().value }
    for (const part of embeddingTexts(message, previous))
      tokens += part.texts.reduce((sum, text) => sum + countTokens(text), 0)
    previous = message
  }
  return tokens / sampled
}

/** What a million messages cost, by what one message took in the largest store. */
export function costOfAMillion(
  corpus: Corpus,
  measured: { readonly bytesAMessage: number | undefined; readonly indexedASecond: number | undefined },
): Figure[] {
  const tokens = tokensAMessage(corpus) * million
  const { bytesAMessage, indexedASecond } = measured
  const disk = bytesAMessage === undefined ? [] : [{ value: (bytesAMessage * million) / 1e9, unit: 'GB' }]
  const hours = indexedASecond === undefined ? [] : [{ value: million / indexedASecond / 3_600, unit: 'hours' }]
  return [
    ...disk.map((figure) => ({ ...figure, name: 'a million messages: disk, words and text' })),
    ...hours.map((figure) => ({ ...figure, name: 'a million messages: saved and indexed by their words' })),
    { name: 'a million messages: tokens to embed', value: tokens / million, unit: 'million tokens', samples: sampled },
    {
      name: 'a million messages: vectors by gemini-embedding-2',
      value: (tokens / million) * dollarsAMillionTokens,
      unit: 'US dollars',
    },
  ]
}
