import { limits } from '../../../limits.ts'
import type { SummaryStyle } from '../../../model/summary-style.ts'
import type { ReadingMark } from '../../../store/erasure/keep-from-erasure.ts'
import type { SessionKey } from '../../../store/messages.ts'
import { segmentSummaries } from '../../../store/summaries/summaries.ts'
import {
  cutByWeight,
  weighMessages,
  type WeighedPiece,
  type WeighedStretch,
} from '../../../store/summaries/weigh-messages.ts'
import { cover, nextToMerge } from '../cover.ts'
import { lacksAsBefore } from '../still-unreadable.ts'
import { readPiece } from './read-piece.ts'
import { materialOf } from './show-material.ts'
import { mergeNotes, notePiece, notesOf, type Notes, type NotingOptions } from './take-notes.ts'
import { writeSentences, type Written, type WritingDependencies } from './write-sentences.ts'
import { summaryTask } from './writing-tasks.ts'

export interface SummaryByModel extends Written {
  readonly messagesRead: number
  /** Messages that the model was not shown, as they hold secrets or read like instructions. */
  readonly leftOut: number
  /** The numbers of messages that could not be read. */
  readonly unreadable: readonly number[]
}

export interface ByModelRequest extends WeighedStretch {
  readonly style: SummaryStyle
  readonly maxTokens: number
  readonly signal: AbortSignal
  /** Of when the session began to be read. */
  readonly read: ReadingMark
}

/** Calls of a model that are under way at once. */
const callsAtOnce = 4

/** Whether notes are stored: what is within a stretch of somebody's choice is no segment for others. */
export function keepsNotes({ fromSeq, since, until }: WeighedStretch): boolean {
  return fromSeq === 1 && since === undefined && until === undefined
}

/**
 * Has a model summarise a session, or a stretch of it. Of each segment of a session notes are taken once and stored; a summary is
 * made of the notes and of the messages that follow them. A first summary of a session of whatever length takes notes of a
 * bounded number of segments: of longer ones the model is shown the most telling sentences. Notes that were taken stay where
 * something fails after them. Throws ProviderError, or the reason of the signal.
 */
export async function summarizeByModel(
  dependencies: WritingDependencies,
  key: SessionKey,
  request: ByModelRequest,
): Promise<SummaryByModel> {
  const { style, maxTokens, signal, since, until } = request
  const { notes, pieces, open } = await plan(dependencies, key, request)
  const noting = { signal, read: keepsNotes(request) ? request.read : undefined }
  for (let at = 0; at < pieces.length; at += callsAtOnce) {
    const group = pieces.slice(at, at + callsAtOnce)
    const taken = await Promise.allSettled(
      group.map((piece) => notePiece(dependencies, key, { ...piece, since, until, ...noting })),
    )
    for (const one of taken) {
      if (one.status === 'rejected') throw one.reason
      notes.push(one.value)
    }
  }
  const few = await putTogether(dependencies, key, { notes, ...noting })
  const shown = open === undefined ? undefined : await readPiece(dependencies, key, { ...open, since, until })
  const sum = (of: (one: Notes) => number) => few.reduce((total, one) => total + of(one), 0)
  const read = {
    messagesRead: sum(({ messagesRead }) => messagesRead) + (shown?.messagesRead ?? 0),
    leftOut: sum(({ leftOut }) => leftOut) + (shown?.leftOut ?? 0),
    unreadable: [...few.flatMap(({ unreadable }) => unreadable), ...(shown?.unreadable ?? [])],
  }
  const material = materialOf(
    few.map(({ sentences }) => sentences),
    shown === undefined ? undefined : { turns: shown.turns, sessionId: key.sessionId },
  )
  if (material.places.size === 0) return { sentences: [], dropped: 0, ...read }
  const task = summaryTask(style, maxTokens)
  const written = await writeSentences(dependencies, material, { tenantId: key.tenantId, ...task, signal })
  return { ...written, dropped: written.dropped + sum(({ dropped }) => dropped), ...read }
}

interface Plan {
  readonly notes: Notes[]
  /** Of which notes are to be taken. */
  readonly pieces: readonly WeighedPiece[]
  /** The last messages, where they are too few for a segment: they are shown as they are. */
  readonly open: WeighedPiece | undefined
}

async function plan(dependencies: WritingDependencies, key: SessionKey, request: ByModelRequest): Promise<Plan> {
  const { database } = dependencies
  const { fromSeq, toSeq, since, until } = request
  const isTimed = since !== undefined || until !== undefined
  const stored = isTimed ? [] : await storedNotes(dependencies, key, { fromSeq, toSeq })
  const parts = cover(stored, { fromSeq, toSeq })
  const gaps = parts.flatMap((part) => ('gap' in part ? [{ ...part.gap, since, until }] : []))
  let weight = 0
  for (const gap of gaps) weight += await database.run((sql) => weighMessages(sql, key, gap))
  const pieceWeight = Math.max(limits.summaryPieceCharacters, Math.ceil(weight / limits.summaryPiecesMax))
  const pieces: WeighedPiece[] = []
  for (const gap of gaps) pieces.push(...(await database.run((sql) => cutByWeight(sql, key, { ...gap, pieceWeight }))))
  const end = parts.at(-1)
  const last = pieces.at(-1)
  const isAtEnd = last !== undefined && end !== undefined && 'gap' in end && last.firstSeq >= end.gap.fromSeq
  const open = isAtEnd && last.weight < limits.summaryPieceCharacters ? last : undefined
  return {
    notes: parts.flatMap((part) => ('notes' in part ? [part.notes] : [])),
    pieces: open === undefined ? pieces : pieces.slice(0, -1),
    open,
  }
}

/** Those that are as good as new ones. */
async function storedNotes(
  dependencies: WritingDependencies,
  key: SessionKey,
  stretch: Pick<ByModelRequest, 'fromSeq' | 'toSeq'>,
): Promise<readonly Notes[]> {
  const notes: Notes[] = []
  for (const segment of await segmentSummaries(dependencies.database, key, { ...stretch, style: 'notes' }))
    if (await lacksAsBefore(dependencies, key, segment.making ?? {})) notes.push(notesOf(segment))
  return notes
}

/** Notes in their order, as few as one summary is made of. */
async function putTogether(
  dependencies: WritingDependencies,
  key: SessionKey,
  { notes, ...noting }: NotingOptions & { readonly notes: readonly Notes[] },
): Promise<readonly Notes[]> {
  const few = notes.toSorted((a, b) => a.firstSeq - b.firstSeq)
  while (few.length > limits.summaryPiecesMax) {
    const next = nextToMerge(few)
    if (next === undefined) break
    const merged = few.slice(next.at, next.at + next.count)
    few.splice(next.at, next.count, await mergeNotes(dependencies, key, { merged, ...noting }))
  }
  return few
}
