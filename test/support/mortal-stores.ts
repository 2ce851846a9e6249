import type { ArchiveStore } from '../../src/ports/archive-store.ts'
import type { Database } from '../../src/store/database.ts'
import { isOnServer } from './test-store.ts'

/** The process ended here. */
export class Killed extends Error {}

/** Stores under which a process dies before it asks them for something the `lives + 1`th time. */
export function mortalStores(
  { database, archive }: { readonly database: Database; readonly archive: ArchiveStore },
  lives: number,
): { readonly database: Database; readonly archive: ArchiveStore } {
  let left = lives
  const live = () => {
    left--
    if (left < 0) throw new Killed()
  }
  return {
    database: {
      ...database,
      run: async (work) => {
        live()
        return await database.run(work)
      },
    },
    archive: {
      put: async (key, bytes) => {
        live()
        await archive.put(key, bytes)
      },
      get: async (key) => {
        live()
        return await archive.get(key)
      },
      delete: async (key) => {
        live()
        await archive.delete(key)
      },
      erase: async (name, notes) => {
        live()
        return await archive.erase(name, notes)
      },
      list: (prefix) => archive.list(prefix),
      check: () => archive.check(),
    },
  }
}

/**
 * How far apart the points are at which something is killed that takes long: at the even ones on the embedded store and at the odd
 * ones on a server. With FAULT_POINTS=all at each, on both.
 */
export const pointsApart = process.env['FAULT_POINTS'] === 'all' ? 1 : 2

/** Does something that is killed at one point after the other, and then goes on; how often it was killed. */
export async function killedEverywhere(
  work: (lives: number) => Promise<unknown>,
  afterEach: () => Promise<void>,
  apart = 1,
): Promise<number> {
  let kills = 0
  for (let lives = isOnServer ? apart - 1 : 0; ; lives += apart) {
    try {
      await work(lives)
      return kills
    } catch (error) {
      if (!(error instanceof Killed)) throw error
      kills++
      await afterEach()
    }
  }
}
