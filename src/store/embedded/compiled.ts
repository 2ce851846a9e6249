import { fileURLToPath } from 'node:url'

/**
 * A compiled file of this folder. Threads and child processes need JavaScript, also where this module itself runs from
 * its source, as in tests: `dist` is at the same relative depth from both.
 */
export function compiledFile(name: string): string {
  return fileURLToPath(new URL(`../../../dist/store/embedded/${name}`, import.meta.url))
}

/** The migrations that the package ships. */
export function shippedMigrations(): string {
  return fileURLToPath(new URL('../../../drizzle', import.meta.url))
}
