import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'

import { DirectoryArchive } from '../../src/adapters/archives/directory-archive.ts'
import { S3Archive } from '../../src/adapters/archives/s3-archive.ts'
import { UnavailableError } from '../../src/errors.ts'
import { describeArchiveStore } from '../contract/describe-archive-store.ts'
import { FaultProxy, type Fault } from '../support/fault-proxy.ts'

const directory = mkdtempSync(join(tmpdir(), 'verbatim-archive-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))
describeArchiveStore('DirectoryArchive', () => new DirectoryArchive(join(directory, 'archive')))

const endpoint = process.env['TEST_S3_ENDPOINT']
if (endpoint === undefined)
  console.warn('Skipped: all tests on an S3 server, as TEST_S3_ENDPOINT names none (.ci/s3 starts one)')

describe.skipIf(endpoint === undefined)('on an S3 server', () => {
  const bucket = `verbatim-${randomUUID()}`
  const settings = { bucket, prefix: 'some/where/', endpoint, region: 'us-east-1' }

  beforeAll(async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', process.env['TEST_S3_KEY'] ?? 'tests')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', process.env['TEST_S3_SECRET'] ?? 'tests-secret')
    vi.stubEnv('AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED', 'true')
    const client = new S3Client({ endpoint: endpoint ?? '', region: 'us-east-1', forcePathStyle: true })
    await client.send(new CreateBucketCommand({ Bucket: bucket }))
    client.destroy()
  })

  describeArchiveStore('S3Archive', () => new S3Archive(settings))

  it('keeps to its prefix', async () => {
    const key = `payloads/${randomUUID()}`
    await new S3Archive(settings).put(key, Buffer.from('mine'))
    const elsewhere = new S3Archive({ ...settings, prefix: 'other/' })
    expect(await elsewhere.get(key)).toBeUndefined()
    const whole = new S3Archive({ ...settings, prefix: '' })
    expect(Buffer.from((await whole.get(`some/where/${key}`)) ?? []).toString()).toBe('mine')
  })

  it.each([
    ['that is not there', { bucket: 'verbatim-nowhere' }, {}, /NoSuchBucket/],
    ['with other keys', {}, { AWS_SECRET_ACCESS_KEY: 'wrong' }, /SignatureDoesNotMatch/],
    ['on a server that is not there', { endpoint: 'http://127.0.0.1:1' }, {}, /ECONNREFUSED/],
  ])('says what is wrong with a bucket %s', async (...[, change, env, message]) => {
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
    const error = await new S3Archive({ ...settings, ...change }).check().catch((reason: unknown) => reason)
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', process.env['TEST_S3_SECRET'] ?? 'tests-secret')
    expect(error).toBeInstanceOf(UnavailableError)
    expect(error).toMatchObject({
      message: expect.stringMatching(message),
      remedy: expect.stringContaining('VERBATIM_ARCHIVE'),
    })
  })

  describe('behind a network with faults', () => {
    let proxy: FaultProxy
    beforeAll(async () => {
      proxy = await FaultProxy.start(endpoint ?? '')
    })
    afterAll(() => proxy.stop())

    const faults: readonly Fault[] = ['refused', 'reset', 'lost answer', 'slow', 'unavailable', 'truncated', 'altered']

    it.each(faults)('stores whole what it says that it has stored: %s', { timeout: 60_000 }, async (fault) => {
      const archive = new S3Archive({ ...settings, endpoint: proxy.url })
      const key = `payloads/${randomUUID()}`
      const bytes = randomBytes(300_000)
      proxy.next(fault)
      await archive.put(key, bytes)
      expect(proxy.left).toBe(0)
      expect(Buffer.compare((await new S3Archive(settings).get(key)) ?? Buffer.from('none'), bytes)).toBe(0)
    })

    it.each(faults)('reads what was stored: %s', { timeout: 60_000 }, async (fault) => {
      const key = `payloads/${randomUUID()}`
      const bytes = randomBytes(300_000)
      await new S3Archive(settings).put(key, bytes)
      proxy.next(fault)
      const read = await new S3Archive({ ...settings, endpoint: proxy.url }).get(key)
      expect(proxy.left).toBe(0)
      expect(Buffer.compare(read ?? Buffer.from('none'), bytes)).toBe(0)
    })

    it('fails by name where a server is away for longer', { timeout: 60_000 }, async () => {
      proxy.next(...Array.from({ length: 40 }, () => 'refused' as const))
      const error = await new S3Archive({ ...settings, endpoint: proxy.url })
        .put(`payloads/${randomUUID()}`, Buffer.from('x'))
        .catch((reason: unknown) => reason)
      proxy.next()
      expect(error).toBeInstanceOf(UnavailableError)
    })
  })
})
