import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { z } from 'zod'

import { changedAtMs, codeOf, namesIn, reasonOf, writeDurably } from './files.ts'
import type { Session } from './session.ts'
import { readerNames } from './settings.ts'

const cursorSchema = z.object({
  sessionKey: z.string(),
  reader: z.enum(readerNames),
  position: z.string(),
  /** The first row of the transcript, and the last that names a model: they stand before the rows of every segment. */
  header: z.string().optional(),
  model: z.string().optional(),
})

/** How far a session was read. */
export type Cursor = z.infer<typeof cursorSchema>

/** A session that was read, and when. */
interface Known {
  readonly session: Session
  readonly at: number
}

/** Sessions that were silent for longer are read from their beginning when they go on: Verbatim knows what it has. */
export const forgetAfterMs = 90 * 24 * 60 * 60 * 1000

/** How far each session was read, in one small file a session. */
export class Cursors {
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  async read(session: Session): Promise<Cursor | undefined> {
    try {
      const cursor = cursorSchema.safeParse(JSON.parse(await readFile(this.#path(session), 'utf8')))
      return cursor.data
    } catch (error) {
      // One that cannot be read is not worth more than none: the session is read from its beginning.
      if (codeOf(error) === 'ENOENT' || error instanceof SyntaxError) return undefined
      throw error
    }
  }

  async write(session: Session, cursor: Cursor): Promise<void> {
    await writeDurably(this.#path(session), Buffer.from(JSON.stringify(cursor)))
  }

  /** The sessions that are known, those that were read last first. Old ones are forgotten; of one that cannot be read `onProblem` is told why. */
  async sessions(now: number, onProblem: (sessionId: string, reason: string) => void): Promise<readonly Session[]> {
    const found: Known[] = []
    for (const agentId of await namesIn(this.#directory)) {
      for (const name of await namesIn(join(this.#directory, agentId))) {
        if (!name.endsWith('.json')) continue
        const sessionId = name.slice(0, -'.json'.length)
        try {
          const known = await this.#known({ agentId, sessionId, sessionKey: '' }, now)
          if (known !== undefined) found.push(known)
        } catch (error) {
          onProblem(sessionId, reasonOf(error))
        }
      }
    }
    return found.toSorted((left, right) => right.at - left.at).map(({ session }) => session)
  }

  async #known(about: Session, now: number): Promise<Known | undefined> {
    const path = this.#path(about)
    const changedMs = await changedAtMs(path)
    // Another gateway has forgotten it meanwhile.
    if (changedMs === undefined) return undefined
    if (now - changedMs > forgetAfterMs) {
      await rm(path, { force: true })
      return undefined
    }
    const sessionKey = (await this.read(about))?.sessionKey
    return sessionKey === undefined ? undefined : { session: { ...about, sessionKey }, at: changedMs }
  }

  #path({ agentId, sessionId }: Session): string {
    return join(this.#directory, agentId, `${sessionId}.json`)
  }
}
