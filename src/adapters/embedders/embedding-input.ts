import { InputError, LimitError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import type { Embedder } from '../../ports/embedder.ts'

/**
 * Texts as a model can take them: of a bounded length, and without halves of surrogate pairs, which some servers refuse.
 * Throws LimitError where there are too many, InputError where one is blank: a blank text has no place among others.
 */
export function prepareTexts(texts: readonly string[], bounds: Embedder['limits']): string[] {
  if (texts.length > bounds.textsPerCallMax)
    throw new LimitError('embed texts', {
      what: 'the number of texts in one call',
      limit: bounds.textsPerCallMax,
      actual: texts.length,
    })
  const charactersMax = bounds.tokensPerTextMax * limits.embeddingCharactersPerTokenMax
  return texts.map((text, index) => {
    const prepared = text.slice(0, charactersMax).toWellFormed()
    if (prepared.trim() === '')
      throw new InputError(`Cannot embed text ${index + 1} of ${texts.length} as it is blank`, {
        remedy: 'Leave out texts that are empty or white space',
      })
    return prepared
  })
}
