import { extractsNow, isEarlierExtract } from '../../../model/extractors.ts'
import { newId } from '../../../model/ids.ts'
import type { SummaryStyle } from '../../../model/summary-style.ts'
import type { ReadDependencies } from '../../../sessions/session-page.ts'
import type { SessionKey } from '../../../store/messages.ts'
import { sealSummary } from '../../../store/summaries/save-summary.ts'
import { quotableMessages, readSegmentMark, saveExtract } from '../../../store/summaries/segment-extracts.ts'
import { segmentSummaries, type Summary } from '../../../store/summaries/summaries.ts'
import { type Candidate, candidatesOf, type CondensedSentence } from '../../extracts/candidates.ts'
import { Condenser } from '../../extracts/condense.ts'
import type { Stretch } from '../../extracts/sample-stretches.ts'
import { turns } from '../by-model/turns.ts'

/** The sentences that stand for a segment in summaries of a style, and what of it was read for them. */
export interface SegmentExtract {
  readonly sentences: readonly CondensedSentence[]
  readonly messagesRead: number
  readonly leftOut: number
  /** Messages that could not be read. */
  readonly unreadable: number
}

export interface ExtractsRequest {
  readonly style: SummaryStyle
  /** Whether what is made is stored. */
  readonly keep: boolean
  /** How often messages of the session were erased by when it began to be read. */
  readonly erasures: number
}

/** Stored extracts that are in memory at once. */
const extractsAtOnce = 20

/**
 * The sentences that stand for some segments of a session, in order. Those that are stored are taken as they are, as long as no
 * earlier version chose them and each of them may be quoted; the messages of the other segments are read, and theirs are stored.
 */
export async function* segmentExtracts(
  dependencies: ReadDependencies,
  key: SessionKey,
  { segments, ...request }: ExtractsRequest & { readonly segments: readonly Stretch[] },
): AsyncGenerator<SegmentExtract> {
  for (let at = 0; at < segments.length; at += extractsAtOnce) {
    const some = segments.slice(at, at + extractsAtOnce)
    const stored = await storedExtracts(dependencies, key, { segments: some, style: request.style })
    for (const segment of some) {
      const extract = stored.get(segment.fromSeq) ?? (await readSegment(dependencies, key, { segment, ...request }))
      const sentences = extract.sentences.filter(({ styles }) => styles.includes(request.style))
      yield { ...extract, sentences }
    }
  }
}

/** Reads a segment, and stores the sentences that stand for it where each of its messages could be read; `see` is shown each that might. */
export async function readSegment(
  dependencies: ReadDependencies,
  key: SessionKey,
  {
    segment,
    keep,
    erasures,
    see,
  }: Omit<ExtractsRequest, 'style'> & {
    readonly segment: Stretch
    readonly see?: (candidate: Omit<Candidate, 'order'>) => void
  },
): Promise<SegmentExtract> {
  const { database } = dependencies
  const mark = await database.run((sql) => readSegmentMark(sql, key, segment))
  const condenser = new Condenser()
  let messagesRead = 0
  let leftOut = 0
  let unreadable = 0
  const wanted = { ...segment, leaveOut: () => void leftOut++, missOut: () => void unreadable++ }
  for await (const turn of turns(dependencies, key, wanted)) {
    messagesRead++
    for (const candidate of candidatesOf(turn)) {
      condenser.add(candidate)
      see?.(candidate)
    }
  }
  const extract = { sentences: condenser.sentences(), messagesRead, leftOut, unreadable }
  if (keep && unreadable === 0) await store(dependencies, key, { ...extract, segment, mark, erasures })
  return extract
}

async function store(
  { database }: ReadDependencies,
  key: SessionKey,
  extract: SegmentExtract & { readonly segment: Stretch; readonly mark: string; readonly erasures: number },
): Promise<void> {
  const { segment, mark, erasures, messagesRead, leftOut } = extract
  const seal = await database.vault.sealOf(key.tenantId, key.sessionId, 'summarize')
  const sealed = sealSummary(
    {
      id: newId(),
      sessionId: key.sessionId,
      level: 'segment',
      style: 'extract',
      firstSeq: segment.fromSeq,
      lastSeq: segment.toSeq,
      sentences: extract.sentences.map(({ text, messageId, seq, sender, role, language, styles }) => ({
        text,
        message_ids: [messageId],
        sender,
        seq,
        condensed: { role, language, styles },
      })),
      madeBy: 'extractive',
      model: extractsNow,
      making: { max_tokens: 0, messages_read: messagesRead, messages_left_out: leftOut },
    },
    seal,
  )
  await database.run((sql) =>
    saveExtract(sql, key.tenantId, { ...sealed, mark, erasures, seen: messagesRead + leftOut }),
  )
}

/** By the numbers that the segments begin with. */
async function storedExtracts(
  { database }: ReadDependencies,
  key: SessionKey,
  { segments, style }: { readonly segments: readonly Stretch[]; readonly style: SummaryStyle },
): Promise<ReadonlyMap<number, SegmentExtract>> {
  const [fromSeq, toSeq] = [segments[0]?.fromSeq ?? 0, segments.at(-1)?.toSeq ?? 0]
  const ends = new Map(segments.map((segment) => [segment.fromSeq, segment.toSeq]))
  const found = new Map<number, SegmentExtract & { readonly at: string }>()
  for (const summary of await segmentSummaries(database, key, { fromSeq, toSeq, style: 'extract' })) {
    const extract = extractOf(summary)
    if (summary.firstSeq !== null && extract !== undefined && ends.get(summary.firstSeq) === summary.lastSeq)
      found.set(summary.firstSeq, { ...extract, at: summary.createdAt })
  }
  const quoted = [...found.values()].flatMap(({ sentences, at }) => {
    const seqs = new Set(sentences.flatMap(({ seq, styles }) => (styles.includes(style) ? [seq] : [])))
    return [...seqs].map((seq) => ({ seq, at }))
  })
  const quotable =
    quoted.length === 0 ? new Map<number, string>() : await database.run((sql) => quotableMessages(sql, key, quoted))
  for (const [firstSeq, { sentences }] of found) {
    const mayBe = ({ seq, messageId, styles }: CondensedSentence) =>
      !styles.includes(style) || quotable.get(seq) === messageId
    if (!sentences.every(mayBe)) found.delete(firstSeq)
  }
  return found
}

function extractOf({ sentences, making, chosenBy }: Summary): SegmentExtract | undefined {
  if (making === undefined || isEarlierExtract(chosenBy)) return undefined
  const read: CondensedSentence[] = []
  for (const {
    text,
    message_ids: [messageId],
    sender,
    seq,
    condensed,
  } of sentences) {
    if (messageId === undefined || sender === undefined || seq === undefined || condensed === undefined)
      return undefined
    read.push({ text, messageId, seq, sender, ...condensed })
  }
  return { sentences: read, messagesRead: making.messages_read, leftOut: making.messages_left_out ?? 0, unreadable: 0 }
}
