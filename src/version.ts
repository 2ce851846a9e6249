import { readFileSync } from 'node:fs'

import { z } from 'zod'

import { packageFile } from './package-file.ts'

/** The version of this package. */
export function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(packageFile('package.json'), 'utf8'))
  return z.object({ version: z.string() }).parse(manifest).version
}
