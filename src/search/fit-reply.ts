import { limits } from '../limits.ts'
import { correctedIdOf } from '../model/messages/correction.ts'
import { recordedDataNotice } from '../model/text/fence.ts'
import { estimateTokens } from '../model/text/tokens.ts'
import type { UnknownName } from '../model/unknown-name.ts'
import { shownFlags } from '../sessions/document.ts'
import { nearSeqMax } from '../store/neighbours.ts'
import { excerpt, type Excerpt } from './excerpt.ts'
import type { Hit } from './hits.ts'
import { renderSearch, type SearchCoverage, type SearchMessage, type SearchReply } from './reply.ts'

/** A neighbour of a hit, with its text. */
export interface Neighbour {
  readonly message: Hit['message']
  readonly text: string
}

export interface ReplyParts {
  readonly hits: readonly Hit[]
  readonly neighbours: readonly Neighbour[]
  readonly sessions: ReadonlyMap<
    string,
    { readonly title: string | null; readonly source: string; readonly createdAt: string }
  >
  readonly filters: readonly string[]
  /** Why a message was chosen, where no query says it. */
  readonly reasonsOf?: (ranked: Hit['ranked']) => readonly string[]
  readonly firstRank: number
  readonly coverage: SearchCoverage
  readonly degraded: readonly string[]
  /** Names that it was narrowed to and that nothing has. */
  readonly unknownNames?: readonly UnknownName[]
  /** The cursor after the first `count` hits, or undefined where nothing follows them. */
  readonly cursorAfter: (count: number) => string | undefined
}

interface Lengths {
  /** The text of a hit, cut. */
  readonly cut: (hit: Hit) => Excerpt
  readonly neighbour: number
}

/** Cuts the texts of hits to a length, each once, as replies with fewer and fewer of them are tried. */
function cutterTo(maxCharacters: number): Lengths['cut'] {
  const cuts = new Map<Hit, Excerpt>()
  return (hit) => {
    const cut = cuts.get(hit) ?? excerpt(hit.text, hit.matches, { maxCharacters })
    cuts.set(hit, cut)
    return cut
  }
}

/** Whether the texts of hits alone are longer than a reply may be: then none need be written to see that it does not fit. */
function areTooLong(hits: readonly Hit[], cut: Lengths['cut'], charactersMax: number): boolean {
  let characters = 0
  return hits.some((hit) => (characters += cut(hit).text.length) > charactersMax)
}

function searchMessage(
  message: Hit['message'],
  cut: { readonly text: string; readonly truncated: boolean },
): SearchMessage {
  const { id, seq, timestamp, sender, role, trust } = message
  const about = { id, seq, timestamp, sender, role, trust, ...shownFlags(message) }
  const corrects = correctedIdOf(message)
  const truncated = cut.truncated ? { truncated: true } : {}
  return { ...about, text: cut.text, ...truncated, ...(corrects === undefined ? {} : { corrects }) }
}

function ranksOf({ ranked }: Hit): {
  readonly lexical_rank?: number
  readonly semantic_rank?: number
  readonly of_time?: boolean
} {
  return {
    ...(ranked.lexicalRank === undefined ? {} : { lexical_rank: ranked.lexicalRank }),
    ...(ranked.semanticRank === undefined ? {} : { semantic_rank: ranked.semanticRank }),
    ...(ranked.isOfTime === true ? { of_time: true } : {}),
  }
}

function assemble(parts: ReplyParts, count: number, lengths: Lengths): SearchReply {
  const bySession = new Map<string, Map<number, SearchMessage>>()
  for (const [index, hit] of parts.hits.slice(0, count).entries()) {
    const cut = lengths.cut(hit)
    const messages = bySession.get(hit.message.sessionId) ?? new Map<number, SearchMessage>()
    bySession.set(hit.message.sessionId, messages)
    messages.set(hit.message.seq, {
      ...searchMessage(hit.message, cut),
      hit: {
        rank: parts.firstRank + index,
        score: Number(hit.ranked.score.toFixed(3)),
        why: {
          ...ranksOf(hit),
          terms: hit.terms,
          filters: parts.filters,
          ...(parts.reasonsOf === undefined ? {} : { reasons: parts.reasonsOf(hit.ranked) }),
        },
      },
    })
  }
  // Neighbours come after all hits, so that a hit which is another's neighbour is shown once, as a hit.
  const isNear = (message: Hit['message']) =>
    parts.hits
      .slice(0, count)
      .some(
        (hit) => hit.message.sessionId === message.sessionId && Math.abs(hit.message.seq - message.seq) <= nearSeqMax,
      )
  for (const { message, text } of lengths.neighbour === 0 ? [] : parts.neighbours) {
    const messages = bySession.get(message.sessionId)
    if (messages === undefined || messages.has(message.seq) || text.length === 0 || !isNear(message)) continue
    messages.set(message.seq, searchMessage(message, excerpt(text, [], { maxCharacters: lengths.neighbour })))
  }
  const results = [...bySession].map(([sessionId, messages]) => {
    const session = parts.sessions.get(sessionId)
    return {
      session_id: sessionId,
      ...(session?.title === null || session === undefined ? {} : { title: session.title }),
      source: session?.source ?? '',
      started_at: session?.createdAt ?? '',
      messages: [...messages.values()].toSorted((a, b) => a.seq - b.seq),
    }
  })
  const cursor = parts.cursorAfter(count)
  return {
    notice: recordedDataNotice,
    results,
    coverage: parts.coverage,
    degraded: parts.degraded,
    ...(parts.unknownNames === undefined || parts.unknownNames.length === 0
      ? {}
      : { unknown_names: parts.unknownNames }),
    ...(cursor === undefined ? {} : { next_cursor: cursor }),
  }
}

/**
 * Fits a reply into the caller's tokens and the characters that hosts show: texts get shorter first, then the last hits
 * are left to the next page. At least one hit is always given.
 */
export function fitReply(
  parts: ReplyParts,
  budget: {
    readonly maxTokens: number
    readonly format: 'text' | 'json'
    readonly textCharactersMax: number
    /** What stands beside it in the same reply. */
    readonly charactersTaken?: number
  },
): SearchReply {
  const charactersMax = limits.searchReplyCharactersMax - (budget.charactersTaken ?? 0)
  const fits = (reply: SearchReply) => {
    const text = budget.format === 'text' ? renderSearch(reply) : JSON.stringify(reply, null, 2)
    return text.length <= charactersMax && estimateTokens(text) <= budget.maxTokens
  }
  const steps: readonly { readonly hit: number; readonly neighbour: number }[] = [
    { hit: 6_000, neighbour: 600 },
    { hit: 2_400, neighbour: 400 },
    { hit: 1_200, neighbour: 240 },
    { hit: 700, neighbour: 160 },
    { hit: 500, neighbour: 0 },
    { hit: 320, neighbour: 0 },
  ]
  for (const { hit, neighbour } of steps) {
    const cut = cutterTo(Math.min(hit, budget.textCharactersMax))
    if (areTooLong(parts.hits, cut, charactersMax)) continue
    const longest = { cut, neighbour: Math.min(neighbour, budget.textCharactersMax) }
    const reply = assemble(parts, parts.hits.length, longest)
    if (fits(reply)) return reply
  }
  const shortest = { cut: cutterTo(320), neighbour: 0 }
  for (let count = parts.hits.length - 1; count > 1; count--) {
    const reply = assemble(parts, count, shortest)
    if (fits(reply)) return reply
  }
  return assemble(parts, 1, shortest)
}
