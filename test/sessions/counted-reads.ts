import type { Database } from '../../src/store/database.ts'

/** The same database, which counts the messages whose bytes are read from it. */
export function countReads(database: Database): { readonly database: Database; taken(): number } {
  let count = 0
  const counting: Database = {
    kind: database.kind,
    vault: database.vault,
    async run(work) {
      const result = await database.run(work)
      if (Array.isArray(result))
        count += result.filter((row) => typeof row === 'object' && row !== null && 'payload' in row).length
      return result
    },
    of: () => counting,
    close: () => database.close(),
  }
  return {
    database: counting,
    /** Since it was last asked. */
    taken: () => {
      const taken = count
      count = 0
      return taken
    },
  }
}
