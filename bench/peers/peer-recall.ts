import { encode } from 'gpt-tokenizer/encoding/o200k_base'

import { timed } from '../measure.ts'
import type { Dataset, Question } from '../recall/dataset.ts'
import { scoreAnswer, type Scored } from '../recall/metrics.ts'
import type { PeerProcess } from './peer-process.ts'
import type { CallTool, Found, Peer, PeerMessage } from './peer.ts'

export interface PeerRecall {
  readonly scored: readonly Scored[]
  /** Of the same questions, asked word by word; none where the peer takes questions. */
  readonly scoredByWords: readonly Scored[]
  readonly saveMs: readonly number[]
  readonly searchMs: readonly number[]
  /** Tokens of each reply. */
  readonly replyTokens: readonly number[]
}

const wordPattern = /[\p{L}\p{N}]{4,}/gu

/** Messages by how many words of the question find them; of equals the one that was found first. */
async function searchByWords(peer: Peer, call: CallTool, question: string): Promise<readonly string[]> {
  const words = new Set(question.toLowerCase().match(wordPattern))
  const counts = new Map<string, number>()
  for (const word of words) {
    const { refs } = await peer.search(call, word)
    for (const ref of new Set(refs)) counts.set(ref, (counts.get(ref) ?? 0) + 1)
  }
  return [...counts].toSorted(([, a], [, b]) => b - a).map(([ref]) => ref)
}

function scoreOf(question: Question, refs: readonly string[]): Scored {
  return scoreAnswer(question, { ranked: refs.slice(0, 10), sessions: [] }, () => 0)
}

function messagesOf(dataset: Dataset, conversation: string): PeerMessage[] {
  const sessions = dataset.conversations.find(({ id }) => id === conversation)?.sessions ?? []
  return sessions.flatMap(({ messages }) => messages)
}

/** Saves one conversation message by message, then asks the questions about it. The store holds nothing else. */
export async function measureConversation(
  peer: Peer,
  process: PeerProcess,
  of: { readonly dataset: Dataset; readonly conversation: string; readonly questions: readonly Question[] },
): Promise<PeerRecall> {
  const saveMs: number[] = []
  for (const message of messagesOf(of.dataset, of.conversation))
    saveMs.push(await timed(() => peer.save(process.call, message)))
  await peer.settle?.(process.call)
  const scored: Scored[] = []
  const scoredByWords: Scored[] = []
  const searchMs: number[] = []
  const replyTokens: number[] = []
  for (const question of of.questions) {
    const startedAt = performance.now()
    const found: Found = await peer.search(process.call, question.question)
    searchMs.push(performance.now() - startedAt)
    replyTokens.push(encode(found.reply).length)
    scored.push(scoreOf(question, found.refs))
    if (peer.isAskedByWords)
      scoredByWords.push(scoreOf(question, await searchByWords(peer, process.call, question.question)))
  }
  return { scored, scoredByWords, saveMs, searchMs, replyTokens }
}
