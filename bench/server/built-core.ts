import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

import { build } from 'rolldown'

import { buildOptions, sourceOf } from '../../scripts/build-options.ts'
import type * as Compose from '../../src/compose.ts'
import { repositoryRoot } from '../machine.ts'

/** Below the repository, as the parts that are not joined are found from there. */
const directory = join(repositoryRoot, 'node_modules', '.cache', 'verbatim-bench')

/**
 * The product's core as its users get it: built as `npm run build` does. Run from its sources, each function that is made in a function is
 * given its name by a call, which the product does not do.
 */
export async function builtCore(): Promise<Pick<typeof Compose, 'openVerbatim'>> {
  const { output } = await build({
    ...buildOptions,
    input: { compose: sourceOf('compose') },
    output: {
      ...buildOptions.output,
      dir: directory,
      entryFileNames: '[name].mjs',
      chunkFileNames: '[name]-[hash].mjs',
    },
  })
  const entry = output.find((file) => file.type === 'chunk' && file.isEntry)
  if (entry === undefined) throw new Error('The build of the core has no entry')
  return await import(pathToFileURL(join(directory, entry.fileName)).href)
}
