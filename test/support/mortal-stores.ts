import type { ArchiveStore } from '../../src/ports/archive-store.ts'
import type { Database } from '../../src/store/database.ts'

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
      erase: async (name) => {
        live()
        return await archive.erase(name)
      },
      list: (prefix) => archive.list(prefix),
      check: () => archive.check(),
    },
  }
}

/** Does something that is killed at every point, one after the other, and then goes on; how often it was killed. */
export async function killedEverywhere(work: (lives: number) => Promise<unknown>, afterEach: () => Promise<void>) {
  for (let lives = 0; ; lives++) {
    try {
      await work(lives)
      return lives
    } catch (error) {
      if (!(error instanceof Killed)) throw error
      await afterEach()
    }
  }
}
