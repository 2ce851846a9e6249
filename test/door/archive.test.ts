import { randomUUID } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { describe, expect, test, vi } from 'vitest'

import { useHome } from './support/home.ts'

const home = useHome()

describe('an archive that cannot be used', () => {
  test.each([
    ['ftp://somewhere', /must be s3:\/\/bucket\/prefix or file:\/directory/, 2],
    ['s3://UPPER', /must be s3:\/\/bucket/, 2],
    ['file:relative', /must be an absolute path/, 2],
  ])('is refused at the start: %s', async (place, message, code) => {
    const result = await home.cli(['status'], { env: { VERBATIM_ARCHIVE: place } })
    expect(result.code).toBe(code)
    expect(result.stderr).toMatch(message)
  })

  const env = {
    VERBATIM_ARCHIVE: 's3://verbatim/memory',
    AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1',
    AWS_ACCESS_KEY_ID: 'key',
    AWS_SECRET_ACCESS_KEY: 'secret',
  }

  test('ends an import with the exit code of what is away, not that of a file that is at fault', async () => {
    const path = join(home.directory('transcripts'), 'large.jsonl')
    const message = { role: 'user', content: 'x'.repeat(2 * 1024 * 1024) }
    const about = { type: 'user', uuid: 'u', sessionId: 'large', timestamp: '2026-01-01T00:00:00.000Z' }
    writeFileSync(path, `${JSON.stringify({ ...about, message })}\n`)
    const away = await home.cli(['import', '--rows-only', '--json', path], { env })
    expect(away.code).toBe(3)
    expect(JSON.parse(away.stdout)).toMatchObject([{ status: 'failed', reason: expect.stringContaining('archive') }])
    expect((await home.cli(['import', '--rows-only', join(path, 'none')])).code).not.toBe(3)
  })

  test.each(['AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL_S3'])('is looked for where %s says', async (setting) => {
    const { AWS_ENDPOINT_URL_S3: endpoint, ...keys } = env
    const doctor = await home.cli(['doctor'], { env: { ...keys, [setting]: endpoint } })
    expect(doctor.stdout).toMatch(/PROBLEM.*archive bucket: ECONNREFUSED/)
    const wrong = await home.cli(['doctor'], { env: { ...keys, [setting]: '127.0.0.1:1' } })
    expect(wrong.stdout + wrong.stderr).toContain(`${setting} must begin with https:// or http://`)
  })

  test('a server that cannot write to it does not start, and doctor says so', async () => {
    const { code, stderr } = await home.cli(['serve', '--port', '0'], { env })
    expect(code).toBe(3)
    expect(stderr).toMatch(/Cannot write to the archive bucket: ECONNREFUSED.*VERBATIM_ARCHIVE/s)
    expect((await home.cli(['doctor'], { env })).stdout).toMatch(/PROBLEM.*archive bucket/)
  })
})

describe('an archive in a directory of its own', () => {
  test('holds what is large', async () => {
    const directory = home.directory('elsewhere')
    // Encrypted it has a name that tells nothing.
    home.settings = { ...home.settings, VERBATIM_ARCHIVE: `file:${directory}`, VERBATIM_ENCRYPTION: 'off' }
    await home.endDaemon()
    const tools = await home.tools()
    const saved = await tools.save({ content: 'y'.repeat(2 * 1024 * 1024), sender: 'Ada' })
    expect(existsSync(join(directory, 'payloads', saved.sha256.slice(0, 2), saved.sha256))).toBe(true)
  })
})

describe.skipIf(process.env['TEST_S3_ENDPOINT'] === undefined)('an archive in a bucket', () => {
  test('keeps a large message word for word, and verify finds it intact', async () => {
    const endpoint = process.env['TEST_S3_ENDPOINT'] ?? ''
    const bucket = `verbatim-${randomUUID()}`
    const keys = {
      AWS_ACCESS_KEY_ID: process.env['TEST_S3_KEY'] ?? 'tests',
      AWS_SECRET_ACCESS_KEY: process.env['TEST_S3_SECRET'] ?? 'tests-secret',
    }
    for (const [name, value] of Object.entries(keys)) vi.stubEnv(name, value)
    const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true })
    await client.send(new CreateBucketCommand({ Bucket: bucket }))
    client.destroy()
    vi.unstubAllEnvs()
    home.settings = {
      ...home.settings,
      ...keys,
      VERBATIM_ARCHIVE: `s3://${bucket}/memory`,
      AWS_ENDPOINT_URL_S3: endpoint,
    }
    await home.endDaemon()
    const tools = await home.tools()
    const content = `The word marguerite, and then ${'z'.repeat(2 * 1024 * 1024)}`
    const saved = await tools.save({ content, sender: 'Ada', session_id: 'in the bucket' })
    const [message] = await tools.allMessages('in the bucket', { max_tokens: 25_000 })
    expect(message?.id).toBe(saved.message_id)
    expect((await tools.search({ query: 'marguerite' })).results[0]?.session_id).toBe(saved.session_id)
    const exported = await home.cli(['export', 'in the bucket', '--format', 'json'])
    expect(exported.stdout).toContain(content)
    expect(existsSync(join(home.path, 'archive', 'payloads', saved.sha256.slice(0, 2), saved.sha256))).toBe(false)
    expect((await home.cli(['verify'])).stdout).toMatch(/PROBLEM|all intact/)
    expect((await home.cli(['verify'])).stdout).not.toContain(saved.message_id)
  })
})
