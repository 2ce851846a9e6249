import { VerbatimError } from '../../../errors.ts'
import { limits } from '../../../limits.ts'
import type { Caller } from '../../../model/access.ts'
import type { SearchDependencies } from '../../../search/search.ts'
import { search } from '../../../search/search.ts'
import type { SessionRow } from '../../../store/session-row.ts'
import type { Claim } from './claim.ts'
import { comparedMessages } from './compared-messages.ts'
import { SourceFinder, type FoundMessage } from './source-finder.ts'

/** What was found for a claim. */
export interface FoundSources {
  readonly messages: readonly FoundMessage[]
  /** Names and numbers of it that stand nowhere in the session, as far as that could be looked up. */
  readonly unknown: readonly string[]
}

/** Messages that are read at once, from the newest on. */
const stretchMessages = 200
const hitsMax = 8
/** Names of one claim that are searched for. */
const namesMax = 5
/** Texts that are kept while claims are compared with them. */
const textsMax = 32

/**
 * Looks in a session, which the caller may read all of, for the messages that bear claims out: in its newest messages one by one, and where
 * it has more, by searching it. Takes a bounded time: a claim that there was none left for is not in what it returns.
 */
export async function findSources(
  dependencies: SearchDependencies,
  caller: Caller,
  { session, claims }: { readonly session: SessionRow; readonly claims: readonly Claim[] },
): Promise<ReadonlyMap<Claim, FoundSources>> {
  const looking = new Looking(dependencies, { tenantId: caller.tenantId, session, claims })
  await looking.throughNewest()
  const found = new Map<Claim, FoundSources>()
  for (const claim of claims) {
    let names = looking.unseen(claim)
    let messages = await looking.sourcesOf(claim)
    if (messages.length === 0 && !looking.isAll) {
      names = names.slice(0, namesMax)
      if (looking.isOver || !(await searchFor(dependencies, caller, { looking, session, claim, names }))) continue
      messages = await looking.sourcesOf(claim)
    }
    const unseen = new Set(messages.length > 0 || looking.lacksSome ? [] : looking.unseen(claim))
    found.set(claim, { messages, unknown: names.filter((name) => unseen.has(name)) })
  }
  return found
}

/** Shows what a search for a claim and for its names finds in the session; false where not all of it can be searched. */
async function searchFor(
  dependencies: SearchDependencies,
  caller: Caller,
  asked: {
    readonly looking: Looking
    readonly session: SessionRow
    readonly claim: Claim
    readonly names: readonly string[]
  },
): Promise<boolean> {
  const { looking, session, claim, names } = asked
  const words = claim.terms.map(([word = '']) => word).join(' ')
  for (const query of [words, ...names].filter((text) => text.length > 0)) {
    const input = { query: query.slice(0, limits.queryCharactersMax), sessionId: session.id, limit: hitsMax }
    const how = { mode: 'full_text', context: 0, format: 'json', maxTokens: limits.resultTokensMax } as const
    try {
      // Without what learns of searches: nobody was shown what this one finds.
      const { results, degraded } = await search({ ...dependencies, use: undefined }, caller, { ...input, ...how })
      if (degraded.length > 0) return false
      for (const { seq } of results.flatMap(({ messages }) => messages)) await looking.at(seq)
    } catch (error) {
      if (!(error instanceof VerbatimError)) throw error
      return false
    }
  }
  return true
}

/** The messages of a session that are looked at for claims, in a bounded time. */
class Looking {
  readonly #dependencies: SearchDependencies
  readonly #session: SessionRow
  readonly #tenantId: number
  readonly #finder: SourceFinder
  readonly #texts = new Map<number, string>()
  readonly #until = performance.now() + limits.summaryLookMs
  /** Whether every message of the session was looked at. */
  isAll = false
  /** Whether one, or the end of one, could not be. */
  lacksSome = false

  constructor(
    dependencies: SearchDependencies,
    {
      tenantId,
      session,
      claims,
    }: { readonly tenantId: number; readonly session: SessionRow; readonly claims: readonly Claim[] },
  ) {
    this.#dependencies = dependencies
    this.#session = session
    this.#tenantId = tenantId
    this.#finder = new SourceFinder(claims)
  }

  get isOver(): boolean {
    return performance.now() > this.#until
  }

  async throughNewest(): Promise<void> {
    const { lastSeq } = this.#session
    let characters = 0
    for (let toSeq = lastSeq; toSeq > 0; toSeq -= stretchMessages) {
      const isEnough = lastSeq - toSeq >= limits.summaryLookMessagesMax || characters >= limits.summaryLookCharactersMax
      if (isEnough || this.isOver) return
      characters += await this.#show(Math.max(1, toSeq - stretchMessages + 1), toSeq)
    }
    this.isAll = true
  }

  async at(seq: number): Promise<void> {
    await this.#show(seq, seq)
  }

  unseen(claim: Claim): readonly string[] {
    return this.#finder.unseen(claim)
  }

  sourcesOf(claim: Claim): Promise<readonly FoundMessage[]> {
    return this.#finder.sourcesOf(claim, async (seq) => {
      if (!this.#texts.has(seq)) await this.at(seq)
      return this.#texts.get(seq) ?? ''
    })
  }

  /** Shows the finder a stretch; returns how many characters that were. */
  async #show(fromSeq: number, toSeq: number): Promise<number> {
    const key = { tenantId: this.#tenantId, sessionId: this.#session.id }
    let characters = 0
    const stretch = { fromSeq, toSeq, usable: true, withText: true }
    for await (const message of comparedMessages(this.#dependencies, key, stretch)) {
      const { id, seq, sender, text = `${sender}: ` } = message
      if (message.text === undefined || message.isCut) this.lacksSome = true
      this.#finder.show({ id, seq, sender }, text)
      this.#keep(seq, text)
      characters += text.length
    }
    return characters
  }

  #keep(seq: number, text: string): void {
    this.#texts.set(seq, text)
    const [oldest] = this.#texts.keys()
    if (this.#texts.size > textsMax && oldest !== undefined) this.#texts.delete(oldest)
  }
}
