import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo } from 'node:net'

import { expect, it, onTestFinished, vi } from 'vitest'

import { S3Archive } from '../../src/adapters/archives/s3-archive.ts'
import { limits } from '../../src/limits.ts'

/** A bucket whose three versions of an object may not be deleted, as under Object Lock; `on` is told of each deletion and says how one that hides is answered. */
async function lockedBucket(on: (url: string) => number, listMs = 0): Promise<S3Archive> {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'tests')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'tests-secret')
  const versions = ['v1', 'v2', 'v3'].map(
    (id) => `<Version><Key>payloads/a</Key><VersionId>${id}</VersionId></Version>`,
  )
  const server = createServer((request, response) => {
    const url = request.url ?? ''
    if (request.method === 'GET') {
      response.setHeader('content-type', 'application/xml')
      const body = `<ListVersionsResult><IsTruncated>false</IsTruncated>${versions.join('')}</ListVersionsResult>`
      setTimeout(() => response.end(body), listMs)
      return
    }
    const status = on(url)
    response.statusCode = url.includes('versionId') ? 403 : status
    response.end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    vi.unstubAllEnvs()
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  const { port }: Pick<AddressInfo, 'port'> = typeof address === 'object' && address !== null ? address : { port: 0 }
  return new S3Archive({ bucket: 'locked', prefix: '', endpoint: `http://127.0.0.1:${port}`, region: 'us-east-1' })
}

it('erase() hides what the bucket keeps', async () => {
  const deleted: string[] = []
  const archive = await lockedBucket((url) => {
    deleted.push(url)
    return 204
  })
  expect(await archive.erase('payloads/a')).toEqual({ erased: 0, kept: ['payloads/a'] })
  expect(deleted.filter((url) => !url.includes('versionId'))).toHaveLength(3)
})

it('erase() waits for a list that a large bucket thinks about longer than a save may wait', async () => {
  const archive = await lockedBucket(() => 204, limits.archiveSilentMs + 1_500)
  expect(await archive.erase('payloads/a')).toEqual({ erased: 0, kept: ['payloads/a'] })
})

it('erase() hides nothing more and deletes no further version once its signal has fired', async () => {
  const deleted: string[] = []
  const late = new AbortController()
  const archive = await lockedBucket((url) => {
    deleted.push(url)
    if (!url.includes('versionId')) late.abort()
    return 503
  })
  await expect(archive.erase('payloads/a', undefined, late.signal)).rejects.toThrow('the archive bucket: ')
  // One was on its way already.
  expect(deleted).toEqual([expect.stringContaining('versionId=v1'), expect.not.stringContaining('versionId')])
})
