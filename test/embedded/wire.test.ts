import fc from 'fast-check'
import { expect, test } from 'vitest'

import {
  FrameReader,
  closeStatementFrame,
  errorResponse,
  queryFrame,
  readyForQuery,
  renameStatement,
  replaceError,
  startupFrame,
  startupParameters,
  statusAtEnd,
  syncFrame,
} from '../../src/store/embedded/wire.ts'
import { startupIn } from '../../src/store/guarded-socket.ts'

const framesMax = 1 << 20

test('FrameReader.next() gives the same frames however the bytes are cut', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 50 }), { minLength: 1 }), fc.array(fc.nat(40)), (queries, cuts) => {
      const frames = queries.map((sql) => queryFrame(sql.replaceAll('\0', '')))
      const bytes = Buffer.concat(frames)
      const reader = new FrameReader(framesMax)
      const found: Buffer[] = []
      let at = 0
      for (const cut of [...cuts, bytes.length]) {
        reader.push(bytes.subarray(at, at + cut))
        at = Math.min(at + cut, bytes.length)
        for (let frame = reader.next(true); frame !== undefined; frame = reader.next(true)) found.push(frame)
      }
      expect(found.map(String)).toEqual(frames.map(String))
      expect(reader.sizeBytes).toBe(0)
    }),
  )
})

test('FrameReader.next() refuses a length out of bounds by name', () => {
  for (const length of [-1, 3, framesMax + 1]) {
    const frame = Buffer.from(syncFrame)
    frame.writeInt32BE(length, 1)
    const reader = new FrameReader(framesMax)
    reader.push(frame)
    expect(() => reader.next(true)).toThrow(`must be <= ${framesMax}: current value is ${length}`)
  }
})

function message(type: string, body: string): Buffer {
  const frame = Buffer.from(`${type}....${body}`, 'latin1')
  frame.writeInt32BE(frame.length - 1, 1)
  return frame
}

test('renameStatement() renames named statements only, in the four messages that name one', () => {
  const rename = (name: string): string => `7.${name}`
  expect(renameStatement(message('P', 's1\0select 1\0\0\0'), rename)).toEqual(message('P', '7.s1\0select 1\0\0\0'))
  expect(renameStatement(message('B', 'portal\0s1\0\0\0'), rename)).toEqual(message('B', 'portal\x007.s1\0\0\0'))
  expect(renameStatement(message('D', 'Ss1\0'), rename)).toEqual(message('D', 'S7.s1\0'))
  expect(renameStatement(closeStatementFrame('s1'), rename)).toEqual(closeStatementFrame('7.s1'))
  for (const untouched of [
    message('P', '\0select 1\0\0\0'),
    message('B', '\0\0\0\0'),
    message('D', 'Pportal\0'),
    message('C', 'Pportal\0'),
    message('E', 's1\0\0\0\0\0'),
    queryFrame('s1'),
  ]) {
    expect(renameStatement(untouched, rename)).toBe(untouched)
  }
})

test('statusAtEnd() reads ReadyForQuery and nothing else', () => {
  for (const status of ['I', 'T', 'E'] as const) expect(statusAtEnd(readyForQuery(status))).toBe(status)
  expect(statusAtEnd(errorResponse({ code: '58030', message: 'x' }))).toBeUndefined()
  expect(statusAtEnd(new Uint8Array(0))).toBeUndefined()
})

test('replaceError() replaces the error with that code and keeps the rest', () => {
  const before = message('1', '')
  const other = { code: '53100', message: 'Cannot save' }
  const answer = Buffer.concat([before, errorResponse({ code: '25006', message: 'read-only' }), readyForQuery('E')])
  expect(replaceError(answer, '25006', other)).toEqual(
    Buffer.concat([before, errorResponse(other), readyForQuery('E')]),
  )
  expect(replaceError(answer, '23505', other)).toBe(answer)
})

test('startupIn() drops what an earlier connection left before the startup message', () => {
  const startup = startupFrame()
  expect(startupIn(startup)).toEqual(startup)
  expect(startupIn(Buffer.concat([queryFrame('select 1'), message('P', '\0\x03\0\0\0'), startup]))).toEqual(startup)
  expect(startupParameters(startup).get('user')).toBe('postgres')
})
