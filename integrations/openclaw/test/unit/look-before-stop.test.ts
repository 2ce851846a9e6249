import { EventEmitter, once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, it, onTestFinished } from 'vitest'

import { Capture } from '../../src/capture.ts'
import { Cursors } from '../../src/cursors.ts'
import { lookBeforeStop } from '../../src/look-before-stop.ts'
import type { RowReader } from '../../src/reading/row-reader.ts'
import { Spool } from '../../src/spool.ts'
import { UnreadSessions } from '../../src/unread-sessions.ts'
import { TranscriptFile } from '../support/transcript-file.ts'

const sessions = 20
const never = new Promise<never>(() => undefined)

/** A gateway with sessions that nothing was read of, which are read by `read`. */
async function stopping(read: RowReader['read'], given: { readonly bytesMax: number }) {
  const state = await mkdtemp(join(tmpdir(), 'verbatim-openclaw-'))
  onTestFinished(() => rm(state, { recursive: true }))
  const said: string[] = []
  const log = { info: () => undefined, warn: (message: string) => said.push(message), error: () => undefined }
  const directory = join(state, 'verbatim')
  const cursors = new Cursors(join(directory, 'cursors'))
  const spool = new Spool(join(directory, 'spool'), given)
  const unread = new UnreadSessions({ directory, stateDirectory: () => state, cursors, log })
  await unread.find(Date.now())
  for (let count = 0; count < sessions; count++) new TranscriptFile(state, `s${count}`).enter()
  const readers: RowReader[] = [{ name: 'store', read }]
  return { capture: new Capture({ readers, cursors, spool, log, onSpooled: () => undefined }), unread, spool, said }
}

it('lookBeforeStop() waits no longer than it may, however many sessions do not answer', async () => {
  let reads = 0
  const begun = new EventEmitter()
  const deadline = once(begun, 'all')
  const read: RowReader['read'] = () => {
    if (++reads === 8) begun.emit('all')
    return never
  }
  await lookBeforeStop(await stopping(read, { bytesMax: 1_000 }), deadline)
  expect(reads).toBe(8)
})

it('lookBeforeStop() looks at all of them while there is room in the spool, and then at no more', async () => {
  const line = Buffer.from(JSON.stringify({ type: 'message', id: 1 }))
  let reads = 0
  const read: RowReader['read'] = (_session, { position }) => {
    if (position === undefined) reads += 1
    return Promise.resolve({ lines: position === undefined ? [line] : [], position: '1', hasMore: false })
  }
  const roomy = await stopping(read, { bytesMax: 10_000 })
  await lookBeforeStop(roomy, never)
  expect(await roomy.spool.list()).toHaveLength(sessions)
  reads = 0
  const full = await stopping(read, { bytesMax: 10 })
  await full.spool.write({ agentId: 'main', lines: [line] })
  await lookBeforeStop(full, never)
  expect(reads).toBeLessThanOrEqual(8)
  expect(full.said).toEqual([expect.stringContaining('the spool is full')])
})
