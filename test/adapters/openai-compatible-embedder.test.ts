import { OpenAiCompatibleEmbedder } from '../../src/adapters/embedders/openai-compatible-embedder.ts'
import { describeEmbedder } from '../contract/describe-embedder.ts'
import { OpenAiStandIn } from '../support/stand-ins/openai.ts'

describeEmbedder('OpenAiCompatibleEmbedder', async () => {
  const standIn = await OpenAiStandIn.start()
  const target = { kind: 'url', url: standIn.url } as const
  return {
    embedder: new OpenAiCompatibleEmbedder({ target, model: standIn.model }),
    dispose: () => standIn.stop(),
  }
})
