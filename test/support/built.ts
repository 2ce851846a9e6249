import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** A file of the compiled product, for tests that start processes. `npm run build` makes them. */
export function distPath(path: string): string {
  const file = fileURLToPath(new URL(`../../dist/${path}`, import.meta.url))
  if (!existsSync(file)) {
    throw new Error(`Cannot run this test as "dist/${path}" must exist: build first with \`npm run build\``)
  }
  return file
}
