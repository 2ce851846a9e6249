import { ModelNameFinder } from '../naming/model-name-finder.ts'
import { NameWorker } from '../naming/name-worker.ts'
import type { NameFinder } from '../ports/name-finder.ts'
import type { NamingDependencies } from './naming.ts'

/** Who looks for names by the settings; undefined where rules alone do. */
export async function openNameWorker({
  config,
  observer,
  ...stores
}: NamingDependencies): Promise<NameWorker | undefined> {
  const finder = await openFinder({ config, observer, ...stores })
  return finder === undefined ? undefined : new NameWorker(stores, finder)
}

async function openFinder({ config, observer, database }: NamingDependencies): Promise<NameFinder | undefined> {
  const { dailyTokens, names } = config
  if (names === undefined) return undefined
  if (names.kind === 'local') {
    const { OnnxNameFinder } = await import('../adapters/names/onnx-name-finder.ts')
    return new OnnxNameFinder(names)
  }
  const { openWriter } = await import('./open-writer.ts')
  return new ModelNameFinder(openWriter(names.writer, { database, observer, dailyTokens }))
}
