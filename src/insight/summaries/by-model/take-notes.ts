import { newId } from '../../../model/ids.ts'
import type { ReadingMark } from '../../../store/erasure/keep-from-erasure.ts'
import type { SessionKey } from '../../../store/messages.ts'
import { dropCoveredSegments, saveMade, sealSummary } from '../../../store/summaries/save-summary.ts'
import type { Summary } from '../../../store/summaries/summaries.ts'
import type { WeighedPiece, WeighedStretch } from '../../../store/summaries/weigh-messages.ts'
import { inTransaction } from '../../../store/transaction.ts'
import type { MessageToSummarize } from '../../extracts/candidates.ts'
import { summarizeExtractive } from '../../extracts/extract.ts'
import { canBeNamed, makingWithout } from '../still-unreadable.ts'
import { readPiece } from './read-piece.ts'
import { materialOf } from './show-material.ts'
import { writeSentences, type Written, type WritingDependencies, type WrittenSentence } from './write-sentences.ts'
import { notesSentencesMax, notesTask } from './writing-tasks.ts'

/** What is noted of a segment of a session. */
export interface Notes {
  readonly firstSeq: number
  readonly lastSeq: number
  readonly sentences: readonly WrittenSentence[]
  readonly messagesRead: number
  readonly leftOut: number
  /** The numbers of messages that could not be read: the notes are taken again when one of them can be. */
  readonly unreadable: readonly number[]
  readonly dropped: number
  /** How often notes were put together to make them. */
  readonly height: number
}

export interface NotingOptions {
  readonly signal: AbortSignal
  /** Of when the session began to be read; undefined where notes are not to be stored. */
  readonly read: ReadingMark | undefined
}

/** Of what is quoted where a model noted nothing that could be taken. */
const quotedTokens = 600
/** Has a model take notes of a piece, and stores them. What it notes without a message that bears it out is quoted instead. */
export async function notePiece(
  dependencies: WritingDependencies,
  key: SessionKey,
  piece: WeighedPiece & Pick<WeighedStretch, 'since' | 'until'> & NotingOptions,
): Promise<Notes> {
  const { turns: shown, ...counts } = await readPiece(dependencies, key, piece)
  const written = await note(dependencies, key, { notes: [], shown, signal: piece.signal })
  const sentences = written.sentences.length > 0 ? written.sentences : await quoted(shown, key.sessionId)
  const { firstSeq, lastSeq } = piece
  const notes = { firstSeq, lastSeq, sentences, ...counts, dropped: written.dropped, height: 0 }
  if (piece.read !== undefined && canBeNamed(notes.unreadable))
    await store(dependencies, key, { ...notes, read: piece.read })
  return notes
}

/** Has a model put notes that follow each other together, and stores what comes in their place. */
export async function mergeNotes(
  dependencies: WritingDependencies,
  key: SessionKey,
  { merged, signal, read }: NotingOptions & { readonly merged: readonly Notes[] },
): Promise<Notes> {
  const all = merged.map(({ sentences }) => sentences)
  const written = await note(dependencies, key, { notes: all, shown: [], signal })
  const sum = (of: (notes: Notes) => number) => merged.reduce((total, notes) => total + of(notes), 0)
  const notes = {
    firstSeq: Math.min(...merged.map(({ firstSeq }) => firstSeq)),
    lastSeq: Math.max(...merged.map(({ lastSeq }) => lastSeq)),
    // The first of each say more than nothing.
    sentences: written.sentences.length > 0 ? written.sentences : all.flatMap((sentences) => sentences.slice(0, 2)),
    messagesRead: sum(({ messagesRead }) => messagesRead),
    leftOut: sum(({ leftOut }) => leftOut),
    unreadable: merged.flatMap(({ unreadable }) => unreadable),
    dropped: sum(({ dropped }) => dropped) + written.dropped,
    height: Math.max(...merged.map(({ height }) => height)) + 1,
  }
  if (read !== undefined && canBeNamed(notes.unreadable)) await store(dependencies, key, { ...notes, read })
  return notes
}

interface Noted {
  readonly notes: readonly (readonly WrittenSentence[])[]
  readonly shown: readonly MessageToSummarize[]
  readonly signal: AbortSignal
}

async function note(
  dependencies: WritingDependencies,
  { tenantId, sessionId }: SessionKey,
  { notes, shown, signal }: Noted,
): Promise<Written> {
  const material = materialOf(notes, { turns: shown, sessionId })
  if (material.places.size === 0) return { sentences: [], dropped: 0 }
  const writing = { tenantId, task: notesTask, sentencesMax: notesSentencesMax, signal }
  return await writeSentences(dependencies, material, writing)
}

async function quoted(shown: readonly MessageToSummarize[], sessionId: string): Promise<WrittenSentence[]> {
  const { sentences } = await summarizeExtractive(shown, { style: 'detailed', maxTokens: quotedTokens })
  return sentences.map(({ text, messageId, seq, sender }) => ({
    text,
    sources: [{ sessionId, messageId, seq, sender }],
  }))
}

async function store(
  { database, generator }: WritingDependencies,
  key: SessionKey,
  { read, ...notes }: Notes & { readonly read: ReadingMark },
): Promise<void> {
  const seal = await database.vault.sealOf(key.tenantId, key.sessionId, 'summarize')
  const segment = sealSummary(
    {
      id: newId(),
      sessionId: key.sessionId,
      level: 'segment',
      style: 'notes',
      firstSeq: notes.firstSeq,
      lastSeq: notes.lastSeq,
      sentences: storedSentences(notes.sentences),
      madeBy: madeByOf(generator.provider),
      model: generator.model,
      making: {
        max_tokens: 0,
        messages_read: notes.messagesRead,
        messages_left_out: notes.leftOut,
        sentences_dropped: notes.dropped,
        height: notes.height,
        ...makingWithout(notes.unreadable),
      },
    },
    seal,
  )
  await database.run((sql) => inTransaction(sql, (transaction) => saveMade(transaction, key, { ...segment, read })))
  await database.run((sql) => dropCoveredSegments(sql, key, segment))
}

/** `gemini`, or `openai_compatible`. */
export function madeByOf(provider: string): string {
  return provider.replaceAll('-', '_')
}

/** Sentences that a model wrote as they are stored with their summary. */
export function storedSentences(sentences: readonly WrittenSentence[]): Summary['sentences'] {
  return sentences.map(({ text, sources }) => ({
    text,
    message_ids: sources.map(({ messageId }) => messageId),
    sources: sources.map(({ seq, sender }) => ({ seq, sender })),
  }))
}

/** The same as they were written. */
export function writtenSentences({ sentences, sessionId }: Summary): WrittenSentence[] {
  return sentences.map(({ text, message_ids: ids, sources = [] }) => ({
    text,
    sources: sources.flatMap(({ seq, sender }, at) => {
      const messageId = ids[at]
      return messageId === undefined || sessionId === null ? [] : [{ sessionId, messageId, seq, sender }]
    }),
  }))
}

export function notesOf(segment: Summary): Notes {
  const { firstSeq, lastSeq, making } = segment
  return {
    firstSeq: firstSeq ?? 1,
    lastSeq: lastSeq ?? 0,
    sentences: writtenSentences(segment),
    messagesRead: making?.messages_read ?? 0,
    leftOut: making?.messages_left_out ?? 0,
    unreadable: making?.unreadable ?? [],
    dropped: making?.sentences_dropped ?? 0,
    height: making?.height ?? 0,
  }
}
