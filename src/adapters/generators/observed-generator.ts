import { estimateTokens } from '../../model/text/tokens.ts'
import type { Observer } from '../../ports/observer.ts'
import type { GenerationBounds, GenerationRequest, TextGenerator } from '../../ports/text-generator.ts'

/** A model whose every call is told to an observer. */
export class ObservedGenerator implements TextGenerator {
  readonly provider: string
  readonly model: string
  readonly isPaid: boolean
  readonly #inner: TextGenerator
  readonly #observer: Observer

  constructor(inner: TextGenerator, observer: Observer) {
    this.provider = inner.provider
    this.model = inner.model
    this.isPaid = inner.isPaid
    this.#inner = inner
    this.#observer = observer
  }

  generate(request: GenerationRequest, options: GenerationBounds): Promise<string> {
    const tokens = estimateTokens(request.instructions) + estimateTokens(request.text)
    return this.#observer.during({ kind: 'provider', provider: this.provider, call: 'generate', tokens }, () =>
      this.#inner.generate(request, options),
    )
  }
}
