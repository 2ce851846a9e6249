import type { Candidate } from '../candidates.ts'

/** Of the questions of a conversation that nobody has answered, the last ones: older ones are forgotten. */
const keptMax = 20
/** What has so much of the words of a question says something to it. */
const answeredShare = 0.5
/** What another says right after a question needs but one of its words. */
const nextTurns = 2

/** What only who knows it can say; of all else an agent that it is asked says something. */
const ofFacts =
  /(?<!\p{L})(?:who|whose|whom|when|where|which|by when|wer|wessen|wem|wann|wo|welche[rsmn]?|qui|quand|où|quel(?:le)?s?|quién(?:es)?|cuándo|dónde|cuál(?:es)?|chi|quando|quem|кто|когда|где)(?!\p{L})|谁|誰|何时|什么时候|哪|いつ|どこ|누가|언제/iu

interface OpenQuestion {
  readonly candidate: Candidate
  /** Messages of others that have followed. */
  others: number
  lastOther: string | undefined
}

/** The questions of a conversation to which nothing was said, by the words of what follows them. */
export class OpenQuestions {
  #open: OpenQuestion[] = []

  /** Takes the next sentence of the conversation. */
  see(candidate: Candidate): void {
    this.#open = this.#open.filter((question) => !isAnswered(question, candidate))
    const { cues, role } = candidate
    if (!cues.question || cues.example || (role !== 'user' && role !== 'assistant')) return
    this.#open.push({ candidate, others: 0, lastOther: undefined })
    if (this.#open.length > keptMax) this.#open.shift()
  }

  /** The last that are open, the newest first; those of people before those of agents. */
  last(count: number): readonly Candidate[] {
    const newest = this.#open.map(({ candidate }) => candidate).toReversed()
    return [...newest.filter(({ role }) => role === 'user'), ...newest.filter(({ role }) => role !== 'user')].slice(
      0,
      count,
    )
  }
}

function isAnswered(question: OpenQuestion, { messageId, sender, role, terms, cues }: Candidate): boolean {
  const { candidate } = question
  if (candidate.messageId === messageId && !isSameAgain(candidate, terms)) return false
  if (role === 'tool') return false
  const isOther = sender !== candidate.sender
  // What an agent asks is answered by what is said to it next.
  if (isOther && role === 'user' && candidate.role === 'assistant') return true
  if (isOther && question.lastOther !== messageId) {
    question.lastOther = messageId
    question.others++
  }
  // What an agent is told to do, or asked of what it does, it answers next.
  if (role === 'assistant' && question.others === 1 && !cues.question && !ofFacts.test(candidate.text)) return true
  let shared = 0
  for (const term of candidate.terms.keys()) if (terms.has(term)) shared++
  if (shared === candidate.terms.size) return true
  if (cues.question) return false
  return shared >= answeredShare * candidate.terms.size || (isOther && question.others <= nextTurns && shared > 0)
}

/** Whether it is asked in the same words once more: the last stands for all. */
function isSameAgain({ terms: asked }: Candidate, terms: Candidate['terms']): boolean {
  return asked.size === terms.size && [...asked.keys()].every((term) => terms.has(term))
}
