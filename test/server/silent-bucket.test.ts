import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'

import { expect, onTestFinished, test } from 'vitest'

import { openHome } from '../door/support/archived.ts'
import { rootKeyOfTests } from '../support/root-key.ts'

const payload = 'x'.repeat(2 * 1024 * 1024)

/** The settings of an archive on a server that takes what it is sent and never says a word. */
async function silentBucket(): Promise<Record<string, string>> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => socket.destroy()).resume())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    AWS_ACCESS_KEY_ID: 'tests',
    AWS_SECRET_ACCESS_KEY: 'tests-secret',
    AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}`,
    VERBATIM_ARCHIVE: 's3://silent/memory',
    VERBATIM_ROOT_KEY: rootKeyOfTests,
  }
}

// Longer than a bucket is waited for, and shorter than it once was: eight minutes.
test('a bucket that takes all and says nothing is told of in time', { timeout: 150_000 }, async () => {
  const home = await openHome(await silentBucket())
  const tools = await home.tools()
  const large = tools.refusal('save_message', { content: payload, sender: 'Ada', session_id: 'large' })
  const started = home.cli(['serve', '--port', '0'])
  expect((await tools.save({ content: 'small', sender: 'Ada', session_id: 'small' })).seq).toBe(1)
  // A client of MCP waits for a minute by itself.
  expect(await large).toMatch(/Cannot write to the archive bucket: TimeoutError.*try again/)
  expect(await started).toMatchObject({
    code: 3,
    stderr: expect.stringMatching(/Cannot write to the archive bucket: TimeoutError\nCheck the bucket/),
  })
  // What was not stored was not acknowledged, and what follows it is not held up.
  expect((await tools.save({ content: 'next', sender: 'Ada', session_id: 'large' })).seq).toBe(1)
})
