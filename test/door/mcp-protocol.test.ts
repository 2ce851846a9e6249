import { writeFileSync } from 'node:fs'

import type { Client as ModernClient } from '@modelcontextprotocol/client'
import type { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { ResourceUpdatedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import { countTokens } from 'gpt-tokenizer'
import { beforeAll, describe, expect, test } from 'vitest'

import { isJsonObject } from '../../src/model/json/json.ts'
import { storeKind } from '../support/test-store.ts'
import { useHome } from './support/home.ts'
import { Tools } from './support/tools.ts'

const home = useHome()
let legacy: Client
let modern: ModernClient
let tools: Tools

beforeAll(async () => {
  legacy = await home.connect()
  tools = new Tools(legacy)
  modern = await home.connectModern('auto')
})

const toolNames = [
  'save_message',
  'save_messages',
  'search_memory',
  'get_session',
  'list_sessions',
  'summarize',
  'recall_context',
  'update_session',
  'update_fact',
  'forget',
]
const writing = new Set(['save_message', 'save_messages', 'update_session', 'update_fact', 'forget'])
const destroying = new Set(['update_fact', 'forget'])
/** Reading tools that reply with text or with JSON, as the caller asks, and so promise no form. */
const readsInTwoForms = new Set(['search_memory', 'get_session', 'summarize', 'recall_context'])

/** Every object of a JSON schema, the root first. */
function schemasIn(value: unknown): Readonly<Record<string, unknown>>[] {
  if (Array.isArray(value)) return value.flatMap(schemasIn)
  return isJsonObject(value) ? [value, ...Object.values(value).flatMap(schemasIn)] : []
}

describe('handshake', () => {
  const capabilities = {
    tools: { listChanged: false },
    prompts: { listChanged: false },
    resources: { subscribe: true, listChanged: true },
    completions: {},
  }

  test('tells every client what it is, what it can do and what it is for', async () => {
    const modernOld = await home.connectModern('legacy')
    for (const client of [legacy, modernOld, modern]) {
      expect(client.getServerVersion()).toMatchObject({ name: 'verbatim', title: 'Verbatim' })
      expect(client.getServerCapabilities()).toEqual(capabilities)
      expect(client.getInstructions()).toContain('search_memory')
    }
    expect(modernOld.getProtocolEra()).toBe('legacy')
    expect(modern.getProtocolEra()).toBe('modern')
    expect(modern.getNegotiatedProtocolVersion()).toBe('2026-07-28')
  })

  test.each(['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05', '1999-01-01'])(
    'answers a client that asks for %s with a revision that it speaks',
    async (asked) => {
      const server = home.raw()
      server.request(1, 'initialize', {
        protocolVersion: asked,
        capabilities: {},
        clientInfo: { name: 'raw', version: '1' },
      })
      const { result } = await server.answer(1)
      expect(result).toMatchObject({ protocolVersion: asked.startsWith('1999') ? '2025-11-25' : asked })
      expect(await server.end()).toBe(0)
    },
  )
})

describe('tools/list', () => {
  test('is the same in both eras, and the same every time', async () => {
    const { tools: listed } = await legacy.listTools()
    expect(listed.map(({ name }) => name)).toEqual(toolNames)
    expect((await modern.listTools()).tools).toEqual(listed)
    expect((await legacy.listTools()).tools).toEqual(listed)
  })

  test.each(toolNames)('describes %s so that every client takes it', async (name) => {
    const tool = (await legacy.listTools()).tools.find((candidate) => candidate.name === name)
    expect(tool?.title).toMatch(/^[A-Z][a-z ]+$/)
    expect(tool?.description).toMatch(
      /^(Save|Search|Read|List|Recall|Summarize|Close or reopen|Correct|Erase),? [a-z(]/,
    )
    expect(tool?.description?.length).toBeLessThanOrEqual(1_200)
    expect(tool?.annotations).toEqual({
      readOnlyHint: !writing.has(name),
      destructiveHint: destroying.has(name),
      idempotentHint: true,
      openWorldHint: false,
    })
    expect(tool?.inputSchema.type).toBe('object')
    for (const word of ['anyOf', 'oneOf', 'allOf', '$ref', 'not']) expect(tool?.inputSchema).not.toHaveProperty(word)
    for (const schema of schemasIn(tool?.inputSchema)) {
      expect(Array.isArray(schema['type'])).toBe(false)
      expect(schema).not.toHaveProperty('pattern')
      expect(schema['type'] === 'array' && schema['items'] === undefined).toBe(false)
    }
    expect(tool?.outputSchema === undefined).toBe(readsInTwoForms.has(name))
  })

  test('costs a session at most 2,000 tokens', async () => {
    const { tools: listed } = await legacy.listTools()
    expect(countTokens(JSON.stringify(listed))).toBeLessThanOrEqual(2_000)
  })
})

describe('tools/call', () => {
  test('gives tools with an output schema structured content and its exact two-space JSON, in both eras', async () => {
    for (const client of [legacy, modern]) {
      const result = await client.callTool({
        name: 'save_message',
        arguments: { content: 'both eras', sender: 'Ada', session_id: 'eras' },
      })
      expect(result.content).toEqual([{ type: 'text', text: JSON.stringify(result['structuredContent'], null, 2) }])
      expect(result['structuredContent']).toMatchObject({ external_id: 'eras', duplicate: false })
    }
    expect((await tools.session('eras')).message_count).toBe(2)
  })

  test('gives reading tools one text, or JSON in both members, as asked', async () => {
    await tools.save({ content: 'We decided to moor the zeppelin at the mast.', sender: 'Ada', session_id: 'forms' })
    for (const client of [legacy, modern]) {
      for (const [name, args] of [
        ['search_memory', { query: 'zeppelin' }],
        ['get_session', { session_id: 'forms' }],
        ['summarize', { session_id: 'forms' }],
      ] as const) {
        const text = await client.callTool({ name, arguments: { ...args, format: 'text' } })
        expect(text).not.toHaveProperty('structuredContent')
        expect(JSON.stringify(text.content)).toContain('zeppelin')
        const json = await client.callTool({ name, arguments: { ...args, format: 'json' } })
        expect(json.content).toEqual([{ type: 'text', text: JSON.stringify(json['structuredContent'], null, 2) }])
      }
    }
  })

  test('refuses an unknown tool by name, with the tools that there are', async () => {
    for (const client of [legacy, modern])
      await expect(client.callTool({ name: 'forget_all', arguments: {} })).rejects.toMatchObject({
        code: -32_602,
        message: expect.stringMatching(/Unknown tool "forget_all".*save_message/s),
      })
  })
})

describe('server options', () => {
  test('--read-only offers no tool that writes, and keeps no summary', async () => {
    await tools.save({ content: 'We moor the ship at berth 14.', sender: 'Ada', session_id: 'kept' })
    const reader = await home.tools('--read-only')
    const { tools: listed } = await reader.client.listTools()
    expect(listed.map(({ name }) => name)).toEqual(toolNames.filter((name) => !writing.has(name)))
    await expect(reader.call('save_message', { content: 'x', sender: 'Ada' })).rejects.toThrow(/Unknown tool/)
    expect((await reader.call('summarize', { session_id: 'kept' })).text).toContain('berth 14')
    expect((await reader.session('kept')).context_summary).toBeNull()
  })

  test('--tools offers the named ones only, and refuses a name that is none', async () => {
    const client = await home.connect('--tools', 'search_memory, get_session')
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['search_memory', 'get_session'])
    expect(await home.cli(['--tools', 'search'])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/no such tool\nChoose from: save_message/),
    })
  })
})

describe('resources', () => {
  const odd = 'agent:main/42 ä?#%'
  const broken = useHome()

  test('lists recent sessions, 50 a page, each exactly once', async () => {
    for (let at = 0; at < 60; at++) await tools.save({ content: `n ${at}`, sender: 'Ada', session_id: `paged-${at}` })
    const uris: string[] = []
    let cursor: string | undefined
    let pages = 0
    do {
      const page = await legacy.listResources(cursor === undefined ? {} : { cursor })
      uris.push(...page.resources.map(({ uri }) => uri))
      expect(page.resources.length).toBeLessThanOrEqual(53)
      cursor = page.nextCursor
      pages++
    } while (cursor !== undefined)
    expect(pages).toBe(2)
    const ids = (await tools.allSessions()).map(({ session_id: id }) => `session://${id}`)
    expect(uris).toEqual(['memory://sessions', 'memory://status', 'memory://profile', ...ids])
    const all = await modern.listResources()
    expect(all.resources.map(({ uri }) => uri)).toEqual(uris)
  })

  test('lists its templates in both eras', async () => {
    const { resourceTemplates } = await legacy.listResourceTemplates()
    expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toEqual([
      'session://{session_id}',
      'session://{session_id}/transcript',
      'session://{session_id}/summary',
      'session://{session_id}/context',
      'session://{session_id}/messages/{message_id}',
      'memory://pseudonyms/{token}',
      'memory://sessions{?cursor}',
      'memory://profile{?cursor}',
    ])
    expect((await modern.listResourceTemplates()).resourceTemplates).toEqual(resourceTemplates)
  })

  test('reads each kind, with ids percent-encoded', async () => {
    await tools.saveAll({
      session_id: odd,
      messages: [
        { content: 'We decided to moor at berth 14.', sender: 'Ada', message_id: 'a/b' },
        { content: ['Noted.'], sender: 'clerk', model: 'model-a' },
      ],
    })
    const id = encodeURIComponent(odd)
    for (const client of [legacy, modern]) {
      const read = async (uri: string) => {
        const { contents } = await client.readResource({ uri })
        expect(contents).toHaveLength(1)
        expect(contents[0]?.uri).toBe(uri)
        return { type: contents[0]?.mimeType, text: contents.map((part) => ('text' in part ? part.text : '')).join('') }
      }
      const json = async (uri: string): Promise<unknown> => {
        const { type, text } = await read(uri)
        expect(type).toBe('application/json')
        return JSON.parse(text)
      }
      expect(await json(`session://${id}`)).toMatchObject({
        external_id: odd,
        messages: [{ seq: 1 }, { content: ['Noted.'] }],
      })
      expect(await json(`session://${id}/messages/a%2Fb`)).toMatchObject({
        message: { content: 'We decided to moor at berth 14.' },
      })
      expect(await json(`session://${id}/context`)).toHaveProperty('results')
      expect(await json('memory://sessions')).toHaveProperty('sessions')
      expect(await json('memory://status')).toMatchObject({ store: storeKind, index: { failed_for_good: 0 } })
      expect(await json('memory://profile')).toHaveProperty('facts')
      for (const view of ['transcript', 'summary']) {
        const { type, text } = await read(`session://${id}/${view}`)
        expect(type).toBe('text/markdown')
        expect(text).toContain('berth 14')
      }
    }
  })

  test('continues the list of sessions and a session with a cursor', async () => {
    const read = async (uri: string) => {
      const { contents } = await legacy.readResource({ uri })
      const value: unknown = JSON.parse(contents.map((part) => ('text' in part ? part.text : '')).join(''))
      return isJsonObject(value) ? value : {}
    }
    const messages = Array.from({ length: 40 }, (_, at) => ({ content: `${at}${'x'.repeat(3_000)}`, sender: 'Ada' }))
    await tools.saveAll({ session_id: 'long', messages })
    const first = await read('session://long')
    const second = await read(`session://long?cursor=${String(first['next_cursor'])}`)
    const texts = [first, second].flatMap(({ messages: page }) => (Array.isArray(page) ? page : []))
    expect(texts.length).toBeGreaterThan(25)
    expect(new Set(texts.map((message: unknown) => JSON.stringify(message))).size).toBe(texts.length)
  })

  test.each([
    'session://nowhere',
    'session://x/unknown',
    'session://%ZZ',
    'memory://secrets',
    'file:///etc/passwd',
    'nonsense',
    '',
  ])('answers "%s" with the not-found code of each era', async (uri) => {
    await expect(legacy.readResource({ uri })).rejects.toMatchObject({ code: -32_002 })
    await expect(modern.readResource({ uri })).rejects.toMatchObject({ code: -32_602 })
  })

  test('fail with an internal error, in words, where the store is not available', async () => {
    // A file stands where the store should be.
    writeFileSync(broken.path, '')
    for (const client of [await broken.connect(), await broken.connectModern('auto')]) {
      const failure = { code: -32_603, message: expect.stringContaining('VERBATIM_HOME') }
      await expect(client.listResources()).rejects.toMatchObject(failure)
      for (const uri of ['memory://status', 'session://any', 'session://any/context'])
        await expect(client.readResource({ uri })).rejects.toMatchObject(failure)
    }
    const subscriber = await broken.connect()
    await expect(subscriber.subscribeResource({ uri: 'session://any' })).rejects.toMatchObject({ code: -32_603 })
  })

  test('completes session ids from their beginnings', async () => {
    const ref = { type: 'ref/resource' as const, uri: 'session://{session_id}' }
    const id = (await tools.list({ limit: 1 })).sessions.map((head) => head.session_id).join('')
    for (const client of [legacy, modern]) {
      const complete = async (value: string, name = 'session_id') =>
        (await client.complete({ ref, argument: { name, value } })).completion.values
      expect(await complete('paged-1')).toEqual(expect.arrayContaining(['paged-1', 'paged-10', 'paged-19']))
      expect(await complete('paged-1')).toHaveLength(11)
      expect(await complete(id.slice(0, 30))).toContain(id)
      expect(await complete('%')).toEqual([])
      expect(await complete('x', 'message_id')).toEqual([])
      const prompt = await client.complete({
        ref: { type: 'ref/prompt', name: 'handoff' },
        argument: { name: 'session_id', value: 'paged-5' },
      })
      expect(prompt.completion.values).toContain('paged-5')
    }
  })
})

describe('subscriptions', () => {
  test('announce a change that another process made, and only of what was asked for', async () => {
    const { session_id: id } = await tools.save({ content: 'a', sender: 'Ada', session_id: 'watched' })
    await tools.save({ content: 'a', sender: 'Ada', session_id: 'unwatched' })
    const uri = `session://${id}`
    const heard: Record<'legacy' | 'modern', string[]> = { legacy: [], modern: [] }
    legacy.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void heard.legacy.push(params.uri))
    modern.setNotificationHandler('notifications/resources/updated', ({ params }) => void heard.modern.push(params.uri))
    await legacy.subscribeResource({ uri })
    const subscription = await modern.listen({ resourceSubscriptions: [uri] })
    expect(subscription.honoredFilter.resourceSubscriptions).toEqual([uri])

    const other = await home.tools()
    await other.save({ content: 'b', sender: 'Bo', session_id: 'unwatched' })
    await other.save({ content: 'b', sender: 'Bo', session_id: 'watched' })
    await expect.poll(() => heard, { timeout: 5_000 }).toEqual({ legacy: [uri], modern: [uri] })
    await other.update('watched', { title: 'again' })
    await expect.poll(() => heard, { timeout: 5_000 }).toEqual({ legacy: [uri, uri], modern: [uri, uri] })
    await legacy.unsubscribeResource({ uri })
    await subscription.close()
  })

  test('announce a change right after they were acknowledged, where the server has just begun', async () => {
    const { session_id: id } = await tools.save({ content: 'a', sender: 'Ada', session_id: 'watched at once' })
    const uri = `session://${id}`
    const fresh = await home.connectModern('auto')
    const heard: string[] = []
    fresh.setNotificationHandler('notifications/resources/updated', ({ params }) => void heard.push(params.uri))
    const subscription = await fresh.listen({ resourceSubscriptions: [uri] })
    await tools.save({ content: 'b', sender: 'Bo', session_id: 'watched at once' })
    await expect.poll(() => heard, { timeout: 10_000 }).toEqual([uri])
    await subscription.close()
  })

  test('refuse a resource that names nothing', async () => {
    await expect(legacy.subscribeResource({ uri: 'session://nowhere' })).rejects.toThrow(/No session "nowhere"/)
    await expect(legacy.subscribeResource({ uri: 'file:///x' })).rejects.toThrow(/Cannot subscribe/)
  })
})

describe('prompts', () => {
  test('are listed alike in both eras, and written from what is stored', async () => {
    await tools.saveAll({
      session_id: 'prompted',
      messages: [
        { content: 'Which berth did the Xanthippe get?', sender: 'Ada' },
        { content: 'We decided: the Xanthippe gets berth 14.', sender: 'clerk', model: 'model-a' },
      ],
    })
    const { prompts } = await legacy.listPrompts()
    expect(prompts.map(({ name, arguments: args }) => [name, args?.map(({ name }) => name)])).toEqual([
      ['recall', ['topic']],
      ['continue_session', ['session_id']],
      ['handoff', ['session_id']],
    ])
    expect((await modern.listPrompts()).prompts).toEqual(prompts)
    for (const client of [legacy, modern]) {
      for (const [name, args] of [
        ['recall', { topic: 'Xanthippe' }],
        ['continue_session', { session_id: 'prompted' }],
        ['handoff', { session_id: 'prompted' }],
      ] as const) {
        const { messages } = await client.getPrompt({ name, arguments: args })
        expect(messages).toHaveLength(1)
        expect(JSON.stringify(messages)).toContain('berth 14')
        expect(JSON.stringify(messages)).toContain('boundary=')
      }
      await expect(client.getPrompt({ name: 'nothing', arguments: {} })).rejects.toMatchObject({ code: -32_602 })
      await expect(client.getPrompt({ name: 'handoff', arguments: {} })).rejects.toThrow(/session_id/)
      await expect(client.getPrompt({ name: 'handoff', arguments: { session_id: 'nowhere' } })).rejects.toThrow(
        /No session/,
      )
    }
  })
})

describe('the process', () => {
  const discover = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  const save = { name: 'save_message', arguments: { content: 'last words', sender: 'Ada', session_id: 'in-flight' } }

  test('prints nothing but JSON-RPC lines on stdout and nothing on stderr, on a store that is there already', async () => {
    const server = home.raw()
    await server.initialize()
    await server.call(1, 'save_message', { content: 'x', sender: 'Ada' })
    await server.call(2, 'search_memory', { query: 'x' })
    await server.call(3, 'get_session', { session_id: 'nowhere' })
    expect(await server.end()).toBe(0)
    expect(server.messages.every((message) => message['jsonrpc'] === '2.0')).toBe(true)
    expect(server.lines.length).toBeGreaterThanOrEqual(4)
    expect(server.rest).toBe('')
    expect(server.stderr).toBe('')
  })

  test('ends by itself with code 0 when stdin ends, used or not, in both eras', async () => {
    const unused = home.raw()
    expect(await unused.end()).toBe(0)
    const greeted = home.raw()
    await greeted.initialize()
    expect(await greeted.end()).toBe(0)
    const newer = home.raw()
    newer.request(1, 'tools/list', { _meta: discover })
    await newer.answer(1)
    expect(await newer.end()).toBe(0)
  })

  test('answers a save that was in flight when stdin ended, in both eras', async () => {
    const old = home.raw()
    old.request(0, 'initialize', {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'r', version: '1' },
    })
    old.send({ jsonrpc: '2.0', method: 'notifications/initialized' })
    old.request(1, 'tools/call', save)
    const newer = home.raw()
    newer.request(1, 'tools/call', { ...save, _meta: discover })
    for (const server of [old, newer]) {
      expect(await server.end()).toBe(0)
      expect(server.messages.find((message) => message['id'] === 1)).toMatchObject({
        result: { structuredContent: { external_id: 'in-flight', duplicate: false } },
      })
    }
    expect((await tools.session('in-flight')).message_count).toBe(2)
  })

  test('answers a save that was in flight at SIGTERM, and ends with code 0', async () => {
    const server = home.raw()
    await server.initialize()
    await server.call(1, 'save_message', save.arguments)
    server.request(2, 'tools/call', save)
    await server.find((message) => message['id'] === 1)
    server.child.kill('SIGTERM')
    expect(await server.exit).toBe(0)
    expect(server.rest).toBe('')
    expect(server.stderr).toBe('')
    // Whether the signal came before the request was read is the machine's choice; half an answer is not.
    const answered = server.messages.filter((message) => message['id'] === 2).length
    const stored = (await tools.session('in-flight')).message_count
    expect(stored).toBe(3 + answered)
  })

  test('wrote nothing on stderr while the clients of this file used it', () => {
    expect(home.complaints).toBe('')
  })
})
