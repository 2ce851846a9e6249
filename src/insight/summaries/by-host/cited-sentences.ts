import { InputError, LimitError } from '../../../errors.ts'
import { limits } from '../../../limits.ts'
import type { Caller } from '../../../model/access.ts'
import { readableText } from '../../../sessions/document.ts'
import { messageBody } from '../../../sessions/message-body.ts'
import type { ReadDependencies } from '../../../sessions/session-page.ts'
import { pagedMessages } from '../../../store/page-messages.ts'
import type { SessionRow } from '../../../store/session-row.ts'
import type { SummarySentence } from '../../../store/summaries/summaries.ts'
import { isBorneOut } from '../../checks/borne-out.ts'

/** "[12]", "[3, 5]", "[3-5]": numbers of messages. Not what stands in brackets in code and in links. */
const citation = /(?<![\p{L}\p{N}_)\]])\[(\d{1,12}(?:\s*[-–,]\s*\d{1,12})*)\](?!\()/gu
/** Of one sentence; a range that is longer says nothing of where it comes from. */
const ofSentenceMax = 20
/** What a line of a list begins with. */
const listMark = /^\s*(?:\d{1,3}[.)]|[-*•#]+)\s+/u
/** A longer message is not compared: what it would take to keep it beside others is worth more than one sentence. */
const comparedCharactersMax = 50_000

/** A message that is cited. */
interface Source {
  readonly id: string
  readonly seq: number
  readonly sender: string
  /** Absent where it is not to be compared. */
  readonly text?: string
}

/**
 * The sentences of a summary that a calling model wrote, a line each, with the messages that they cite by number in brackets. Throws
 * InputError where one is cited that is not there, or that lacks a name or a number of its sentence, and LimitError where too many are. What
 * cites nothing is taken as it is. To who may not read the messages it says nothing of what is in them.
 */
export async function citedSentences(
  dependencies: ReadDependencies,
  caller: Caller,
  cited: { readonly session: SessionRow; readonly summary: string },
): Promise<readonly SummarySentence[]> {
  const lines = cited.summary.split('\n').filter((line) => line.trim().length > 0)
  const sentences = lines.map((text) => ({ text, numbers: numbersIn(text) }))
  const numbers = new Set(sentences.flatMap((sentence) => sentence.numbers))
  if (numbers.size > limits.summaryCitationsMax)
    throw new LimitError('set "summary"', {
      what: 'the number of messages that it cites',
      limit: limits.summaryCitationsMax,
      actual: numbers.size,
    })
  const sources = await sourcesOf(dependencies, caller, { ...cited, numbers })
  return sentences.map(({ text, numbers: own }) => {
    const found = own.flatMap((number) => sources.get(number) ?? [])
    check(text, found)
    return {
      text,
      message_ids: found.map(({ id }) => id),
      ...(found.length === 0 ? {} : { sources: found.map(({ seq, sender }) => ({ seq, sender })) }),
    }
  })
}

async function sourcesOf(
  { database, archive }: ReadDependencies,
  caller: Caller,
  { session, numbers }: { readonly session: SessionRow; readonly numbers: ReadonlySet<number> },
): Promise<ReadonlyMap<number, Source>> {
  const key = { tenantId: caller.tenantId, sessionId: session.id }
  // An answer that depends on the words would tell them, guess by guess.
  const mayRead = caller.view === undefined && caller.readsNothing !== true && !session.restricted
  const sources = new Map<number, Source>()
  for (const seq of numbers) {
    for await (const rows of pagedMessages(database, key, { fromSeq: seq, toSeq: seq, usable: !session.restricted })) {
      for (const row of rows) {
        const body = mayRead ? await messageBody(archive, row) : undefined
        const text = body === undefined || 'error' in body ? undefined : readableText(row, body.payload)
        const isCompared = text !== undefined && text.length <= comparedCharactersMax
        const { id, sender } = row
        sources.set(seq, { id, seq, sender, ...(isCompared ? { text: `${sender}: ${text}` } : {}) })
      }
    }
    if (!sources.has(seq))
      throw refused(
        `it cites message ${seq}, which is not there`,
        'Cite messages of this session by their numbers, as [12]',
      )
  }
  if (mayRead && sources.size > 0) caller.call?.show(session.id, [...sources.keys()])
  return sources
}

function check(sentence: string, sources: readonly Source[]): void {
  const texts = sources.flatMap(({ text }) => text ?? [])
  if (sources.length === 0 || texts.length < sources.length) return
  const said = sentence.replaceAll(citation, '').replace(listMark, '').trim()
  // Its first word has a capital anyway: who is refused because of it would not know why.
  const checked = said.replace(/\p{L}/u, (letter) => letter.toLowerCase())
  if (isBorneOut(checked, texts.join('\n'))) return
  const numbers = sources.map(({ seq }) => seq).join(', ')
  throw refused(
    `a name or a number of "${said.slice(0, 120)}" is not in what it cites: ${numbers}`,
    'Cite the messages that have them, spelled as they are there, or write the sentence without a citation',
  )
}

function refused(why: string, remedy: string): InputError {
  return new InputError(`Cannot set "summary" as ${why}`, { remedy })
}

function numbersIn(text: string): readonly number[] {
  const numbers = new Set<number>()
  for (const [, list = ''] of text.matchAll(citation)) {
    for (const part of list.split(',')) {
      const [first = 0, last = first] = part.split(/[-–]/u).map(Number)
      if (last - first >= ofSentenceMax) throw tooMany(`[${list}] cites`)
      for (let number = first; number <= last; number++) numbers.add(number)
    }
  }
  if (numbers.size > ofSentenceMax) throw tooMany('a sentence cites')
  return [...numbers]
}

const tooMany = (what: string) => refused(`${what} more than ${ofSentenceMax} messages`, 'Cite the few that say it')
