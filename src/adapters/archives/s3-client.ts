import { withoutSdkWarning, type BucketSettings } from '../../config.ts'
import { limits } from '../../limits.ts'
import type { OpenedBucket } from './s3-versions.ts'

/** A client of the bucket, which gives a request up where the bucket says nothing for so long. */
export async function openClient({ endpoint, region }: BucketSettings, silentMs: number): Promise<OpenedBucket> {
  const sdk = await withoutSdkWarning(() => import('@aws-sdk/client-s3'))
  const client = new sdk.S3Client({
    region,
    maxAttempts: 3,
    retryMode: 'standard',
    requestHandler: {
      connectionTimeout: limits.archiveConnectMs,
      requestTimeout: limits.archiveRequestMs,
      // A server that hangs takes connections and says nothing: a save must not wait for it longer than its client does.
      socketTimeout: silentMs,
      throwOnRequestTimeout: true,
    },
    // Other servers have no names below their own.
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
  })
  return { sdk, client }
}
