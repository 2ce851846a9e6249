import { createHash } from 'node:crypto'

import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'

import { useHome } from '../door/support/home.ts'
import type { Tools } from '../door/support/tools.ts'

const home = useHome()
let tools: Tools

beforeAll(async () => {
  tools = await home.tools()
})

/** Runs of a property; each is a few calls of a real server, and each call a commit to the disk. */
const runs = { numRuns: 40 } as const

/** UTF-16 code units in any order: lone surrogates, NUL, line separators and noncharacters included. */
const anyString = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0, max: 0xffff }),
      fc.constantFrom(0, 9, 10, 13, 0x22, 0x5c, 0x2028, 0x2029, 0xfeff, 0xd800, 0xdbff, 0xdc00, 0xdfff, 0xffff),
    ),
    { maxLength: 60 },
  )
  .map((units) => String.fromCharCode(...units))

const nastyKey = fc.oneof(
  anyString,
  fc.constantFrom(
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    '',
    '0',
    '-1',
    'null',
    'type',
    'text',
  ),
)

const finite = fc.double({ noNaN: true, noDefaultInfinity: true })

/** Any JSON value, made from its text, so that a key `__proto__` is a member and not a prototype. */
const anyJson = fc
  .letrec((tie) => ({
    text: fc.oneof(
      { depthSize: 'small' },
      fc
        .oneof(anyString, fc.string({ unit: 'grapheme' }), finite, fc.maxSafeInteger(), fc.boolean(), fc.constant(null))
        .map((value) => JSON.stringify(value)),
      fc.array(tie('text'), { maxLength: 5 }).map((items) => `[${items.join(',')}]`),
      fc
        .array(fc.tuple(nastyKey, tie('text')), { maxLength: 5 })
        .map((members) => `{${members.map(([key, value]) => `${JSON.stringify(key)}:${String(value)}`).join(',')}}`),
    ),
  }))
  .text.map((text): unknown => JSON.parse(text))

const anyName = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
  .filter((name) => name.length <= 200 && !name.includes('\0') && name.isWellFormed())

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

/** What JSON carries of a value, as text: the form in which two contents are compared, key order included. */
const jsonOf = (values: readonly unknown[]) => values.map((value) => JSON.stringify(value))

/** The contents of a session as they come back, each as its JSON; pieces of large ones are put together. */
async function readBack(
  sessionId: string,
  page: { readonly limit: number; readonly maxTokens: number },
): Promise<{ json: string; sha256: unknown; seq: number }[]> {
  const pieces = await tools.allMessages(sessionId, { limit: page.limit, max_tokens: page.maxTokens })
  const messages = new Map<number, { json: string; sha256: unknown; seq: number }>()
  for (const { seq, content, content_part: part, metadata } of pieces) {
    const before = messages.get(seq)?.json ?? ''
    messages.set(seq, { json: before + (part?.text ?? JSON.stringify(content)), sha256: metadata?.['sha256'], seq })
  }
  return [...messages.values()]
}

test('save_message then get_session gives any content back, with its hash', async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(anyString, anyJson), anyName, fc.option(anyJson), async (content, sender, own) => {
      const saved = await tools.save({ content, sender, ...(own === null ? {} : { metadata: { own } }) })
      const { messages } = await tools.session(saved.session_id)
      expect(messages).toHaveLength(1)
      expect(jsonOf([messages[0]?.content])).toEqual(jsonOf([content]))
      expect(saved.sha256).toBe(sha256(JSON.stringify(content)))
      expect(messages[0]).toMatchObject({ id: saved.message_id, sender, metadata: { sha256: saved.sha256 } })
      expect(jsonOf([messages[0]?.metadata?.['own']])).toEqual(jsonOf([own === null ? undefined : { own }]))
    }),
    runs,
  )
})

test('save_messages then get_session, in pages of any size, gives a batch back in order', async () => {
  const batch = fc.array(fc.oneof(anyString, anyJson), { minLength: 1, maxLength: 25 })
  const page = fc.record({ limit: fc.integer({ min: 1, max: 30 }), maxTokens: fc.integer({ min: 500, max: 25_000 }) })
  await fc.assert(
    fc.asyncProperty(batch, page, async (contents, size) => {
      const saved = await tools.saveAll({ messages: contents.map((content) => ({ content, sender: 'Ada' })) })
      const back = await readBack(saved.session_id, size)
      expect(back.map(({ json }) => json)).toEqual(jsonOf(contents))
      expect(back.map(({ sha256: hash }) => hash)).toEqual(jsonOf(contents).map(sha256))
      expect(back.map(({ seq }) => seq)).toEqual(contents.map((_, at) => at + 1))
    }),
    runs,
  )
})

test('a message larger than a page comes in pieces that join to its exact JSON, wherever they are cut', async () => {
  const piece = fc.oneof(anyString, fc.string({ unit: 'grapheme', minLength: 20, maxLength: 60 }))
  const block = fc.array(piece, { minLength: 60, maxLength: 100 })
  await fc.assert(
    fc.asyncProperty(block, fc.integer({ min: 500, max: 1_000 }), async (texts, maxTokens) => {
      const content = texts.join('')
      const saved = await tools.save({ content, sender: 'Ada' })
      const [message] = await readBack(saved.session_id, { limit: 5, maxTokens })
      expect(message?.json).toBe(JSON.stringify(content))
      expect(message?.sha256).toBe(sha256(JSON.stringify(content)))
    }),
    // Each failure that is made smaller costs as many calls as it has pieces.
    { numRuns: 15, endOnFailure: true },
  )
})

test('sessions that are saved to in turn keep their own order, and retries add nothing', async () => {
  const step = fc.record({ session: fc.integer({ min: 0, max: 3 }), content: anyString, again: fc.boolean() })
  let run = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 25 }), async (steps) => {
      run++
      const name = (session: number) => `turn ${run} ${session}`
      const expected = new Map<number, string[]>()
      for (const [at, { session, content, again }] of steps.entries()) {
        const message = { content, sender: 'Ada', session_id: name(session), message_id: `m${at}` }
        const first = await tools.save(message)
        const contents = [...(expected.get(session) ?? []), content]
        expected.set(session, contents)
        expect(first).toMatchObject({ seq: contents.length, duplicate: false })
        const second = again ? await tools.save(message) : { ...first, duplicate: true }
        expect(second).toEqual({ ...first, duplicate: true })
      }
      for (const [session, contents] of expected) {
        const back = await readBack(name(session), { limit: 50, maxTokens: 25_000 })
        expect(back.map(({ json }) => json)).toEqual(jsonOf(contents))
      }
    }),
    { numRuns: 15 },
  )
})

test('saves at once from two processes are each kept once, numbered without a gap', async () => {
  const other = await home.tools()
  let run = 0
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(anyString, { minLength: 2, maxLength: 30 }), async (contents) => {
      run++
      const sessionId = `together ${run}`
      const saved = await Promise.all(
        contents.map((content, at) =>
          (at % 2 === 0 ? tools : other).save({ content, sender: 'Ada', session_id: sessionId }),
        ),
      )
      const back = await readBack(sessionId, { limit: 100, maxTokens: 25_000 })
      expect(back.map(({ seq }) => seq)).toEqual(contents.map((_, at) => at + 1))
      const bySeq = saved
        .map(({ seq }, at) => ({ seq, json: JSON.stringify(contents[at]) }))
        .toSorted((a, b) => a.seq - b.seq)
      expect(back.map(({ json }) => json)).toEqual(bySeq.map(({ json }) => json))
    }),
    { numRuns: 15 },
  )
})
