import { parentPort, workerData } from 'node:worker_threads'

import { messageOf } from '../../errors.ts'
import { isModuleMissing } from '../optional-package.ts'
import {
  modelThreadOptions,
  modelThreadRequest,
  type ModelThreadOptions,
  type ModelThreadReply,
} from './model-thread-messages.ts'
import { loadOnnxModel } from './onnx-session.ts'

/**
 * The thread that has a model: both engines compute for 5 to 500 ms without a break, which has no place beside a server.
 * It gets one text at a time; with 24 or more the packaged engine would start threads of its own on every core.
 */
const port = parentPort
if (port === null) throw new Error('model-thread.ts must run in a worker thread')

type Answer = (text: string) => Promise<ModelThreadReply>

const reply = (message: ModelThreadReply): void => port.postMessage(message)

async function load(options: ModelThreadOptions): Promise<Answer> {
  if (options.kind === 'onnx-names') {
    const { loadNamesModel } = await import('../names/onnx-token-classifier.ts')
    const findNames = await loadNamesModel(options)
    return async (text) => ({ kind: 'names', names: await findNames(text) })
  }
  const embed = options.kind === 'onnx' ? await loadOnnxModel(options) : await loadPackagedModel(options)
  return async (text) => ({ kind: 'vector', values: await embed(text) })
}

async function loadPackagedModel(
  options: Extract<ModelThreadOptions, { kind: 'local' }>,
): Promise<(text: string) => Promise<Float32Array>> {
  const { createEmbedder } = await import('@lat.md/embed')
  const model = await createEmbedder({ model: options.manifest })
  return async (text) => Float32Array.from((await model.embed([text])).at(0) ?? [])
}

try {
  const answer = await load(modelThreadOptions.parse(workerData))
  // The packaged engine reads its weights at the first text.
  await answer('ready')
  port.on('message', (message: unknown) => {
    answer(modelThreadRequest.parse(message).text).then(reply, (error: unknown) =>
      reply({ kind: 'failed', reason: messageOf(error) }),
    )
  })
  reply({ kind: 'ready' })
} catch (error) {
  reply(isModuleMissing(error) ? { kind: 'not_installed' } : { kind: 'failed', reason: messageOf(error) })
}
