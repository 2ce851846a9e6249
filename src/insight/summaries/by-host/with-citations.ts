import type { Caller } from '../../../model/access.ts'
import type { SearchDependencies } from '../../../search/search.ts'
import type { ReadDependencies } from '../../../sessions/session-page.ts'
import type { UpdateSessionDependencies } from '../../../sessions/update-session.ts'

/** What a session is changed with, summaries with what they cite. How that is read is loaded with the first that is written. */
export function withCitations(
  dependencies: ReadDependencies & SearchDependencies,
  caller: Caller,
): UpdateSessionDependencies {
  return {
    database: dependencies.database,
    cite: async (session, summary) => {
      const { citedSentences } = await import('./cited-sentences.ts')
      return await citedSentences(dependencies, caller, { session, summary })
    },
  }
}
