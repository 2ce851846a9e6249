import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { sharedData } from '../support/shared-data.ts'
import { leak, useBadInput } from './support/bad-input.ts'

const bad = useBadInput()

describe('transport', () => {
  const list = '{"jsonrpc":"2.0","id":"next","method":"tools/list","params":{}}'
  const call = (id: unknown, content: string) =>
    `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"method":"tools/call","params":{"name":"save_message","arguments":{"sender":"Ada","session_id":"wire","content":${content}}}}`

  test('lines that are no requests are passed over, and the next one is answered', async () => {
    const server = bad.home.raw()
    await server.initialize()
    const lines: (string | Uint8Array)[] = [
      '',
      ' ',
      '{',
      '{"jsonrpc":"2.0"',
      'null',
      '[]',
      '42',
      '"text"',
      `[${list}]`,
      `${list}${list}`,
      '{"jsonrpc":"1.0","id":1,"method":"tools/list"}',
      '{"jsonrpc":"2.0","id":null,"method":"tools/list"}',
      '{"jsonrpc":"2.0","id":{"a":1},"method":"tools/list"}',
      '{"jsonrpc":"2.0","id":7}',
      '{"jsonrpc":"2.0","id":8,"result":{}}',
      '{"jsonrpc":"2.0","method":"notifications/unknown","params":null}',
      '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"none"}}',
      call('trailing', '1,'),
      call('nan', 'NaN'),
      '['.repeat(10_000),
      `{"jsonrpc":"2.0","id":9,"method":"tools/list","params":${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}}`,
      Buffer.from([0xff, 0xfe, 0x7b, 0x00]),
      Buffer.from([0xc0, 0xaf, 0xed, 0xa0, 0x80, 0xf5]),
      Buffer.from(list, 'utf16le'),
    ]
    for (const line of lines) {
      server.write(line)
      server.write('\n')
    }
    server.write(`${list}\n`)
    expect(await server.answer('next')).toHaveProperty('result.tools')
    for (const message of server.messages) expect(JSON.stringify(message)).not.toMatch(leak)
    expect(await server.end()).toBe(0)
    expect(server.rest).toBe('')
  })

  test('numbers that JSON.parse would make null are refused; others are kept as it reads them', async () => {
    const server = bad.home.raw()
    await server.initialize()
    for (const [id, content] of [
      ['big', '[9007199254740993]'],
      ['huge', '[1e400]'],
      ['minus', '{"a":{"b":-1e999}}'],
      ['zero', '-0'],
      ['twice', '{"a":1,"a":2}'],
      ['null', '[null,"null"]'],
    ] as const)
      server.write(`${call(id, content)}\n`)
    const answers = new Map<string, string>()
    for (const id of ['big', 'huge', 'minus', 'zero', 'twice', 'null'])
      answers.set(id, JSON.stringify(await server.answer(id)))
    for (const id of ['huge', 'minus']) expect(answers.get(id)).toMatch(/isError.*|beyond 1\.8e308/)
    const kept = (await bad.tools.allMessages('wire')).map(({ content }) => JSON.stringify(content))
    expect(kept.toSorted((a, b) => a.localeCompare(b))).toEqual(
      ['[9007199254740992]', '[null,"null"]', '{"a":2}', '0'].toSorted((a, b) => a.localeCompare(b)),
    )
    await server.end()
  })

  test('requests with the same id at once are each answered', async () => {
    const server = bad.home.raw()
    await server.initialize()
    for (let at = 0; at < 5; at++) server.write(`${call('same', `"same ${at}"`)}\n`)
    server.write(`${call(1.5, '"fraction"')}\n`)
    await expect.poll(() => server.messages.filter(({ id }) => id === 'same').length, { timeout: 10_000 }).toBe(5)
    expect(await server.end()).toBe(0)
  })

  test('stdin that ends inside a message saves nothing of it', async () => {
    const server = bad.home.raw()
    await server.initialize()
    server.write(call('cut', '"cut off"').slice(0, -5))
    expect(await server.end()).toBe(0)
    expect((await bad.tools.allMessages('wire')).map(({ content }) => content)).not.toContain('cut off')
  })

  test('a reader that stops for a while gets every answer', async () => {
    await bad.tools.save({ content: 'y'.repeat(60_000), sender: 'Ada', session_id: 'slow reader' })
    const server = bad.home.raw()
    await server.initialize()
    server.child.stdout.pause()
    for (let at = 0; at < 40; at++)
      server.request(at, 'tools/call', {
        name: 'get_session',
        arguments: { session_id: 'slow reader', max_tokens: 25_000 },
      })
    await bad.tools.list()
    server.child.stdout.resume()
    for (let at = 0; at < 40; at++) expect(JSON.stringify(await server.answer(at)).length).toBeGreaterThan(60_000)
    expect(await server.end()).toBe(0)
  })

  test.skipIf(sharedData('fuzz/json-test-suite') === undefined)(
    'each of the JSON test suite’s files is refused or kept as JSON.parse reads it',
    async () => {
      const directory = join(sharedData('fuzz/json-test-suite') ?? '', 'test_parsing')
      const names = readdirSync(directory)
      expect(names.length).toBeGreaterThan(300)
      const server = bad.home.raw()
      await server.initialize()
      const expected: [string, string | undefined][] = []
      const parse = (text: string): string | undefined => {
        try {
          return JSON.stringify(JSON.parse(text))
        } catch {
          return undefined
        }
      }
      for (const name of names) {
        // A line feed would end the message; in JSON any white space says the same.
        const bytes = readFileSync(join(directory, name)).map((byte) => (byte === 10 || byte === 13 ? 32 : byte))
        const [before = '', after = ''] = call(name, '"*"').replace('"wire"', '"suite"').split('"*"')
        server.write(Buffer.concat([Buffer.from(before), bytes, Buffer.from(after), Buffer.from('\n')]))
        expected.push([name, parse(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes))])
      }
      server.write(`${list}\n`)
      await server.answer('next')
      const valid = expected.filter(([, content]) => content !== undefined)
      await expect
        .poll(() => server.messages.filter(({ id }) => valid.some(([name]) => name === id)).length, { timeout: 20_000 })
        .toBeGreaterThanOrEqual(valid.length - 5)
      for (const message of server.messages) expect(JSON.stringify(message)).not.toMatch(leak)
      const kept = new Set(
        (await bad.tools.allMessages('suite', { limit: 500 })).map(({ content }) => JSON.stringify(content)),
      )
      const missing = valid.filter(([name, content]) => !kept.has(content ?? '') && name.startsWith('y_'))
      expect(missing).toEqual([])
      expect(await server.end()).toBe(0)
    },
  )
})
