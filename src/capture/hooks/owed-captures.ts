import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { z } from 'zod'

import { codeOf } from '../../errors.ts'
import { newId } from '../../model/ids.ts'
import { syncDirectory } from '../../sync-directory.ts'

/** Added to the name of a note that cannot be read. */
const damagedEnd = '.damaged'

const noteSchema = z.object({ path: z.string(), format: z.string(), at: z.string(), hasEnded: z.boolean().optional() })

/** A transcript that a hook has named and that is still to be imported. */
export interface OwedCapture {
  readonly path: string
  readonly format: string
  /** ISO 8601: when the hook ran. */
  readonly at: string
  /** Whether the session has ended: its last line goes on no more. */
  readonly hasEnded?: boolean | undefined
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

  /** The notes survive a power cut when this resolves. */
  async add(captures: readonly Pick<OwedCapture, 'path' | 'format' | 'hasEnded'>[]): Promise<void> {
    const isNew = (await mkdir(this.#directory, { recursive: true, mode: 0o700 })) !== undefined
    if (isNew) await syncDirectory(dirname(this.#directory))
    for (const capture of captures) {
      const name = join(this.#directory, newId())
      await writeDurably(`${name}.new`, JSON.stringify({ ...capture, at: new Date().toISOString() }))
      await rename(`${name}.new`, `${name}.json`)
    }
    await syncDirectory(this.#directory)
  }

  /** The oldest first. A note that cannot be read is set aside, so that it holds up no other, and told of. */
  async list(onDamaged: (note: string) => void = () => undefined): Promise<OwedCapture[]> {
    const names = (await this.#names()).filter((name) => name.endsWith('.json'))
    const notes = await Promise.all(names.toSorted().map((name) => readNote(join(this.#directory, name), onDamaged)))
    return notes.flatMap((note) => note ?? [])
  }

  /** The notes that were set aside. */
  async damaged(): Promise<string[]> {
    const names = (await this.#names()).filter((name) => name.endsWith(damagedEnd))
    return names.toSorted().map((name) => join(this.#directory, name))
  }

  async done(captures: readonly OwedCapture[]): Promise<void> {
    for (const { note } of captures) await rm(note, { force: true })
  }

  async #names(): Promise<string[]> {
    try {
      return await readdir(this.#directory)
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return []
      throw error
    }
  }
}

/** Undefined where another process has done it meanwhile, or where it cannot be read. */
async function readNote(note: string, onDamaged: (note: string) => void): Promise<OwedCapture | undefined> {
  try {
    const read = parseNote(await readFile(note, 'utf8'))
    if (read !== undefined) return { ...read, note }
    const aside = `${note}${damagedEnd}`
    await rename(note, aside)
    onDamaged(aside)
    return undefined
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

function parseNote(text: string): z.infer<typeof noteSchema> | undefined {
  try {
    return noteSchema.safeParse(JSON.parse(text)).data
  } catch {
    // No JSON, such as a note whose bytes a power cut has taken.
    return undefined
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}
