import { GeminiEmbedder } from '../../src/adapters/embedders/gemini-embedder.ts'
import { describeEmbedder } from '../contract/describe-embedder.ts'
import { GeminiStandIn } from '../support/stand-ins/gemini.ts'

describeEmbedder('GeminiEmbedder', async () => {
  const standIn = await GeminiStandIn.start()
  return {
    embedder: new GeminiEmbedder({ apiKey: standIn.apiKey, baseUrl: standIn.url, dimensions: 16 }),
    dispose: () => standIn.stop(),
  }
})
