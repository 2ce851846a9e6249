import { InputError, LimitError } from '../../../errors.ts'
import { detectLanguage } from '../../../indexing/terms/language.ts'
import { limits } from '../../../limits.ts'
import type { Caller } from '../../../model/access.ts'
import type { SearchDependencies } from '../../../search/search.ts'
import type { ReadDependencies } from '../../../sessions/session-page.ts'
import type { CitedSummary, SummaryCheck } from '../../../sessions/update-session.ts'
import type { SessionKey } from '../../../store/messages.ts'
import { correctionOf } from '../../../store/rights/corrections.ts'
import type { SessionRow } from '../../../store/session-row.ts'
import type { SummarySentence } from '../../../store/summaries/summaries.ts'
import { isBorneOut } from '../../checks/borne-out.ts'
import { citedMax, numbersOf, rangesCited, withoutCitations } from '../cited-numbers.ts'
import { checkedText, claimOf, type Claim } from './claim.ts'
import { comparedMessages } from './compared-messages.ts'
import { findSources, type FoundSources } from './find-sources.ts'
import type { FoundMessage } from './source-finder.ts'

/** Names of a sentence, and characters of one, that its writer is told of. */
const namesToldMax = 5
const nameToldCharacters = 80

/** A message that is cited. */
interface Source extends FoundMessage {
  /** Absent where it is not to be compared. */
  readonly text?: string
}

/**
 * The sentences of a summary that a calling model wrote, a line each, with the messages that they cite by number in brackets. Throws
 * InputError where one is cited that is not there, or that lacks a name or a number of its sentence, and LimitError where too many are. For
 * what cites nothing the messages are looked for that bear it out. To who may not read the messages it says nothing of what is in them.
 */
export async function citedSentences(
  dependencies: ReadDependencies & SearchDependencies,
  caller: Caller,
  cited: { readonly session: SessionRow; readonly summary: string },
): Promise<CitedSummary> {
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
  const given = sentences.map(({ text, numbers: own }) => {
    const found = own.flatMap((number) => sources.get(number) ?? [])
    check(text, found)
    return withSources(text, found)
  })
  return mayRead(caller, cited.session)
    ? await withFound(dependencies, caller, { ...cited, given })
    : { sentences: given }
}

/** An answer that depends on the words would tell them, guess by guess, to who may not read them. */
function mayRead(caller: Caller, session: SessionRow): boolean {
  return caller.view === undefined && caller.readsNothing !== true && !session.restricted
}

function withSources(text: string, found: readonly FoundMessage[]): SummarySentence {
  return {
    text,
    message_ids: found.map(({ id }) => id),
    ...(found.length === 0 ? {} : { sources: found.map(({ seq, sender }) => ({ seq, sender })) }),
  }
}

/** The sentences, those that cite nothing with what bears them out, and what is to be said of these. */
async function withFound(
  dependencies: SearchDependencies,
  caller: Caller,
  {
    session,
    summary,
    given,
  }: { readonly session: SessionRow; readonly summary: string; readonly given: readonly SummarySentence[] },
): Promise<CitedSummary> {
  const language = detectLanguage(summary)
  const claims = given.flatMap(({ text, message_ids: ids }, at) =>
    ids.length > 0 ? [] : (claimOf(text, { number: at + 1, language }) ?? []),
  )
  if (claims.length === 0) return { sentences: given }
  const looked = claims.slice(0, limits.summaryLookSentencesMax)
  const found = await findSources(dependencies, caller, { session, claims: looked })
  const seqs = [...found.values()].flatMap(({ messages }) => messages.map(({ seq }) => seq))
  if (seqs.length > 0) caller.call?.show(session.id, seqs)
  const claimAt = new Map(claims.map((claim) => [claim.number - 1, claim]))
  const sentences = given.map((sentence, at) => {
    const claim = claimAt.get(at)
    const sources = claim === undefined ? undefined : found.get(claim)
    if (sources === undefined) return sentence
    const looked_for =
      sources.messages.length > 0 ? 'found' : sources.unknown.length > 0 ? 'names_unknown' : 'not_found'
    return { ...withSources(sentence.text, sources.messages), looked_for } as const
  })
  return { sentences, check: checkOf(claims, found) }
}

/** What the writer is told. */
function checkOf(claims: readonly Claim[], found: ReadonlyMap<Claim, FoundSources>): SummaryCheck {
  const looked = claims.flatMap((claim) => {
    const sources = found.get(claim)
    return sources === undefined ? [] : [{ sentence: claim.number, ...sources }]
  })
  const none = looked.filter(({ messages }) => messages.length === 0)
  const unknown = none.filter((one) => one.unknown.length > 0)
  const notLooked = claims.filter((claim) => !found.has(claim))
  return {
    citations_found: looked
      .filter(({ messages }) => messages.length > 0)
      .map(({ sentence, messages }) => ({ sentence, messages: messages.map(({ seq }) => seq) })),
    not_borne_out: none.map(({ sentence }) => sentence),
    ...(unknown.length === 0
      ? {}
      : {
          not_in_session: unknown.map(({ sentence, unknown: names }) => ({
            sentence,
            names: names.slice(0, namesToldMax).map((name) => name.slice(0, nameToldCharacters)),
          })),
        }),
    ...(notLooked.length === 0 ? {} : { not_looked_for: notLooked.map(({ number }) => number) }),
  }
}

async function sourcesOf(
  dependencies: ReadDependencies,
  caller: Caller,
  { session, numbers }: { readonly session: SessionRow; readonly numbers: ReadonlySet<number> },
): Promise<ReadonlyMap<number, Source>> {
  const key = { tenantId: caller.tenantId, sessionId: session.id }
  const readsAll = mayRead(caller, session)
  const sources = new Map<number, Source>()
  for (const seq of numbers) {
    const stretch = { fromSeq: seq, toSeq: seq, usable: !session.restricted, withText: readsAll }
    for await (const { id, sender, text, isCut } of comparedMessages(dependencies, key, stretch)) {
      const isCompared = text !== undefined && !isCut
      sources.set(seq, { id, seq, sender, ...(isCompared ? { text } : {}) })
    }
    if (!sources.has(seq)) throw await notToCite(dependencies, key, seq)
  }
  if (readsAll && sources.size > 0) caller.call?.show(session.id, [...sources.keys()])
  return sources
}

async function notToCite({ database }: ReadDependencies, key: SessionKey, seq: number): Promise<InputError> {
  const correction = await database.run((sql) => correctionOf(sql, key, seq))
  if (correction === undefined)
    return refused(
      `it cites message ${seq}, which is not there`,
      'Cite messages of this session by their numbers, as [12]',
    )
  return refused(
    `it cites message ${seq}, which was corrected by message ${correction}`,
    `Write what message ${correction} says, and cite that`,
  )
}

function check(sentence: string, sources: readonly Source[]): void {
  const texts = sources.flatMap(({ text }) => text ?? [])
  if (sources.length === 0 || texts.length < sources.length) return
  const said = withoutCitations(sentence)
  if (isBorneOut(checkedText(said), texts.join('\n'))) return
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
  const ranges = rangesCited(text)
  const numbers = numbersOf(ranges)
  if (numbers !== undefined) return numbers
  const long = ranges.find((range) => numbersOf([range]) === undefined)
  throw refused(
    `${long === undefined ? 'a sentence' : `[${long.first}-${long.last}]`} cites more than ${citedMax} messages`,
    'Cite the few that say it',
  )
}
