import { openGenerator } from '../../src/adapters/generators/open-generator.ts'
import { OnnxNameFinder } from '../../src/adapters/names/onnx-name-finder.ts'
import { readConfig } from '../../src/config.ts'
import { lookForNames } from '../../src/naming/look-for-names.ts'
import { ModelNameFinder } from '../../src/naming/model-name-finder.ts'
import type { NameFinder } from '../../src/ports/name-finder.ts'
import { detect } from '../../src/privacy/detect.ts'
import type { Detection } from '../../src/privacy/detection.ts'
import { KnownNames } from '../../src/privacy/names/known-names.ts'
import { resolveOverlaps } from '../../src/privacy/resolve-overlaps.ts'

/** Who finds what is measured: rules, and the model of the settings beside them where names by it are wanted. */
export interface Measured {
  readonly by: string
  detect(text: string): Promise<readonly Detection[]>
  close(): Promise<void>
}

const rules: Measured = { by: 'rules only: no model was asked', detect, close: () => Promise.resolve() }

/** Throws where names by a model are wanted and the settings name none. */
export function openMeasured(withNames: boolean): Measured {
  if (!withNames) return rules
  const { names } = readConfig()
  if (names === undefined) throw new Error('Set VERBATIM_NAMES to model or local, with what it needs, for --names')
  const finder: NameFinder =
    names.kind === 'local' ? new OnnxNameFinder(names) : new ModelNameFinder(openGenerator(names.writer))
  return {
    by: `rules, and names by ${finder.provider}${names.kind === 'model' ? ` ${names.writer.model ?? ''}` : ''}`,
    async detect(text) {
      const [found] = await lookForNames(finder, [text], { signal: new AbortController().signal })
      const known = new KnownNames([], found?.names ?? [])
      return resolveOverlaps(text, [...(await detect(text)), ...(await known.in(text))])
    },
    close: () => finder.close(),
  }
}
