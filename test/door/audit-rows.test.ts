import { setTimeout as sleep } from 'node:timers/promises'

import type { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { EmbeddedConnection } from '../../src/store/embedded/client.ts'
import { useHome } from './support/home.ts'
import { HttpHome } from './support/http-home.ts'
import { Tools } from './support/tools.ts'

const home = useHome()
let server: HttpHome
/** Words that no row may hold. */
const canary = 'zanzibar-kumquat'

beforeAll(async () => {
  server = await HttpHome.start(home, { keep: true })
  database = home.database()
})
afterAll(async () => {
  await database.close()
  await server.stop()
})

interface Row {
  readonly action: string
  readonly tool: string | null
  readonly outcome: string
  readonly reason: string | null
  readonly origin: string | null
  readonly auth_method: string | null
  readonly actor: string
  readonly object_id: string | null
  readonly objects: readonly string[] | null
  readonly request_id: string | null
}

let database: EmbeddedConnection
async function rowsAfter(id: number): Promise<(Row & { id: number })[]> {
  const rows = await database.sql<(Row & { id: number })[]>`
    select id::int, action, tool, outcome, reason, origin, auth_method, actor, object_id, to_json(objects) as objects, request_id
    from audit_log where id > ${id} order by id`
  return [...rows]
}

async function lastId(): Promise<number> {
  return (await rowsAfter(0)).at(-1)?.id ?? 0
}

/** The rows that works leave, which are done one after the other, once there is one of each, and a moment for any that are too many. */
async function rowsOf(...works: readonly (() => Promise<unknown>)[]): Promise<Row[]> {
  await sleep(400)
  const before = await lastId()
  for (const work of works) await work()
  const deadline = Date.now() + 10_000
  while ((await rowsAfter(before)).length < works.length && Date.now() < deadline) await sleep(50)
  await sleep(300)
  return await rowsAfter(before)
}

function byTool<T extends { readonly tool: string | null }>(rows: readonly T[]): T[] {
  return rows.toSorted((a, b) => String(a.tool).localeCompare(String(b.tool)))
}

describe.each(['stdio', 'http'] as const)('over %s', (door) => {
  let kept: Client | undefined
  let session: string
  const auth = door === 'stdio' ? 'local' : 'token'

  /** One that is connected in the test: over HTTP a client ends with it. */
  async function connect(): Promise<Client> {
    if (door === 'http') return (await server.tools()).client
    kept ??= await home.connect()
    return kept
  }

  test('a save leaves one row', async () => {
    const tools = new Tools(await connect())
    const rows = await rowsOf(async () => {
      const saved = await tools.save({
        content: `The ${canary} opens at six.`,
        sender: 'Ann',
        session_id: `own ${canary} ${door}`,
      })
      session = saved.session_id
    })
    expect(rows).toMatchObject([{ action: 'message.save', tool: 'save_message', origin: door, object_id: session }])
  })

  test('each tool leaves one row', async () => {
    const client = await connect()
    const calls: readonly [string, Record<string, unknown>][] = [
      ['save_message', { content: canary, sender: canary, session_id: session, metadata: { note: canary } }],
      ['save_messages', { session_id: session, messages: [{ content: canary, sender: 'Ann' }] }],
      ['search_memory', { query: canary }],
      ['get_session', { session_id: session }],
      ['get_session', { session_id: `own ${canary} ${door}` }],
      ['list_sessions', { participant: canary }],
      ['summarize', { session_id: session }],
      ['recall_context', { session_id: session, text: canary }],
      ['update_session', { session_id: session, title: canary }],
      // A preview: an erasure that is confirmed has rows of its deeds (erasure.test.ts).
      ['forget', { session_id: session }],
    ]
    const deeds = new Map([
      ['save_message', 'message.save'],
      ['save_messages', 'message.save'],
      ['update_session', 'session.update'],
    ])
    const rows = await rowsOf(
      ...calls.map(
        ([name, args]) =>
          () =>
            client.callTool({ name, arguments: args }),
      ),
    )
    const told = calls.map(([name]) => ({
      action: deeds.get(name) ?? 'call.tool',
      tool: name,
      outcome: 'ok',
      origin: door,
      auth_method: auth,
      request_id: expect.any(String),
    }))
    // The row of a deed is written with it, and that of another call after it.
    expect(byTool(rows)).toMatchObject(byTool(told))
  })

  test('what was shown is named by session and number', async () => {
    const client = await connect()
    const [read] = await rowsOf(() =>
      client.callTool({ name: 'get_session', arguments: { session_id: session, limit: 2 } }),
    )
    expect(read).toMatchObject({ object_id: session, objects: [`${session}/1-2`] })
    const [found] = await rowsOf(() =>
      client.callTool({ name: 'search_memory', arguments: { query: canary, session_id: session } }),
    )
    expect(found?.objects?.[0]).toMatch(new RegExp(`^${session}/1-`))
    // Of a session without a title a list shows how it begins.
    const untitled = { session_id: `untitled ${door}`, content: 'The tide is out.', sender: `Ben at ${door}` }
    const [saved] = await rowsOf(() => client.callTool({ name: 'save_message', arguments: untitled }))
    const listed = { participant: untitled.sender }
    const [list] = await rowsOf(() => client.callTool({ name: 'list_sessions', arguments: listed }))
    expect(list?.objects).toEqual([saved?.object_id, `${saved?.object_id}/1-1`])
  })

  test('what a call names is its object, although nothing of it was shown', async () => {
    const client = await connect()
    const own = `own ${canary} ${door}`
    const [preview] = await rowsOf(() => client.callTool({ name: 'forget', arguments: { session_id: own } }))
    expect(preview).toMatchObject({ object_id: session, objects: [session] })
    const kept = { participant: canary, action: 'anonymise' }
    const [several] = await rowsOf(() => client.callTool({ name: 'forget', arguments: kept }))
    expect(several?.objects).toContain(session)
    const nothing = { query: 'nowhere', session_id: own }
    const [searched] = await rowsOf(() => client.callTool({ name: 'search_memory', arguments: nothing }))
    expect(searched).toMatchObject({ tool: 'search_memory', object_id: session })
    // Over HTTP there is nothing to subscribe to.
    if (door === 'http') return
    const subscribe = () => client.subscribeResource({ uri: `session://${session}/summary` })
    const row = { tool: 'resources/subscribe', object_id: session }
    expect(await rowsOf(subscribe, subscribe)).toMatchObject([row, row])
  })

  test('each resource and each prompt leaves one row', async () => {
    const client = await connect()
    const resources = [
      [`session://${session}`, 'session json'],
      [`session://${session}/transcript`, 'session transcript'],
      [`session://${session}/summary`, 'session summary'],
      [`session://${session}/context`, 'session context'],
      ['memory://sessions', 'sessions'],
      ['memory://status', 'status'],
      ['memory://profile', 'profile'],
    ] as const
    expect(
      await rowsOf(
        ...resources.map(
          ([uri]) =>
            () =>
              client.readResource({ uri }),
        ),
        () => client.getPrompt({ name: 'continue_session', arguments: { session_id: session } }),
        () => client.listResources(),
      ),
    ).toMatchObject([
      ...resources.map(([, tool]) => ({ action: 'call.resource', tool, outcome: 'ok' })),
      { action: 'call.prompt', tool: 'continue_session', outcome: 'ok', object_id: session },
      { action: 'call.request', tool: 'resources/list' },
    ])
  })

  test('what fails leaves one row too, without what was sent', async () => {
    const client = await connect()
    const fails = (name: string, args: Record<string, unknown>) => () =>
      Promise.allSettled([client.callTool({ name, arguments: args })])
    expect(
      await rowsOf(
        fails('get_session', { session_id: canary }),
        fails('search_memory', { query: 5, [canary]: canary }),
        fails(canary, {}),
        () => Promise.allSettled([client.readResource({ uri: `session://${canary}` })]),
      ),
    ).toMatchObject([
      { action: 'call.tool', tool: 'get_session', outcome: 'failed', reason: 'not_found' },
      { action: 'call.tool', tool: 'search_memory', outcome: 'failed', reason: 'input' },
      { action: 'call.tool', tool: 'unknown', outcome: 'denied' },
      { action: 'call.resource', outcome: 'failed', reason: 'not_found' },
    ])
  })

  test('no row holds content', async () => {
    const held =
      await database.sql`select row_to_json(a) from audit_log a where row_to_json(a)::text ilike ${`%${canary}%`}`
    expect([...held]).toEqual([])
  })
})

describe('a denial leaves one row', () => {
  test('of a session that is shared with others, of a tool beyond the scopes, and of a token that was revoked', async () => {
    const ada = await server.tools(await server.newToken('--name', 'ada', '--principal', 'ada'))
    const bob = await server.tools(await server.newToken('--name', 'bob', '--principal', 'bob'))
    const { session_id: id } = await ada.save({ content: canary, sender: 'Ada' })
    expect(await rowsOf(() => home.cli(['access', 'grant', id, 'ada', '--role', 'owner']))).toMatchObject([
      { action: 'session.grant', tool: 'access grant', origin: 'cli', outcome: 'ok' },
    ])
    expect(
      await rowsOf(() => bob.refusal('save_message', { session_id: id, content: 'x', sender: 'Bob' })),
    ).toMatchObject([
      {
        action: 'call.tool',
        tool: 'save_message',
        outcome: 'denied',
        reason: 'forbidden',
        actor: 'bob',
        object_id: id,
      },
    ])
    // He is told that there is none.
    expect(await rowsOf(() => bob.refusal('get_session', { session_id: id }))).toMatchObject([
      { tool: 'get_session', outcome: 'failed', reason: 'not_found', actor: 'bob', object_id: id, objects: null },
    ])
    expect(await rowsOf(() => home.cli(['access', 'list', id]))).toMatchObject([
      { action: 'call.command', tool: 'access list', object_id: id },
    ])
    const readerToken = await server.newToken('--name', 'reader', '--principal', 'eve', '--scopes', 'memory:read')
    const reader = await server.tools(readerToken)
    expect(
      await rowsOf(() =>
        Promise.allSettled([
          reader.client.callTool({ name: 'save_message', arguments: { content: 'x', sender: 'x' } }),
        ]),
      ),
    ).toMatchObject([{ tool: 'save_message', outcome: 'denied', reason: 'not offered', actor: 'eve' }])
    expect(await rowsOf(() => home.cli(['token', 'revoke', 'reader']))).toMatchObject([
      { action: 'token.revoke', tool: 'token revoke' },
    ])
    await sleep(5_500)
    const asks = () =>
      fetch(`${server.url}/mcp`, {
        method: 'POST',
        headers: { authorization: `Bearer ${readerToken}`, 'content-type': 'application/json' },
        body: '{}',
      })
    let status = 0
    const first = async () => {
      ;({ status } = await asks())
    }
    expect(await rowsOf(first)).toMatchObject([
      { action: 'call.request', outcome: 'denied', reason: 'token', actor: 'eve' },
    ])
    expect(status).toBe(401)
  })
})

describe('on the command line', () => {
  test('each command leaves one row, one that fails too', async () => {
    const commands = [
      ['search', 'zanzibar'],
      ['sessions'],
      ['status'],
      ['token', 'list'],
      ['verify'],
      ['audit', 'verify'],
    ]
    const told = ['search', 'sessions', 'status', 'token list', 'verify', 'audit verify']
    expect(await rowsOf(...[...commands, ['show', canary]].map((args) => () => home.cli(args)))).toMatchObject([
      ...told.map((tool) => ({ action: 'call.command', tool, origin: 'cli', auth_method: 'local', outcome: 'ok' })),
      { tool: 'show', outcome: 'failed', reason: 'not_found' },
    ])
  })

  test('the record stands after all of it', async () => {
    const { code, stdout } = await home.cli(['audit', 'verify'])
    expect(stdout).toContain('all as they were sealed')
    expect(code).toBe(0)
  })
})

test('who has a session erased is found by it', async () => {
  const tools = await home.tools()
  const { session_id: id } = await tools.save({ content: canary, sender: 'Ann' })
  expect((await home.cli(['erase', '--session', id, '--yes'])).code).toBe(0)
  const { stdout } = await home.cli(['audit', 'who-accessed', id])
  expect(stdout).toMatch(new RegExp(`local +- +cli +erase +ok \\(session\\) +${id}`))
  expect(await rowsOf(() => home.cli(['show', id]))).toMatchObject([{ tool: 'show', outcome: 'failed', object_id: id }])
})
