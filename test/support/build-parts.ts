import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { build } from 'rolldown'

import { buildOptions, sourceOf } from '../../scripts/build-options.ts'

/** Builds some modules of `src`, and what they need of it, into the `dist` of another directory. */
export async function buildParts(directory: string, names: readonly string[]): Promise<void> {
  await build({
    ...buildOptions,
    input: Object.fromEntries(names.map((name) => [name, sourceOf(name)])),
    output: { ...buildOptions.output, dir: join(directory, 'dist') },
  })
  await writeFile(join(directory, 'package.json'), '{"type":"module"}')
}
