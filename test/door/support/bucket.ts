import { randomUUID } from 'node:crypto'

import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { vi } from 'vitest'

import { rootKeyOfTests } from '../../support/root-key.ts'

/** The S3 server of the tests; undefined where there is none, and what needs it is skipped. */
export const s3Endpoint = process.env['TEST_S3_ENDPOINT']

const keys = {
  AWS_ACCESS_KEY_ID: process.env['TEST_S3_KEY'] ?? 'tests',
  AWS_SECRET_ACCESS_KEY: process.env['TEST_S3_SECRET'] ?? 'tests-secret',
}

/** Makes a bucket, and gives the settings with which a store has its archive there. */
export async function bucketSettings(endpoint = s3Endpoint): Promise<Record<string, string>> {
  const bucket = `verbatim-${randomUUID()}`
  for (const [name, value] of Object.entries(keys)) vi.stubEnv(name, value)
  const client = new S3Client({ endpoint: s3Endpoint ?? '', region: 'us-east-1', forcePathStyle: true })
  await client.send(new CreateBucketCommand({ Bucket: bucket }))
  client.destroy()
  vi.unstubAllEnvs()
  return {
    ...keys,
    VERBATIM_ARCHIVE: `s3://${bucket}/memory`,
    AWS_ENDPOINT_URL_S3: endpoint ?? '',
    VERBATIM_ROOT_KEY: rootKeyOfTests,
  }
}
