import { appendFile, mkdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import type { FileReport } from '../../src/capture/documents/import-files.ts'
import { followFiles, type FollowOptions } from '../../src/capture/following/follow-files.ts'
import { FollowedFiles } from '../../src/capture/following/followed-files.ts'
import { watchedPaths } from '../../src/capture/following/watched-files.ts'
import { UnavailableError } from '../../src/errors.ts'
import type { Database } from '../../src/store/database.ts'
import { caller, useStore } from '../sessions/store.ts'
import { temporaryDirectory } from '../support/transcripts.ts'

const store = useStore()

const row = (number: number) =>
  `${JSON.stringify({ type: 'user', uuid: `${number}`, sessionId: 'followed', parentUuid: null, message: { role: 'user', content: `said ${number}` } })}\n`

/** Follows a directory of one file in a store that can be taken away. */
class Followed {
  readonly reports: FileReport[] = []
  readonly ending = new AbortController()
  isAway = false
  #told: () => void = () => undefined
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  follow(): Promise<void> {
    const { database, archive } = store.open.stores
    const mortal: Database = {
      ...database,
      run: async (work) => {
        if (this.isAway) throw new UnavailableError('Cannot reach the store as the test took it away')
        return await database.run(work)
      },
    }
    const options: FollowOptions = {
      find: () => watchedPaths([this.#path], undefined),
      lookEveryMs: 200,
      settleMs: 60_000,
      signal: this.ending.signal,
      onLook: () => undefined,
      onReport: (report) => {
        this.reports.push(report)
        this.#told()
      },
      onDefect: (error) => {
        throw error
      },
    }
    return followFiles({ database: mortal, archive }, caller, options)
  }

  get added(): number {
    return this.reports.flatMap(({ documents }) => documents).reduce((total, { added }) => total + added, 0)
  }

  async until(added: number): Promise<void> {
    while (this.added < added) await new Promise<void>((resolve) => (this.#told = resolve))
  }
}

/** The next messages that are saved have their session's numbers changed beside them, once, as an erasure at that moment does. */
async function changeNumbersOnce(): Promise<void> {
  await store.open.stores.database.run((sql) =>
    sql.unsafe(`
      create table changed_once as select 1 as left_over;
      create function change_numbers() returns trigger language plpgsql as $$
      begin
        if exists (select from changed_once) then
          delete from changed_once;
          update sessions set erasures = erasures + 1 where id = new.session_id;
        end if;
        return null;
      end $$;
      create trigger change_numbers after insert on messages for each row execute function change_numbers();`),
  )
}

describe('FollowedFiles', () => {
  it('reports what was stored before a file had to be read again', async () => {
    const path = join(await temporaryDirectory(), 'again.jsonl')
    const again = (number: number) => row(number).replace('followed', 'again')
    await writeFile(path, again(1))
    const followed = new Followed(path)
    const ended = followed.follow()
    await followed.until(1)
    await changeNumbersOnce()
    await appendFile(path, again(2))
    await followed.until(2)
    followed.ending.abort()
    await ended
    expect(followed.reports.at(-1)?.documents).toMatchObject([{ added: 1, known: 1 }])
  })

  it('lets go of a file that waits to be read again and is then as it was', async () => {
    const path = join(await temporaryDirectory(), 'session-1.json')
    const document = JSON.stringify({ sessionId: 'whole', startTime: '2026-01-01T00:00:00.000Z', messages: [] })
    const reports: FileReport[] = []
    const files = new FollowedFiles(store.open.stores, caller, {
      settleMs: 60_000,
      signal: new AbortController().signal,
      onReport: (report) => reports.push(report),
      onDefect: (error) => {
        throw error
      },
      stored: new Map(),
    })
    const written = new Date('2026-01-01T00:00:00.000Z')
    const write = async (content: string) => {
      await writeFile(path, content)
      await utimes(path, written, written)
    }
    await write(document)
    await files.lookAtAll([{ path }])
    const later = Date.now() + 3_600_000
    await write(`${document}\n`)
    await files.lookAt(path)
    expect(files.due(later).paths).toEqual([path])
    await write(document)
    await files.lookAt(path)
    expect(files.due(later)).toEqual({ paths: [], nextAtMs: Infinity })
    expect(reports).toEqual([])
  })
})

describe('followFiles()', () => {
  it('ends when the store does not answer, and goes on from what is stored when it is called again', async () => {
    const path = join(await temporaryDirectory(), 'later', 'followed.jsonl')
    const followed = new Followed(join(path, '..'))
    const ended = followed.follow().catch((error: unknown) => error)
    await mkdir(join(path, '..'))
    await writeFile(path, row(1))
    await followed.until(1)
    followed.isAway = true
    await appendFile(path, row(2) + row(3))
    expect(await ended).toBeInstanceOf(UnavailableError)
    await expect(followed.follow()).rejects.toThrow(UnavailableError)
    followed.isAway = false
    const second = followed.follow()
    await followed.until(3)
    await appendFile(path, row(4))
    await followed.until(4)
    followed.ending.abort()
    await second
    expect(followed.reports.filter(({ status }) => status !== 'imported')).toEqual([])
    expect(followed.added).toBe(4)
    const { messages } = await store.open.getSession(caller, {
      sessionId: 'followed',
      limit: 10,
      maxTokens: 8_000,
      view: 'full',
    })
    expect(messages.map(({ seq }) => seq)).toEqual([1, 2, 3, 4])
  })

  it('says once why a file is not imported, and imports it when it has become a transcript', async () => {
    const directory = await temporaryDirectory()
    const path = join(directory, 'notes.txt')
    await writeFile(path, 'no transcript\n')
    const followed = new Followed(directory)
    const following = followed.follow()
    await appendFile(path, 'nor is this\n')
    await writeFile(join(directory, 'other.jsonl'), row(5))
    await followed.until(1)
    await writeFile(path, row(6))
    await followed.until(2)
    followed.ending.abort()
    await following
    const told = followed.reports.map(({ status, path: of }) => `${status} ${of.slice(directory.length + 1)}`)
    expect(told.toSorted()).toEqual(['imported notes.txt', 'imported other.jsonl', 'skipped notes.txt'])
  })
})
