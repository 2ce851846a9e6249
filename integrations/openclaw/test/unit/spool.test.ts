import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, it, onTestFinished } from 'vitest'

import { Capture } from '../../src/capture.ts'
import { Cursors } from '../../src/cursors.ts'
import type { RowReader } from '../../src/reading/row-reader.ts'
import { Spool } from '../../src/spool.ts'

const session = { agentId: 'main', sessionId: 's1', sessionKey: 'agent:main:main' }

async function directory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'verbatim-spool-'))
  onTestFinished(() => rm(path, { recursive: true }))
  return path
}

/** A session whose rows are numbered: each read gives the next one. */
function numbered(count: () => number): RowReader {
  return {
    name: 'store',
    read: (_session, { position = '0' }) => {
      const from = Number(position)
      const lines = from < count() ? [Buffer.from(JSON.stringify({ type: 'message', id: from }))] : []
      return Promise.resolve({ lines, position: String(from + lines.length), hasMore: from + 1 < count() })
    },
  }
}

it('Spool gives segments in the order in which they were written, readable by this user only', async () => {
  const path = await directory()
  const spool = new Spool(path, { bytesMax: 1_000 })
  for (const agentId of ['b', 'a', 'b']) await spool.write({ agentId, lines: [Buffer.from(agentId)] })
  const segments = await spool.list()
  expect(await Promise.all(segments.map(({ path }) => readFile(path, 'utf8')))).toEqual(['b\n', 'a\n', 'b\n'])
  expect((await stat(segments[0]?.path ?? '')).mode & 0o077).toBe(0)
  await spool.reject(segments[0]?.path ?? '')
  // What a file manager leaves.
  await writeFile(join(path, 'agents', '.DS_Store'), '')
  expect(await spool.list()).toHaveLength(2)
})

it('Capture looks again after a turn, and when it is closed only at what was not looked at again yet', async () => {
  const path = await directory()
  let looks = 0
  const reader = numbered(() => 0)
  const counting: RowReader = { name: 'store', read: (...args) => (looks++, reader.read(...args)) }
  const options = {
    readers: [counting],
    cursors: new Cursors(join(path, 'cursors')),
    spool: new Spool(join(path, 'spool'), { bytesMax: 60 }),
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    onSpooled: () => undefined,
  }
  const soon = new Capture({ ...options, lookAgainAfterMs: [1, 20] })
  await soon.turnEnded(session)
  await expect.poll(() => looks).toBe(3)
  await soon.close()
  expect(looks).toBe(3)
  const later = new Capture({ ...options, lookAgainAfterMs: [1, 60_000] })
  await later.turnEnded(session)
  await expect.poll(() => looks).toBe(5)
  await later.close()
  expect(looks).toBe(6)
})

it('Capture leaves rows in OpenClaw while the spool is full, says so once, and takes them when there is room', async () => {
  const path = await directory()
  const spool = new Spool(join(path, 'spool'), { bytesMax: 60 })
  const said: string[] = []
  const log = { info: () => undefined, warn: (message: string) => said.push(message), error: () => undefined }
  const cursors = new Cursors(join(path, 'cursors'))
  const readers = [numbered(() => 5)]
  const capture = new Capture({ readers, cursors, spool, log, onSpooled: () => undefined })
  const taken: string[] = []
  for (let round = 0; round < 4; round++) {
    await capture.look(session)
    for (const { path: segment } of await spool.list()) {
      taken.push(...(await readFile(segment, 'utf8')).trim().split('\n'))
      if (round > 0) await spool.remove(segment)
    }
    if (round === 0) taken.length = 0
  }
  expect(taken.map((line) => JSON.parse(line).id)).toEqual([0, 1, 2, 3, 4])
  expect(said).toHaveLength(1)
  expect(said[0]).toContain('the spool is full')
})
