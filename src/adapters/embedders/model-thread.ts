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

type Embed = (text: string) => Promise<Float32Array>

const reply = (message: ModelThreadReply): void => port.postMessage(message)

async function load(options: ModelThreadOptions): Promise<Embed> {
  if (options.kind === 'onnx') return loadOnnxModel(options)
  const { createEmbedder } = await import('@lat.md/embed')
  const model = await createEmbedder({ model: options.manifest })
  return async (text) => Float32Array.from((await model.embed([text])).at(0) ?? [])
}

try {
  const embed = await load(modelThreadOptions.parse(workerData))
  // The packaged engine reads its weights at the first text.
  await embed('ready')
  port.on('message', (message: unknown) => {
    embed(modelThreadRequest.parse(message).text).then(
      (values) => reply({ kind: 'vector', values }),
      (error: unknown) => reply({ kind: 'failed', reason: messageOf(error) }),
    )
  })
  reply({ kind: 'ready' })
} catch (error) {
  reply(isModuleMissing(error) ? { kind: 'not_installed' } : { kind: 'failed', reason: messageOf(error) })
}
