import { randomBytes } from 'node:crypto'

import postgres from 'postgres'
import { describe, expect, inject, it } from 'vitest'

import { archiveAll } from '../../src/archive/archive-all.ts'
import { createLog } from '../../src/log.ts'
import { caller, useStore, type Store } from '../sessions/store.ts'
import { filesWith } from '../support/files-with.ts'
import { blocksOf } from '../support/guide.ts'
import { directoriesOf } from '../support/server-files.ts'
import { isOnServer } from '../support/test-store.ts'

const root = randomBytes(32).toString('hex')
const stores = {
  'not encrypted': useStore({ VERBATIM_ENCRYPTION: 'off' }),
  encrypted: useStore({ VERBATIM_ENCRYPTION: 'on', VERBATIM_ROOT_KEY: root }),
} as const

/** The statements that docs/erasure.md gives to who owns a server. */
function documentedStatements(): string[] {
  const [block = ''] = blocksOf('erasure.md', 'Disks', 'sql')
  return block.split(/;\n(?! )/).filter((statement) => statement.trim() !== '')
}

async function indexAndArchive(store: Store): Promise<void> {
  await expect
    .poll(async () => (await store.open.status(caller)).index.messages_behind, { timeout: 60_000, interval: 500 })
    .toBe(0)
  const log = createLog('silent')
  expect((await archiveAll({ ...store.open.stores, log }, caller, () => undefined)).problems).toEqual([])
}

describe.each(['not encrypted', 'encrypted'] as const)('the disk of a store that is %s', (kind) => {
  it('holds nothing of what was erased once its files are written anew', { timeout: 300_000 }, async () => {
    const store = stores[kind]
    const { database } = store.open.stores
    const word = `kanarie${randomBytes(9).toString('hex')}`
    const sender = `sender${randomBytes(9).toString('hex')}`
    const stays = `bleibt${randomBytes(9).toString('hex')}`
    const kept = await store.session([{ content: `${stays} and more` }])
    const ids: string[] = []
    for (let n = 0; n < 3; n++) {
      const messages = Array.from({ length: 200 }, (_, place) => ({
        content: `${word} ${place} ${'and some more '.repeat(place % 90)}`,
        sender,
        role: 'user' as const,
        metadata: { note: word },
      }))
      const { session_id: sessionId } = await store.open.saveMessages(caller, { messages })
      await store.open.updateSession(caller, {
        sessionId,
        title: `${word} title`,
        tags: [word],
        summary: `${word} summary`,
      })
      ids.push(sessionId)
    }
    const large = await store.session([{ content: `${word} ${'z'.repeat(2 * 1024 * 1024)}`, sender }])
    await indexAndArchive(store)
    await using admin = isOnServer ? administrator() : undefined
    const places = await placesOf(store, admin)
    const run = async (statement: string) =>
      admin === undefined
        ? await database.run((sql) => sql.unsafe(statement))
        : await admin.inDatabase(store.databaseUrl, [statement])
    // What the planner notes of values is on the disk too, and log that was written long ago.
    await run('analyze')
    await run('checkpoint')
    expect(filesWith(places, sender)).not.toEqual([])
    expect(filesWith(places, word)).not.toEqual([])

    for (const sessionId of [...ids, large]) {
      const preview = await store.open.erasures.forget(caller, { sessionId })
      const confirm = preview.status === 'preview' ? preview.confirm : ''
      expect(await store.open.erasures.forget(caller, { sessionId, confirm })).toMatchObject({ status: 'erased' })
    }
    // A transaction that began before, of the background work or another test, keeps what it might still see.
    await expect
      .poll(() => leftAfterRewrite(store, admin, [word, sender]), {
        timeout: isOnServer ? 60_000 : 1_000,
        interval: 1_000,
      })
      .toEqual([])
    const rest = (await store.pages(kept, { maxTokens: 10_000 })).flatMap(({ messages }) => messages)
    expect(rest.map(({ content }) => content)).toEqual([`${stays} and more`])
    const query = { query: stays, limit: 3, maxTokens: 2_000, mode: 'full_text', context: 0, format: 'json' } as const
    expect((await store.open.search(caller, query)).results).toHaveLength(1)
  })
})

describe('the disk of a store in which a session was anonymised', () => {
  it('holds nothing of what was replaced once its files are written anew', { timeout: 300_000 }, async () => {
    const store = stores['not encrypted']
    const { database } = store.open.stores
    const random = randomBytes(9).toString('hex')
    const email = `kanarie${random}@posteo.de`
    const sender = `Sender${random}`
    const sessionId = await store.session([
      { content: `write to ${email} ${'and so on '.repeat(300)}`, sender, metadata: { contact: email } },
      { content: { name: sender, text: `${email} ${'z'.repeat(2 * 1024 * 1024)}` }, sender },
      { content: 'the lighthouse is lit', sender: 'Bob' },
    ])
    await store.open.updateSession(caller, { sessionId, title: email, tags: [email], summary: `of ${email}` })
    await indexAndArchive(store)
    await using admin = isOnServer ? administrator() : undefined
    const places = await placesOf(store, admin)
    if (admin === undefined) await database.run((sql) => sql`checkpoint`)
    else await admin.inDatabase(store.databaseUrl, ['checkpoint'])
    expect(filesWith(places, email)).not.toEqual([])
    expect(filesWith(places, sender)).not.toEqual([])

    const chosen = { action: 'anonymise', sessionId } as const
    const preview = await store.open.erasures.forget(caller, chosen)
    const confirm = preview.status === 'preview' ? preview.confirm : ''
    expect(await store.open.erasures.forget(caller, { ...chosen, confirm })).toMatchObject({
      status: 'anonymised',
      erased: { anonymised: 3, large_payloads: 1 },
    })
    expect(
      (await archiveAll({ ...store.open.stores, log: createLog('silent') }, caller, () => undefined)).problems,
    ).toEqual([])
    await expect
      .poll(() => leftAfterRewrite(store, admin, [email, sender]), {
        timeout: isOnServer ? 60_000 : 1_000,
        interval: 1_000,
      })
      .toEqual([])
    const [page] = await store.pages(sessionId, { maxTokens: 10_000, limit: 1 })
    expect(page?.messages[0]?.sender).toBe('[person]')
    expect(page).toMatchObject({ title: '[email]', tags: ['[email]'] })
  })
})

/** Where the bytes of a store may be. */
async function placesOf(store: Store, admin: ReturnType<typeof administrator> | undefined): Promise<string[]> {
  return [store.fixture.home, ...(admin === undefined ? [] : await admin.directories(store.databaseUrl))]
}

/** The files that hold one of some words after all were written anew. */
async function leftAfterRewrite(
  store: Store,
  admin: ReturnType<typeof administrator> | undefined,
  words: readonly string[],
): Promise<string[]> {
  if (admin === undefined) await store.open.erasures.rewriteFiles(caller)
  else await admin.inDatabase(store.databaseUrl, documentedStatements())
  const places = await placesOf(store, admin)
  return words.flatMap((word) => filesWith(places, word))
}

/** Whoever runs the server of the tests, with its files at hand. */
function administrator() {
  const { adminUrl } = inject('testServer')
  const sql = postgres(adminUrl, { max: 1, onnotice: () => undefined })
  return {
    directories: (databaseUrl: string | undefined) => directoriesOf(sql, databaseUrl),
    async inDatabase(databaseUrl: string | undefined, statements: readonly string[]): Promise<void> {
      const url = new URL(adminUrl)
      url.pathname = new URL(databaseUrl ?? '').pathname
      const own = postgres(url.href, { max: 1, onnotice: () => undefined })
      for (const statement of statements) await own.unsafe(statement).simple()
      await own.end()
    },
    [Symbol.asyncDispose]: () => sql.end(),
  }
}
