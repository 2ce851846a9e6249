import { packageFile } from '../../package-file.ts'

/** A compiled file of this folder, by its path in it. Threads and child processes need JavaScript, also where this module itself runs from its source, as in tests. */
export function compiledFile(name: string): string {
  return packageFile(`dist/store/embedded/${name}`)
}

/** The migrations that the package ships. */
export function shippedMigrations(): string {
  return packageFile('drizzle')
}
