import { randomBytes } from 'node:crypto'

import { z } from 'zod'

import type { PromptAdditions, PromptEvent } from './host.ts'

const messageSchema = z.object({
  id: z.string(),
  timestamp: z.string(),
  sender: z.string(),
  role: z.string(),
  trust: z.string(),
  text: z.string(),
  hit: z
    .object({
      why: z.object({
        semantic_rank: z.number().optional(),
        of_time: z.boolean().optional(),
        terms: z.array(z.string()),
      }),
    })
    .optional(),
})
type Message = z.infer<typeof messageSchema>

/** The reply of `search_memory`. */
export const searchReplySchema = z.object({
  notice: z.string(),
  results: z.array(z.object({ session_id: z.string(), messages: z.array(messageSchema) })),
  next_cursor: z.string().optional(),
})
export type SearchReply = z.infer<typeof searchReplySchema>

const factSchema = z.object({
  id: z.string(),
  kind: z.string(),
  text: z.string(),
  said_by: z.string(),
  project: z.string().optional(),
  since: z.string().nullable(),
  made_by: z.string(),
  sources: z.array(z.object({ session_id: z.string(), message_id: z.string() })),
})
type Fact = z.infer<typeof factSchema>

/** The reply of `recall_context`: messages that are likely to be needed, and what was learned. */
export const recallReplySchema = searchReplySchema.extend({ facts: z.array(factSchema) })
export type RecallReply = z.infer<typeof recallReplySchema>

/** A text is in the prompt already where this much of its beginning is. */
const comparedCharacters = 160
/** What is predicted is only likely: it does not fill the room. */
const predictedMax = 3

/** What is put there first where there is not room for all. */
const ranks = { fact: 0, hit: 1, beside: 2, predicted: 3 }

interface Line {
  readonly id: string
  readonly text: string
  readonly rank: number
}

/** What was found about one prompt, without what the prompt or its history says itself. */
export class Recalled {
  readonly #present: string
  readonly #query: string
  readonly #asksOfTime: boolean
  readonly #lines = new Map<string, Line>()
  #notice = ''
  #hits = 0

  constructor(query: string, event: PromptEvent) {
    this.#present = [query, ...event.messages.map((message) => JSON.stringify(message))].join('\n')
    this.#query = wordsOf(query)
    this.#asksOfTime = asksWhatWas.test(query)
  }

  /** Hits that say more than the prompt does. */
  get hits(): number {
    return this.#hits
  }

  /** Takes a page of a search; whether there was a hit that repeats the prompt or what stands in it, which is left out. */
  addFound({ notice, results }: SearchReply): boolean {
    let hasRepeats = false
    for (const { session_id: session, messages } of results) {
      const isTelling = messages.some((message) => tells(message, this.#asksOfTime))
      for (const message of messages) {
        const isHit = message.hit !== undefined
        if (this.#isPresent(message.text)) hasRepeats ||= isHit
        else if (isTelling && isSaid(message)) {
          if (tells(message, this.#asksOfTime)) this.#hits += 1
          this.#add({ id: message.id, text: render(session, message), rank: isHit ? ranks.hit : ranks.beside })
        }
      }
    }
    this.#notice = notice
    return hasRepeats
  }

  /** Takes what was learned, and of what is likely to be needed the best. */
  addPredicted({ notice, results, facts }: RecallReply): void {
    for (const fact of facts)
      if (!this.#isPresent(fact.text)) this.#add({ id: fact.id, text: renderFact(fact), rank: ranks.fact })
    let left = predictedMax
    for (const { session_id: session, messages } of results) {
      for (const message of messages) {
        if (left === 0 || !tells(message, this.#asksOfTime) || !isSaid(message) || this.#isPresent(message.text))
          continue
        this.#add({ id: message.id, text: render(session, message), rank: ranks.predicted })
        left -= 1
      }
    }
    this.#notice = notice
  }

  /** As text that is marked as recorded, within a number of tokens; undefined where there is nothing. */
  additions(maxTokens: number): PromptAdditions | undefined {
    const mark = randomBytes(6).toString('hex')
    const [open, close] = [
      `${this.#notice}\n<recorded memory boundary="${mark}">\n`,
      `</recorded boundary="${mark}">\n`,
    ]
    const taken = new Set<Line>()
    let left = maxTokens - tokensOf(open + close)
    for (const line of [...this.#lines.values()].toSorted((a, b) => a.rank - b.rank)) {
      const cost = tokensOf(line.text)
      if (cost > left) continue
      left -= cost
      taken.add(line)
    }
    if (taken.size === 0) return undefined
    const lines = [...this.#lines.values()].filter((line) => taken.has(line)).map(({ text }) => `${text}\n`)
    return { prependContext: `${open}${lines.join('')}${close}` }
  }

  #add(line: Line): void {
    if (!this.#lines.has(line.id)) this.#lines.set(line.id, line)
  }

  #isPresent(text: string): boolean {
    const start = text.slice(0, comparedCharacters)
    // As it stands in JSON, where a message of the prompt has it.
    if (this.#present.includes(JSON.stringify(start).slice(1, -1))) return true
    // A short answer may be one of the words of its question.
    const words = wordsOf(start)
    return words.length >= Math.min(this.#query.length / 2, comparedCharacters / 2) && this.#query.includes(words)
  }
}

/** Its words alone: who asks again writes other capitals and marks. */
function wordsOf(text: string): string {
  return ` ${
    text
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu)
      ?.join(' ') ?? ''
  } `
}

/** What stands between a question and its answer, tool calls and their output, is left out unless it was found itself. */
function isSaid({ role, text, hit }: Message): boolean {
  return text.trim() !== '' && (hit !== undefined || role === 'user' || role === 'assistant')
}

/** Whether a prompt asks what was; most that name a time order something: "do it today". */
const asksWhatWas =
  /(?<!\p{L})(?:did|was|were|had|been|have (?:we|you|i)|happened|discussed|talked|said|decided|worked|recap|summari[sz]e|war|waren|haben|hatte|besprochen|gesagt|geredet|passiert|avons|avez|était|parlé|discuté|dit|hablamos|hicimos|dijo|dijimos|pasó|discutimos|hemos|falamos|fizemos|disse|aconteceu|abbiamo|detto|parlato|hebben|besproken|gezegd|gebeurd)(?!\p{L})/iu

/** One word in common is chance, unless the meaning is near as well. Of a time that is asked about alone everything tells. */
function tells({ hit }: Message, asksOfTime: boolean): boolean {
  if (hit === undefined) return false
  const { of_time: isOfTime, semantic_rank: semanticRank, terms } = hit.why
  return (asksOfTime && isOfTime === true) || terms.length > (semanticRank === undefined ? 1 : 0)
}

function render(session: string, { id, timestamp, sender, role, trust, text }: Message): string {
  return `[${timestamp}] ${sender} (${role}, trust: ${trust}, session ${session}, message ${id}): ${text}`
}

function renderFact({
  id,
  kind,
  text,
  said_by: saidBy,
  project,
  since,
  made_by: madeBy,
  sources: [source],
}: Fact): string {
  const place = project === undefined ? '' : `, in ${project}`
  const where = source === undefined ? '' : `, session ${source.session_id}, message ${source.message_id}`
  return `[${since ?? 'at some time'}] ${saidBy} (learned ${kind}${place}, by ${madeBy}, fact ${id}${where}): ${text}`
}

/** An estimate that errs upwards: three letters to a token, and of other alphabets one. */
function tokensOf(text: string): number {
  const others = text.match(/[^\0-\x7F]/gu)?.length ?? 0
  return Math.ceil((text.length - others) / 3 + others)
}
