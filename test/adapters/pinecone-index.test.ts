import { PineconeIndex } from '../../src/adapters/vector-indexes/pinecone-index.ts'
import { describeVectorIndex } from '../contract/describe-vector-index.ts'
import { PineconeStandIn } from '../support/stand-ins/pinecone.ts'

describeVectorIndex('PineconeIndex', async () => {
  const standIn = await PineconeStandIn.start()
  await standIn.createIndex('memory', 8)
  standIn.lag = 'manual'
  return {
    index: new PineconeIndex({ apiKey: standIn.apiKey, index: 'memory', controllerHostUrl: standIn.url }),
    settle: async () => standIn.settle(),
    dispose: () => standIn.stop(),
  }
})
