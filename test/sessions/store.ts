import { afterAll, beforeAll } from 'vitest'

import type { MessageInput } from '../../src/capture/prepare-message.ts'
import { openVerbatim } from '../../src/compose.ts'
import { localCaller } from '../../src/model/access.ts'
import { newId } from '../../src/model/ids.ts'
import type { MessageDocument, SessionDocument } from '../../src/sessions/document.ts'
import type { Verbatim } from '../../src/verbatim.ts'
import { StoreFixture } from '../embedded/store-fixture.ts'
import { quietConfig } from '../support/quiet-config.ts'
import { isOnServer, makeDatabase } from '../support/test-store.ts'

export const caller = localCaller('test')

/** A real store of its own for one test file. */
export class Store {
  readonly fixture = new StoreFixture()
  verbatim: Verbatim | undefined
  /** Of a server. */
  databaseUrl: string | undefined

  get open(): Verbatim {
    if (this.verbatim === undefined) throw new Error('the store is opened before the first test')
    return this.verbatim
  }

  /** Saves messages of one sender into a new session and gives its id. */
  async session(messages: readonly Partial<MessageInput>[]): Promise<string> {
    const { session_id: id } = await this.open.saveMessages(caller, {
      sessionId: `own ${newId()}`,
      messages: messages.map((message) => ({ content: '', sender: 'Ann', role: 'user', ...message })),
    })
    return id
  }

  /** All pages of a session under a budget. */
  async pages(
    sessionId: string,
    options: { readonly maxTokens: number; readonly view?: 'full' | 'compact'; readonly limit?: number },
  ): Promise<SessionDocument[]> {
    const pages: SessionDocument[] = []
    let cursor: string | undefined
    do {
      const { view = 'full', limit = 500, maxTokens } = options
      const page = await this.open.getSession(caller, { sessionId, limit, maxTokens, view, cursor })
      pages.push(page)
      cursor = page.next_cursor
      if (pages.length > 5_000) throw new Error('the pages do not end')
    } while (cursor !== undefined)
    return pages
  }

  /** Alters the stored bytes of a message, as a broken disk would. */
  async damage(messageId: string): Promise<void> {
    await this.open.stores.database.run(
      (sql) => sql`update messages set payload = ${Buffer.from('"altered"')} where id = ${messageId}`,
    )
  }
}

export function useStore(settings: Readonly<Record<string, string>> = {}): Store {
  const store = new Store()
  let drop: (() => Promise<void>) | undefined
  beforeAll(async () => {
    const database = isOnServer ? await makeDatabase() : undefined
    drop = database?.drop
    store.databaseUrl = database?.url
    store.verbatim = await openVerbatim(quietConfig(store.fixture.home, database?.url, settings))
  })
  afterAll(async () => {
    await store.verbatim?.[Symbol.asyncDispose]()
    await store.fixture.dispose()
    await drop?.()
  }, 30_000)
  return store
}

/** The JSON of the contents, by number, pieces put together. */
export function contentsOf(pages: readonly SessionDocument[]): Map<number, string> {
  const contents = new Map<number, string>()
  for (const { seq, content, content_part: part } of pages.flatMap(({ messages }) => messages))
    contents.set(seq, (contents.get(seq) ?? '') + (part?.text ?? JSON.stringify(content)))
  return contents
}

export function messagesOf(pages: readonly SessionDocument[]): MessageDocument[] {
  return pages.flatMap(({ messages }) => messages)
}
