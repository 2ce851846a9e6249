import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { PGlite } from '@electric-sql/pglite'
import { drizzle } from 'drizzle-orm/pglite'
import { migrate } from 'drizzle-orm/pglite/migrator'

import { compiledFile, shippedMigrations } from '../compiled.ts'
import { openEngine } from './durable-fs.ts'
import { imageFingerprint, imagePathsIn, packImage, writeManifest } from './image-file.ts'

/**
 * `node build-image.js [migrations [target]]`: part of the build. Makes an empty, migrated store and packs it, so that
 * a new home is there in a fraction of the time that initdb takes.
 */
/** Nobody makes a database from them, and they are two thirds of the files that a new home has to write and sync. */
async function dropTemplates(engine: PGlite): Promise<void> {
  for (const name of ['template0', 'template1']) {
    await engine.exec(`alter database ${name} is_template false`)
    await engine.exec(`drop database ${name}`)
  }
}

const [migrationsFolder, target] = [process.argv[2] ?? shippedMigrations(), process.argv[3] ?? compiledFile('')]

const scratch = await mkdtemp(join(tmpdir(), 'verbatim-image-'))
try {
  const directory = join(scratch, 'db')
  const engine = await openEngine(directory)
  await migrate(drizzle(engine), { migrationsFolder })
  await dropTemplates(engine)
  await engine.exec('vacuum (freeze, analyze)')
  await engine.exec('checkpoint')
  await engine.close()
  const paths = imagePathsIn(target)
  await packImage(directory, paths.image)
  await writeManifest(paths, await imageFingerprint(migrationsFolder))
} finally {
  await rm(scratch, { recursive: true, force: true })
}
