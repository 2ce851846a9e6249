import type { FoundName } from '../../model/names.ts'
import type { OnnxNamesModel } from '../embedders/model-thread-messages.ts'
import { openOnnxModel } from '../embedders/onnx-session.ts'
import { namesOfLabels, wordsOf, wordsThatFit } from './token-labels.ts'

/**
 * Loads an ONNX model for token classification; the function that it gives finds the names in a text, of any length, a window of the
 * model after the other. A word has the label of its first token. Rejects with the error of the import where a package is missing, and
 * with any error where the model cannot be used.
 */
export async function loadNamesModel(model: OnnxNamesModel): Promise<(text: string) => Promise<FoundName[]>> {
  const { run, encode, encodeAround } = await openOnnxModel(model)
  const { labels } = model
  return async (text) => {
    const words = wordsOf(text).map(({ start, end }) => {
      const before = start > 0 && /\s/u.test(text.charAt(start - 1)) ? ' ' : ''
      const ids = encode(`${before}${text.slice(start, end)}`)
      return { start, end, ids, tokens: ids.length }
    })
    const [first, last] = encodeAround()
    const names: FoundName[] = []
    for (let at = 0; at < words.length;) {
      const room = model.tokensMax - first.length - last.length
      const count = wordsThatFit(text, words.slice(at, at + room), room)
      const window = words.slice(at, at + count).filter(({ tokens }) => tokens > 0 && tokens <= room)
      at += count
      if (window.length === 0) continue
      const given = await bestLabels([...first, ...window.flatMap(({ ids }) => ids), ...last], labels.length)
      let token = first.length
      const own = window.map(({ tokens }) => {
        const label = labels[given[token] ?? -1] ?? 'O'
        token += tokens
        return label
      })
      names.push(...namesOfLabels(text, window, own))
    }
    return names
  }

  /** The number of the likeliest label of each token. Shape of the output: [1, tokens, labels]. */
  async function bestLabels(ids: readonly number[], count: number): Promise<readonly number[]> {
    const { dims, data } = await run(ids, ['logits'])
    if (!(data instanceof Float32Array) || dims.at(-1) !== count || data.length !== ids.length * count)
      throw new Error('The output of the model is not a number for each label of each token')
    return ids.map((_id, token) => {
      const own = data.subarray(token * count, (token + 1) * count)
      return own.indexOf(Math.max(...own))
    })
  }
}
