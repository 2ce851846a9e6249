import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { distPath } from '../../support/built.ts'

/** A copy of the package as it is installed, in a directory with a space in its name, to be updated by a test. */
export class Installed {
  readonly #path: string

  constructor(directory: string) {
    this.#path = join(directory, 'node modules', 'verbatim-mcp')
    mkdirSync(this.#path, { recursive: true })
    const root = distPath('..')
    for (const name of ['dist', 'drizzle', 'package.json'])
      cpSync(join(root, name), join(this.#path, name), { recursive: true, filter: (file) => !file.endsWith('.map') })
    symlinkSync(join(root, 'node_modules'), join(this.#path, 'node_modules'), 'dir')
  }

  get program(): string {
    return join(this.#path, 'dist', 'cli', 'main.js')
  }

  /** Puts the same build in its place as another would be: all files are new, and those that are loaded by others have new names. */
  update(): void {
    const old = join(this.#path, 'dist')
    const built = join(this.#path, 'built')
    cpSync(old, built, { recursive: true })
    const chunks = readdirSync(join(built, 'chunks')).filter((name) => name.endsWith('.js'))
    const renamed = new Map(chunks.map((name) => [name, name.replace(/\.js$/u, '2.js')]))
    for (const [name, next] of renamed) renameSync(join(built, 'chunks', name), join(built, 'chunks', next))
    for (const name of readdirSync(built, { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.js')) continue
      const text = readFileSync(join(built, name), 'utf8')
      writeFileSync(
        join(built, name),
        text.replaceAll(/[\w.-]+\.js(?=["'])/gu, (file) => renamed.get(file) ?? file),
      )
    }
    rmSync(old, { recursive: true })
    renameSync(built, old)
  }

  /** Takes the program away, as an update does before it brings the new one. */
  remove(): void {
    renameSync(join(this.#path, 'dist'), join(this.#path, 'retired'))
  }
}
