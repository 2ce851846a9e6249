import { z } from 'zod'

import { limits } from '../../limits.ts'
import { ProviderError } from '../../ports/provider-error.ts'
import type { GenerationRequest, TextGenerator } from '../../ports/text-generator.ts'
import { withinTime } from '../call-bounds.ts'
import { requestJson } from '../json-request.ts'
import { openAiBaseOf } from '../openai-base.ts'
import { brokenOff } from './broken-off.ts'

export interface OpenAiCompatibleGeneratorOptions {
  /** An address such as `https://host/v1`. */
  readonly url: string
  /** What the server calls its model. */
  readonly model: string
  /** With a key a call counts as paid. */
  readonly apiKey?: string | undefined
}

const choice = z.object({
  message: z.object({ content: z.string().nullish(), refusal: z.string().nullish() }),
  finish_reason: z.string().nullish(),
})
const answerSchema = z.object({ choices: z.tuple([choice]) })

/** A model behind OpenAI's `/v1/chat/completions`. Of the body only the fields that every such server knows are sent. */
export class OpenAiCompatibleGenerator implements TextGenerator {
  readonly provider = 'openai-compatible'
  readonly model: string
  readonly isPaid: boolean
  readonly #options: OpenAiCompatibleGeneratorOptions

  constructor(options: OpenAiCompatibleGeneratorOptions) {
    this.isPaid = options.apiKey !== undefined
    this.model = options.model
    this.#options = options
  }

  async generate(
    { instructions, text, tokensMax, mayBreakOff }: GenerationRequest,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<string> {
    const { url, apiKey } = this.#options
    const { provider, model } = this
    const answer = await withinTime({ provider, signal, ms: limits.generationRequestMs }, (bounded) =>
      requestJson(
        { kind: 'url', url: openAiBaseOf(url) },
        {
          provider,
          path: '/chat/completions',
          headers: {
            accept: 'application/json',
            ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
          },
          body: {
            model,
            messages: [
              { role: 'system', content: instructions },
              { role: 'user', content: text },
            ],
            max_tokens: tokensMax,
            temperature: 0,
          },
          signal: bounded,
        },
      ),
    )
    const parsed = answerSchema.safeParse(answer)
    const { message, finish_reason: finish } = parsed.data?.choices[0] ?? {}
    const written = message?.content ?? ''
    const content = written.trim()
    const isRefused = content === '' && (message?.refusal ?? '') !== ''
    if (finish === 'content_filter' || isRefused) throw new ProviderError(provider, 'withheld')
    if (finish === 'length') return brokenOff(provider, written, mayBreakOff)
    if (content === '') throw new ProviderError(provider, 'malformed')
    return content
  }
}
