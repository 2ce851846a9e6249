import type { VectorSettings } from '../../config.ts'
import { unobserved, type Observer } from '../../ports/observer.ts'
import type { VectorIndex } from '../../ports/vector-index.ts'
import type { Database } from '../../store/database.ts'
import { PgvectorIndex } from './pgvector-index.ts'
import { PineconeIndex } from './pinecone-index.ts'

/** Where a missing index is made. */
const newIndex = { cloud: 'aws', region: 'us-east-1' } as const

/** The vector index of a configuration; undefined for none. Nothing is connected before the first call. */
export function openVectorIndex(
  settings: VectorSettings,
  database: Database,
  observer: Observer = unobserved,
): VectorIndex | undefined {
  switch (settings.kind) {
    case 'none':
      return undefined
    case 'pgvector':
      return new PgvectorIndex(database)
    case 'pinecone':
      return new PineconeIndex({
        apiKey: settings.apiKey,
        index: settings.index,
        controllerHostUrl: settings.controllerHostUrl,
        create: newIndex,
        observer,
      })
    default:
      return settings satisfies never
  }
}
