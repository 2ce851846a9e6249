import { hitsOf, type SearchReply } from '../../test/door/support/tools.ts'
import type { Question } from './dataset.ts'
import type { Place, Places } from './fill.ts'
import type { MemoryProcess } from './memory-process.ts'

/** `isolated` searches the sessions of the question's conversation, `pooled` those of all conversations. */
export type Scope = 'isolated' | 'pooled'

export interface AskOptions {
  readonly scope: Scope
  readonly places: Places
  /** `windows` asks for a neighbour on each side, and for so few hits a page that the reply has room for them. */
  readonly shape: 'hits' | 'windows'
}

/** The messages that were found, best first; of several windows each. */
export interface Reply {
  readonly windows: readonly (readonly Place[])[]
  readonly firstPageMs: number
  readonly pages: number
}

const messagesWanted = 50
const windowsOfPage = 5
const pagesMax = 50
const resultTokens = 25_000

type FoundSession = SearchReply['results'][number]
type FoundMessage = FoundSession['messages'][number]

/** A hit with those of its neighbours that the reply shows, in their order. */
function windowAround(hit: FoundMessage, session: FoundSession | undefined): readonly FoundMessage[] {
  return session?.messages.filter(({ seq }) => Math.abs(seq - hit.seq) <= 1) ?? [hit]
}

function windowsOf(reply: SearchReply, options: AskOptions): Place[][] {
  return hitsOf(reply).map((hit) => {
    const session = reply.results.find(({ messages }) => messages.includes(hit))
    const shown = options.shape === 'hits' ? [hit] : windowAround(hit, session)
    return shown.map(({ id }) => {
      const place = options.places.get(id)
      if (place === undefined) throw new Error('The search found a message that this bench did not save')
      return place
    })
  })
}

/** Asks the question as it stands and turns pages until 50 messages are there or no more are found. */
export async function ask(memory: MemoryProcess, question: Question, options: AskOptions): Promise<Reply> {
  const request = {
    query: question.question,
    max_tokens: resultTokens,
    ...(options.shape === 'hits' ? { limit: messagesWanted, context: 0 } : { limit: windowsOfPage, context: 1 }),
    ...(options.scope === 'isolated' ? { tags: [question.conversation] } : {}),
  }
  const startedAt = performance.now()
  let page = await memory.tools.search(request)
  const firstPageMs = performance.now() - startedAt
  const windows = windowsOf(page, options)
  let pages = 1
  while (page.next_cursor !== undefined && new Set(windows.flat()).size < messagesWanted) {
    if (++pages > pagesMax) throw new Error(`A search gave fewer than ${messagesWanted} messages in ${pagesMax} pages`)
    page = await memory.tools.search({ ...request, cursor: page.next_cursor })
    windows.push(...windowsOf(page, options))
  }
  return { windows, firstPageMs, pages }
}
