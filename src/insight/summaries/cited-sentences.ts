import { InputError } from '../../errors.ts'
import { readableText } from '../../sessions/document.ts'
import { messageBody } from '../../sessions/message-body.ts'
import type { ReadDependencies } from '../../sessions/session-page.ts'
import type { SessionKey } from '../../store/messages.ts'
import { pagedMessages } from '../../store/page-messages.ts'
import type { SummarySentence } from '../../store/summaries/summaries.ts'
import { isBorneOut } from './by-model/borne-out.ts'

/** "[12]", "[3, 5]", "[3-5]": numbers of messages. Not what stands in brackets in code and in links. */
const citation = /(?<![\p{L}\p{N}_)\]])\[(\d{1,12}(?:\s*[-–,]\s*\d{1,12})*)\](?!\()/gu
/** Of one sentence; a range that is longer says nothing of where it comes from. */
const citedMax = 20

/**
 * The sentences of a summary that a calling model wrote, a line each, with the messages that they cite by number in brackets. Throws
 * InputError where one is cited that is not there, or that lacks a name or a number of its sentence. What cites nothing is taken as it is.
 */
export async function citedSentences(
  dependencies: ReadDependencies,
  key: SessionKey,
  summary: string,
): Promise<readonly SummarySentence[]> {
  const sentences: SummarySentence[] = []
  for (const text of summary.split('\n').filter((line) => line.trim().length > 0)) {
    const sources = await sourcesOf(dependencies, key, numbersIn(text))
    check(text, sources)
    sentences.push({
      text,
      message_ids: sources.map(({ id }) => id),
      ...(sources.length === 0 ? {} : { sources: sources.map(({ seq, sender }) => ({ seq, sender })) }),
    })
  }
  return sentences
}

interface Source {
  readonly id: string
  readonly seq: number
  readonly sender: string
  readonly text: string
}

async function sourcesOf(
  { database, archive }: ReadDependencies,
  key: SessionKey,
  numbers: readonly number[],
): Promise<Source[]> {
  const sources: Source[] = []
  for (const seq of numbers) {
    let source: Source | undefined
    for await (const rows of pagedMessages(database, key, { fromSeq: seq, toSeq: seq, usable: true })) {
      for (const row of rows) {
        const body = await messageBody(archive, row)
        if ('error' in body) continue
        source = { id: row.id, seq, sender: row.sender, text: `${row.sender}: ${readableText(row, body.payload)}` }
      }
    }
    if (source === undefined)
      throw refused(
        `it cites message ${seq}, which is not there`,
        'Cite messages of this session by their numbers, as [12]',
      )
    sources.push(source)
  }
  return sources
}

function check(sentence: string, sources: readonly Source[]): void {
  if (sources.length === 0) return
  const said = sentence.replaceAll(citation, '').trim()
  // Its first word has a capital anyway: who is refused because of it would not know why.
  const checked = said.replace(/\p{L}/u, (letter) => letter.toLowerCase())
  if (isBorneOut(checked, sources.map(({ text }) => text).join('\n'))) return
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
      if (last - first >= citedMax)
        throw refused(`[${list}] cites more than ${citedMax} messages`, 'Cite the few that say it')
      for (let number = first; number <= last; number++) numbers.add(number)
    }
  }
  if (numbers.size > citedMax)
    throw refused(`a sentence cites more than ${citedMax} messages`, 'Cite the few that say it')
  return [...numbers]
}
