import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { DamagedObject } from '../../src/archive/archive-object.ts'
import { chainAfter, chainStart, decodeSegment, SegmentBuilder } from '../../src/archive/segment.ts'
import { RowSeal } from '../../src/crypto/row-seal.ts'
import { newMaterial } from '../../src/crypto/wrapped-key.ts'
import { limits } from '../../src/limits.ts'
import { sha256 } from '../../src/model/messages/payload.ts'
import type { ArchivedMessage } from '../../src/store/archive/archived-messages.ts'
import type { SessionRecord } from '../../src/store/archive/archived-session.ts'

const key = { tenantId: 1, sessionId: '019ab4c2-7f10-7c44-9d5e-3f0c5c1b2a6d' }

const session: SessionRecord = {
  id: key.sessionId,
  source: 'mcp',
  external_id: null,
  title: 'NUL \0 and 👩‍👩‍👧',
  created_at: '2026-01-01T00:00:00.000Z',
  last_active_at: '2026-01-01T00:00:00.000Z',
  closed_at: null,
  participants: ['Ada'],
  models_used: [],
  message_count: 1,
  payload_bytes: 1,
  input_tokens: 0,
  output_tokens: 0,
  cache_read_tokens: 0,
  cache_write_tokens: 0,
  tool_invocations: 0,
  context_switches: 0,
  last_seq: 1,
  last_model: null,
  last_message_id: null,
  parent_session_id: null,
  parent_external_id: null,
  tags: [],
  metadata: null,
  retention_policy_id: null,
  legal_hold: false,
  restricted: false,
  said_at: null,
  anonymized_at: null,
  erasures: 0,
  version: 1,
}

function message(seq: number, payload: Uint8Array | null, text: Uint8Array | null = null): ArchivedMessage {
  return {
    record: {
      seq,
      id: `019ab4c2-7f10-7c44-9d5e-${String(seq).padStart(12, '0')}`,
      timestamp: '2026-01-01T00:00:00.000Z',
      saved_at: '2026-01-01T00:00:00.000Z',
      role: 'user',
      sender: 'Ada',
      kind: 'message',
      trust: 'owner',
      payload_bytes: payload?.length ?? 0,
      payload_sha256: sha256(payload ?? new Uint8Array()).toString('hex'),
      payload_media_type: 'application/json',
    },
    payload,
    text,
    metadata: null,
  }
}

async function segmentOf(
  messages: readonly ArchivedMessage[],
  seal: RowSeal | undefined,
  start = { number: 1, firstSeq: 1, previousChain: chainStart },
) {
  const builder = new SegmentBuilder({ ...start, seal })
  const added = messages.filter((one) => builder.add(one)).length
  const bytes = await builder.toBytes(key, session)
  return { bytes, added, described: builder.describe(key, bytes) }
}

const plain = (messages: readonly ArchivedMessage[]) =>
  messages.map(({ record, payload, text, metadata }) => ({
    record,
    bytes: [payload, text, metadata].map((part) => (part === null ? null : Buffer.from(part).toString('hex'))),
  }))

const scope = { tenantId: key.tenantId, sessionId: key.sessionId, version: 3 }
const kinds = [
  ['as it is', undefined],
  ['sealed', new RowSeal(scope, newMaterial())],
] as const

describe.each(kinds)('a segment %s', (_, seal) => {
  const open = (_header: unknown, version: number) => Promise.resolve(version === seal?.version ? seal : undefined)

  it('gives back every byte of its messages and its session, for any bytes', async () => {
    const bytes = fc.option(fc.uint8Array({ maxLength: 300 }))
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(bytes, bytes), { minLength: 1, maxLength: 20 }), async (contents) => {
        const messages = contents.map(([payload, text], index) => message(index + 1, payload, text))
        const read = await decodeSegment((await segmentOf(messages, seal)).bytes, open)
        expect(plain(read.messages)).toEqual(plain(messages))
        expect(read.session).toEqual(session)
      }),
      { numRuns: 50 },
    )
  })

  it('is found damaged whichever bit of it is another', async () => {
    const { bytes } = await segmentOf([message(1, Buffer.from('"one"')), message(2, Buffer.from('"two"'))], seal)
    for (let bit = 0; bit < bytes.length * 8; bit += 13) {
      const damaged = Buffer.from(bytes)
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      await expect(decodeSegment(damaged, open), `bit ${bit}`).rejects.toBeInstanceOf(DamagedObject)
    }
    for (const length of [0, 3, 50, bytes.length - 1])
      await expect(decodeSegment(bytes.subarray(0, length), open), `${length} bytes`).rejects.toBeInstanceOf(
        DamagedObject,
      )
  })

  it('goes on with the chain of the one before it', async () => {
    const all = [1, 2, 3, 4].map((seq) => message(seq, Buffer.from(`"${seq}"`)))
    const first = await segmentOf(all.slice(0, 2), seal)
    const second = await segmentOf(all.slice(2), seal, { number: 2, firstSeq: 3, previousChain: first.described.chain })
    expect(second.described.chain).toBe(chainAfter(chainStart, all, seal))
    expect((await decodeSegment(second.bytes, open)).header.previous_chain).toBe(first.described.chain)
  })

  it('takes 1,000 messages or 4 MiB, and one message however large', async () => {
    const small = Array.from({ length: 1_001 }, (_, index) => message(index + 1, Buffer.from('"x"')))
    expect((await segmentOf(small, seal)).added).toBe(limits.archiveSegmentMessagesMax)
    const large = [1, 2, 3, 4, 5].map((seq) =>
      message(seq, Buffer.alloc(limits.archiveSegmentBytesMax / 4 - 2_000, seq)),
    )
    expect((await segmentOf(large, seal)).added).toBe(4)
    expect((await segmentOf([message(1, Buffer.alloc(limits.archiveSegmentBytesMax * 2))], seal)).added).toBe(1)
  })

  it('has no gap', () => {
    const builder = new SegmentBuilder({ number: 1, firstSeq: 1, previousChain: chainStart, seal })
    builder.add(message(1, null))
    expect(() => builder.add(message(3, null))).toThrow(/message 2 is missing/)
  })
})

describe('a sealed segment', () => {
  const seal = new RowSeal(scope, newMaterial())
  const text = Buffer.from('"the marzipan is under the lighthouse"')

  it('tells nothing of its messages: its header and its chain neither', async () => {
    const { bytes, described } = await segmentOf([message(1, text)], seal)
    const open = await segmentOf([message(1, text)], undefined)
    expect(bytes.includes('marzipan')).toBe(false)
    expect(bytes.includes('a session')).toBe(false)
    expect(described.chain).not.toBe(open.described.chain)
  })

  it('is refused without its key, under another, and with another header', async () => {
    const { bytes } = await segmentOf([message(1, text)], seal)
    const problem = async (object: Uint8Array, opened: RowSeal | undefined) =>
      String(await decodeSegment(object, () => Promise.resolve(opened)).catch((error: unknown) => error))
    expect(await problem(bytes, undefined)).toContain('the key that opens it is missing')
    expect(await problem(bytes, new RowSeal(scope, newMaterial()))).toContain('altered or moved')
    const moved = Buffer.from(bytes.subarray(0, -32))
    moved.write('9', moved.indexOf('"number":1') + '"number":'.length)
    expect(await problem(Buffer.concat([moved, sha256(moved)]), seal)).toContain('altered or moved')
  })
})
