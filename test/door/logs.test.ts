import { describe, expect, test } from 'vitest'
import { z } from 'zod'

import { useHome } from './support/home.ts'
import { HttpHome } from './support/http-home.ts'

const home = useHome()

const lineSchema = z.looseObject({
  time: z.string(),
  level: z.enum(['error', 'warn', 'info', 'debug']),
  message: z.string(),
  pid: z.number(),
})

/** The lines of the log; what a server says before them in words is left out. */
function linesOf(stderr: string): z.infer<typeof lineSchema>[] {
  const lines = stderr.split('\n').filter((line) => line !== '')
  const first = lines.findIndex((line) => line.startsWith('{'))
  return lines.slice(first).map((line) => lineSchema.parse(JSON.parse(line)))
}

/** Words that a client sends, one for each place that they could get into a log from. */
const canaries = ['content', 'sender', 'session', 'query', 'error', 'body', 'title', 'tag', 'tool', 'path'].map(
  (place) => `canary${place}x7`,
)
const canary = (place: string) => {
  const found = canaries.find((word) => word === `canary${place}x7`)
  if (found === undefined) throw new Error(`There is no canary for ${place}`)
  return found
}

/** Makes the store fail with a message that quotes what is stored, as databases do. */
async function failQuoting(word: string): Promise<AsyncDisposable> {
  const database = home.database()
  const { sql } = database
  await sql.unsafe(`
    create function quote_sender() returns trigger language plpgsql as
      $$ begin if new.sender = '${word}' then raise exception 'this text: %', new.sender; end if; return new; end $$;
    create trigger quote_sender before insert on messages for each row execute function quote_sender()`)
  return {
    async [Symbol.asyncDispose]() {
      await sql.unsafe('drop trigger quote_sender on messages; drop function quote_sender')
      await database.close()
    },
  }
}

describe('the log of a server', () => {
  test('tells every tool call and request, and nothing that a client sent', async () => {
    const server = await HttpHome.start(home, { env: { VERBATIM_LOG_LEVEL: 'debug' } })
    const tools = await server.tools()
    await tools.save({ content: canary('content'), sender: canary('sender'), session_id: canary('session') })
    await tools.hits({ query: `${canary('query')} ${canary('content')}` })
    await tools.call('update_session', {
      session_id: canary('session'),
      title: canary('title'),
      tags: [canary('tag')],
    })
    await tools.refusal('get_session', { session_id: canary('path') })
    await tools.refusal('search_memory', { query: canary('query'), limit: canary('error') })
    await expect(tools.client.callTool({ name: canary('tool'), arguments: {} })).rejects.toThrow(/Unknown tool/)
    await server.post({ body: `{"${canary('body')}` })
    await server.post({ body: JSON.stringify({ jsonrpc: '2.0', id: canary('body'), method: canary('body') }) })
    await server.post({
      headers: { authorization: `Bearer ${canary('error')}`, 'x-request-id': `${canary('body')} no` },
    })
    await fetch(`${server.url}/${canary('path')}?q=${canary('query')}`)
    {
      await using _failing = await failQuoting(canary('sender'))
      const said = await tools.refusal('save_message', { content: 'x', sender: canary('sender') })
      expect(said).toMatch(/internal error [\da-f]{8}/)
    }
    await server.stop()

    for (const word of [...canaries, server.token]) expect(server.said).not.toContain(word)
    const lines = linesOf(server.said)
    const calls = lines.filter(({ message }) => message === 'tool call')
    expect(calls.map(({ tool, outcome }) => `${String(tool)} ${String(outcome)}`)).toEqual([
      'save_message ok',
      'search_memory ok',
      'update_session ok',
      'get_session not_found',
      'search_memory input',
      'save_message defect',
    ])
    for (const { ms, request_id: id } of calls) {
      expect(ms).toBeGreaterThan(0)
      expect(lines).toContainEqual(expect.objectContaining({ message: 'request', request_id: id, status: 200 }))
    }
    const defect = lines.find(({ message }) => message.startsWith('internal error'))
    expect(defect).toMatchObject({ level: 'error', request_id: calls.at(-1)?.['request_id'] })
    expect(defect?.['detail']).toMatch(/^PostgresError P0001 at /)
    expect(lines).toContainEqual(expect.objectContaining({ message: 'request refused', level: 'info', status: 401 }))
  })

  test('takes the id that a proxy gave a request, and gives it back', async () => {
    const server = await HttpHome.start(home, { env: { VERBATIM_LOG_LEVEL: 'debug' } })
    const given = await server.post({ headers: { 'x-request-id': 'proxy-17:a.b' } })
    expect(given.headers.get('x-request-id')).toBe('proxy-17:a.b')
    const odd = await server.post({ headers: { 'x-request-id': 'two words' } })
    expect(odd.headers.get('x-request-id')).toMatch(/^[\da-f-]{36}$/)
    await server.stop()
    expect(linesOf(server.said)).toContainEqual(expect.objectContaining({ request_id: 'proxy-17:a.b', route: '/mcp' }))
  })

  test('on stdio goes to stderr, and stdout has answers of the protocol alone', async () => {
    home.settings = { ...home.settings, VERBATIM_LOG_LEVEL: 'debug' }
    const server = home.raw()
    await server.initialize()
    server.write(`{"${canary('body')}\n`)
    await server.call(2, 'save_message', { content: canary('content'), sender: canary('sender') })
    await server.end()
    expect(server.messages.length).toBeGreaterThanOrEqual(2)
    const lines = linesOf(server.stderr)
    expect(lines.map(({ message, tool }) => [message, tool])).toContainEqual(['tool call', 'save_message'])
    for (const word of canaries) expect(server.stderr).not.toContain(word)
  })
})
