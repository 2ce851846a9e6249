import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { z } from 'zod'

import { codeOf } from '../errors.ts'
import { newId } from '../model/ids.ts'

const noteSchema = z.object({ path: z.string(), format: z.string(), at: z.string() })

/** A transcript that a hook has named and that is still to be imported. */
export interface OwedCapture {
  readonly path: string
  readonly format: string
  /** ISO 8601: when the hook ran. */
  readonly at: string
  /** The note that says it, to be removed when it is done. */
  readonly note: string
}

/**
 * What hooks have left to be imported: a note each, in a directory of the home. A hook must end at once and may be killed by
 * its client; its note stays until the transcript is stored, also when the store is away for days.
 */
export class OwedCaptures {
  readonly #directory: string

  constructor(home: string) {
    this.#directory = join(home, 'captures')
  }

  async add(captures: readonly { readonly path: string; readonly format: string }[]): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 })
    for (const capture of captures) {
      const name = join(this.#directory, newId())
      await writeFile(`${name}.new`, JSON.stringify({ ...capture, at: new Date().toISOString() }), { mode: 0o600 })
      await rename(`${name}.new`, `${name}.json`)
    }
  }

  /** The oldest first. */
  async list(): Promise<OwedCapture[]> {
    const names = await this.#names()
    const notes = await Promise.all(names.toSorted().map((name) => readNote(join(this.#directory, name))))
    return notes.flatMap((note) => note ?? [])
  }

  async done(captures: readonly OwedCapture[]): Promise<void> {
    for (const { note } of captures) await rm(note, { force: true })
  }

  async #names(): Promise<string[]> {
    try {
      return (await readdir(this.#directory)).filter((name) => name.endsWith('.json'))
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return []
      throw error
    }
  }
}

/** Undefined where another process has done it meanwhile. */
async function readNote(note: string): Promise<OwedCapture | undefined> {
  try {
    return { ...noteSchema.parse(JSON.parse(await readFile(note, 'utf8'))), note }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}
