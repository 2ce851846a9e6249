import { askedTerms } from '../../indexing/terms/asked-terms.ts'
import { tellingTerms } from '../../indexing/terms/fact-terms.ts'
import type { Caller } from '../../model/access.ts'
import { projectOf } from '../../model/project.ts'
import { estimateTokens } from '../../model/text/tokens.ts'
import type { Database } from '../../store/database.ts'
import { readFacts, type ToldAt } from '../../store/learning/read-facts.ts'
import { sessionsById } from '../../store/sessions.ts'
import type { FactStores } from './change-fact.ts'
import { factDocuments, type FactDocument } from './list-facts.ts'

export interface RecallFactsInput {
  /** What the conversation is about. */
  readonly text: string
  /** The conversation itself: what was told in it alone it knows. */
  readonly notSessionId?: string | undefined
  /** Of all of them, as JSON. */
  readonly maxTokens: number
  /** The same in characters of indented JSON. */
  readonly charactersMax: number
}

interface RecalledFacts {
  readonly facts: readonly FactDocument[]
  readonly tokens: number
  /** Everywhere that they were told, of which each shows one. */
  readonly toldAt: readonly ToldAt[]
}

const textCharactersMax = 10_000
const factsMax = 10
/** Of so many those are taken first that are of the conversation's project, or of none. */
const readMax = 30

/**
 * What was learned in other sessions that a text is about, what is pinned first and what is so in another project last. Nothing for who may not see personal data. Found by
 * words alone: nobody waits for a model.
 */
export async function recallFacts(
  { database, hashers }: FactStores,
  caller: Caller,
  { text, notSessionId, maxTokens, charactersMax }: RecallFactsInput,
): Promise<RecalledFacts> {
  if (caller.view !== undefined) return { facts: [], tokens: 0, toldAt: [] }
  // While the words of a store are put under another key, some facts are known by the one and some by the other.
  const { indexes } = await hashers.written(caller.tenantId)
  const read = text.slice(0, textCharactersMax)
  const words = indexes.flatMap(({ hasher }) => [...tellingTerms(read, hasher), ...askedTerms(read, hasher)])
  const { facts } = await readFacts(database, caller, { words, notSessionId, limit: readMax })
  const recalled = new Map(facts.map((fact) => [fact.id, fact]))
  const documents = await factDocuments(database, caller, facts)
  const here = await projectOfSession(database, caller, notSessionId)
  const shown: FactDocument[] = []
  const toldAt: ToldAt[] = []
  let tokens = 0
  let characters = 0
  for (const fact of nearFirst(documents, here).slice(0, factsMax)) {
    const document = { ...fact, sources: fact.sources.slice(0, 1) }
    const written = JSON.stringify(document, null, 2)
    const cost = estimateTokens(written)
    if (tokens + cost > maxTokens || characters + written.length > charactersMax) break
    tokens += cost
    characters += written.length
    shown.push(document)
    toldAt.push(...(recalled.get(fact.id)?.sources ?? []))
  }
  return { facts: shown, tokens, toldAt }
}

/** What is so in another project than this one comes behind all that is not. Without a project known the order stays. */
function nearFirst(facts: readonly FactDocument[], here: string | undefined): readonly FactDocument[] {
  if (here === undefined) return facts
  const isElsewhere = ({ project, pinned }: FactDocument) =>
    pinned !== true && project !== undefined && project !== here
  return [...facts.filter((fact) => !isElsewhere(fact)), ...facts.filter(isElsewhere)]
}

async function projectOfSession(
  database: Database,
  { tenantId }: Caller,
  sessionId: string | undefined,
): Promise<string | undefined> {
  if (sessionId === undefined) return undefined
  const [session] = await sessionsById(database, tenantId, [sessionId])
  return projectOf(session?.metadata ?? null)
}
