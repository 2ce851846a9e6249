import { array, asyncProperty, assert, boolean, constantFrom, nat, option, record } from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { MessageInput } from '../../src/capture/prepare-message.ts'
import { newId } from '../../src/model/ids.ts'
import type { SessionDocument } from '../../src/sessions/document.ts'
import { caller, useStore } from '../sessions/store.ts'

const store = useStore()

const messageShape = record({
  role: constantFrom('user', 'assistant', 'tool', 'custom'),
  sender: constantFrom('Ann', 'Bo "the" \\ best', 'Чт{,}'),
  model: option(constantFrom('model-a', 'model-b'), { nil: undefined }),
  input: nat(100),
  tools: array(constantFrom('read', 'write'), { maxLength: 3 }),
  /** How far back its parent is; 0 for none. */
  back: nat(3),
  /** Whether its parent is none that is there. */
  lost: boolean(),
})

/** Messages with own ids, whose parents are ids of earlier ones. */
function toMessages(
  shapes: readonly {
    role: string
    sender: string
    model: string | undefined
    input: number
    tools: string[]
    back: number
    lost: boolean
  }[],
): MessageInput[] {
  return shapes.map((shape, index) => ({
    content: `message ${index}`,
    sender: shape.sender,
    role:
      shape.role === 'user'
        ? 'user'
        : shape.role === 'assistant'
          ? 'assistant'
          : shape.role === 'tool'
            ? 'tool'
            : 'custom',
    model: shape.model,
    usage: { input: shape.input, output: 1, cacheRead: 2, cacheWrite: 3 },
    toolsUsed: shape.tools,
    messageId: `m${index}`,
    timestamp: new Date(Date.UTC(2026, 0, 1, 0, index)).toISOString(),
    parentId:
      shape.back > 0 && index - shape.back >= 0 ? `${shape.lost ? 'nobody ' : 'm'}${index - shape.back}` : undefined,
  }))
}

/** What must not depend on how the messages arrived. */
function essence(document: SessionDocument): unknown {
  const places = new Map(document.messages.map((message) => [message.id, message.seq]))
  return {
    head: [
      document.message_count,
      document.tokens,
      document.tool_invocations,
      document.context_switches,
      document.participants,
      document.models_used,
      document.created_at,
      document.last_active_at,
    ],
    messages: document.messages.map(({ seq, content, sender, role, timestamp, metadata }) => [
      seq,
      content,
      sender,
      role,
      timestamp,
      metadata?.['context_switch'],
      places.get(String(metadata?.['parent_id'])),
      metadata?.['model'],
      metadata?.['tools_used'],
    ]),
  }
}

async function read(sessionId: string): Promise<unknown> {
  return essence(await store.open.getSession(caller, { sessionId, limit: 500, maxTokens: 100_000, view: 'full' }))
}

describe('saveMessages()', () => {
  it('gives the same session whether messages come at once, one by one, in two parts, or partly for the second time', async () => {
    await assert(
      asyncProperty(array(messageShape, { minLength: 1, maxLength: 8 }), async (shapes) => {
        const messages = toMessages(shapes)
        const [atOnce, singly, again, parts] = [newId(), newId(), newId(), newId()]
        await store.open.saveMessages(caller, { sessionId: `a ${atOnce}`, messages })
        for (const message of messages)
          await store.open.saveMessages(caller, { sessionId: `b ${singly}`, messages: [message] })
        await store.open.saveMessages(caller, { sessionId: `c ${again}`, messages: messages.slice(0, 1) })
        const repeated = await store.open.saveMessages(caller, { sessionId: `c ${again}`, messages })
        expect(repeated.messages.map(({ duplicate }) => duplicate)).toEqual(messages.map((_, index) => index === 0))
        const half = Math.ceil(messages.length / 2)
        for (const part of [messages.slice(0, half), messages.slice(half)])
          if (part.length > 0) await store.open.saveMessages(caller, { sessionId: `d ${parts}`, messages: part })
        const expected = await read(`a ${atOnce}`)
        expect(await read(`b ${singly}`)).toEqual(expected)
        expect(await read(`c ${again}`)).toEqual(expected)
        expect(await read(`d ${parts}`)).toEqual(expected)
      }),
      { numRuns: 40 },
    )
  })

  it('stores nothing of a batch in which one id is used for other content', async () => {
    const sessionId = `conflict ${newId()}`
    const [first, second] = toMessages([
      { role: 'user', sender: 'Ann', model: undefined, input: 1, tools: [], back: 0, lost: false },
      { role: 'user', sender: 'Ann', model: undefined, input: 1, tools: [], back: 0, lost: false },
    ])
    if (first === undefined || second === undefined) throw new Error('two messages are made above')
    await store.open.saveMessages(caller, { sessionId, messages: [first] })
    const before = await read(sessionId)
    const save = store.open.saveMessages(caller, { sessionId, messages: [second, { ...first, content: 'changed' }] })
    await expect(save).rejects.toThrow('Cannot save message "m0" as this id is already used')
    expect(await read(sessionId)).toEqual(before)
  })

  it('lets exactly one of 50 simultaneous saves of the same message be the first', async () => {
    const sessionId = `race ${newId()}`
    const message: MessageInput = { content: 'once', sender: 'Ann', role: 'user', messageId: 'only' }
    const replies = await Promise.all(
      Array.from({ length: 50 }, () => store.open.saveMessages(caller, { sessionId, messages: [message] })),
    )
    const saved = replies.flatMap(({ messages }) => messages)
    expect(saved.filter(({ duplicate }) => !duplicate)).toHaveLength(1)
    expect(new Set(saved.map(({ message_id: id }) => id)).size).toBe(1)
  })
})
