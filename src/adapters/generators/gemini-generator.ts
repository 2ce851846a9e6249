import { z } from 'zod'

import { limits } from '../../limits.ts'
import { ProviderError } from '../../ports/provider-error.ts'
import type { GenerationRequest, TextGenerator } from '../../ports/text-generator.ts'
import { withinTime } from '../call-bounds.ts'
import { geminiFailure } from '../gemini-failure.ts'
import { brokenOff } from './broken-off.ts'

export interface GeminiGeneratorOptions {
  readonly apiKey: string
  /** Default: `gemini-3.5-flash-lite`. */
  readonly model?: string | undefined
  /** Default: Google's own. */
  readonly baseUrl?: string | undefined
}

const provider = 'gemini'
const defaultModel = 'gemini-3.5-flash-lite'

const answerSchema = z.object({
  response: z.object({
    candidates: z
      .array(
        z.object({
          content: z.object({ parts: z.array(z.object({ text: z.string().optional() })).optional() }).optional(),
          finishReason: z.string().optional(),
        }),
      )
      .optional(),
    promptFeedback: z.object({ blockReason: z.string().optional() }).optional(),
  }),
})

/** With these an answer is whole as far as the model is concerned. */
const ownEnds: readonly string[] = ['STOP', 'FINISH_REASON_UNSPECIFIED']

/** The text of an answer, which may have none, or none that counts. Throws ProviderError. */
function textOf(answer: unknown, mayBreakOff: GenerationRequest['mayBreakOff']): string {
  const { response } = answerSchema.safeParse(answer).data ?? {}
  if (response === undefined) throw new ProviderError(provider, 'malformed')
  const { candidates = [], promptFeedback } = response
  if (promptFeedback?.blockReason !== undefined) throw new ProviderError(provider, 'withheld')
  const [candidate] = candidates
  const { content, finishReason = 'STOP' } = candidate ?? {}
  const written = (content?.parts ?? []).map((part) => part.text ?? '').join('')
  if (finishReason === 'MAX_TOKENS') return brokenOff(provider, written, mayBreakOff)
  // SAFETY, RECITATION and the like: there are more of them than are documented.
  if (!ownEnds.includes(finishReason)) throw new ProviderError(provider, 'withheld')
  const text = written.trim()
  if (text === '') throw new ProviderError(provider, 'malformed')
  return text
}

/** A model of Google's Gemini API, by `generateContent`. */
export class GeminiGenerator implements TextGenerator {
  readonly provider = provider
  readonly model: string
  readonly isPaid = true
  readonly #options: GeminiGeneratorOptions

  constructor(options: GeminiGeneratorOptions) {
    this.model = (options.model ?? defaultModel).replace(/^models\//, '')
    this.#options = options
  }

  async generate(request: GenerationRequest, { signal }: { readonly signal: AbortSignal }): Promise<string> {
    const answer = await withinTime({ provider, signal, ms: limits.generationRequestMs }, (bounded) =>
      this.#request(request, bounded),
    )
    return textOf(answer, request.mayBreakOff)
  }

  async #request({ instructions, text, tokensMax, answer }: GenerationRequest, signal: AbortSignal): Promise<unknown> {
    // Loaded at the first use: a stdio server that never asks need not pay for it.
    const { GoogleGenerativeAI } = await import('@google/generative-ai')
    // The client listens for the abort only, and would not see one that came before.
    signal.throwIfAborted()
    const { apiKey, baseUrl } = this.#options
    const client = new GoogleGenerativeAI(apiKey).getGenerativeModel(
      { model: this.model },
      baseUrl === undefined ? {} : { baseUrl: baseUrl.replace(/\/+$/, '') },
    )
    // The client knows no JSON Schema and passes on what it does not know.
    const form = answer === undefined ? {} : { responseMimeType: 'application/json', responseJsonSchema: answer }
    try {
      return await client.generateContent(
        {
          systemInstruction: { role: 'system', parts: [{ text: instructions }] },
          contents: [{ role: 'user', parts: [{ text }] }],
          generationConfig: { temperature: 0, maxOutputTokens: tokensMax, ...form },
        },
        { signal },
      )
    } catch (error) {
      throw geminiFailure(error)
    }
  }
}
