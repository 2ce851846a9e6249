import { randomUUID } from 'node:crypto'

import { limits } from '../src/limits.ts'
import type { BenchHome } from './bench-home.ts'
import { makeMessages, type Corpus } from './corpus.ts'
import type { Figure } from './figure.ts'

export const sessionMessages = 1_000

/** Where a message is, for reading it again. */
export interface StoredMessage {
  readonly id: string
  readonly sessionId: string
  readonly seq: number
}

/** A store that grows: the same one is measured at each size. */
export class GrowingStore {
  readonly home: BenchHome
  readonly stored: StoredMessage[] = []
  readonly #texts: Generator<string, never>
  #sessionId = randomUUID()
  #sessionCount = 0

  constructor(home: BenchHome, corpus: Corpus) {
    this.home = home
    this.#texts = makeMessages(corpus, 7)
  }

  async save(count: number): Promise<void> {
    if (this.#sessionCount >= sessionMessages) {
      this.#sessionId = randomUUID()
      this.#sessionCount = 0
    }
    this.#sessionCount += count
    const verbatim = await this.home.verbatim()
    const messages = Array.from({ length: count }, (_, index) => ({
      content: this.#texts.next().value,
      sender: index % 2 === 0 ? 'user' : 'assistant',
      role: index % 2 === 0 ? ('user' as const) : ('assistant' as const),
    }))
    const saved = await verbatim.saveMessages(this.home.caller, { sessionId: this.#sessionId, messages })
    for (const { message_id: id, seq } of saved.messages) this.stored.push({ id, sessionId: saved.session_id, seq })
  }

  /** What happens to a store that nobody asks anything for ten minutes: a VACUUM, and the next client starts a daemon. */
  async #settle(): Promise<void> {
    await this.home.sql`vacuum (analyze)`
    await this.home.sql`checkpoint`
    await this.home.endDaemon()
  }

  /** Fills the store up to a number of messages in the largest batches, and waits until all can be found. */
  async grow(size: number): Promise<Figure[]> {
    const added = size - this.stored.length
    const startedAt = performance.now()
    while (this.stored.length < size) await this.save(Math.min(limits.batchMessagesMax, size - this.stored.length))
    const savedMs = performance.now() - startedAt
    const behind = await this.home.messagesBehind()
    await this.home.waitUntilIndexed()
    const indexedMs = performance.now() - startedAt
    await this.#settle()
    const rate = (name: string, messages: number, tookMs: number): Figure => ({
      name: `${sizeLabel(size)}: ${name}`,
      value: messages / (tookMs / 1000),
      unit: 'messages/s',
      samples: messages,
    })
    return [
      rate(`saved in batches of ${limits.batchMessagesMax}, index running`, added, savedMs),
      ...(behind === 0 ? [] : [rate('index catching up, nothing else running', behind, indexedMs - savedMs)]),
      rate('saved and indexed', added, indexedMs),
    ]
  }
}

/** The name of a size in figures. */
export function sizeLabel(size: number): string {
  return `${size / 1_000}k`
}
