import type * as Sdk from '@aws-sdk/client-s3'

import type { BucketSettings } from '../../config.ts'
import { limits } from '../../limits.ts'

/** The client of a bucket, loaded when it is first needed. */
export interface OpenedBucket {
  readonly sdk: typeof Sdk
  readonly client: Sdk.S3Client
}

/** One version of an object, or the mark that hides those before it. In a bucket without versions each object has one. */
export interface ObjectVersion {
  /** Without the prefix of the archive. */
  readonly key: string
  readonly versionId: string | undefined
  readonly isMarker: boolean
}

interface Asking {
  readonly attempt: <T>(work: (opened: OpenedBucket) => Promise<T>) => Promise<T>
  readonly signal: AbortSignal | undefined
}

/** One request takes no longer than it may, and ends with the signal. */
export function bounded(signal?: AbortSignal): { readonly abortSignal: AbortSignal } {
  const late = AbortSignal.timeout(limits.archiveRequestMs)
  return { abortSignal: signal === undefined ? late : AbortSignal.any([late, signal]) }
}

/** Every version of every object whose key begins with a prefix. */
export async function* versionsBelow(
  prefix: string,
  { bucket, prefix: own }: BucketSettings,
  { attempt, signal }: Asking,
): AsyncGenerator<ObjectVersion> {
  let place: { readonly KeyMarker?: string; readonly VersionIdMarker?: string } | undefined = {}
  while (place !== undefined) {
    const markers = place
    const page: Sdk.ListObjectVersionsCommandOutput = await attempt(({ sdk, client }) =>
      client.send(
        new sdk.ListObjectVersionsCommand({ Bucket: bucket, Prefix: `${own}${prefix}`, ...markers }),
        bounded(signal),
      ),
    )
    const found = [
      ...(page.Versions ?? []).map((version) => ({ ...version, isMarker: false })),
      ...(page.DeleteMarkers ?? []).map((marker) => ({ ...marker, isMarker: true })),
    ]
    for (const { Key: key, VersionId: versionId, isMarker } of found)
      if (key !== undefined) yield { key: key.slice(own.length), versionId, isMarker }
    place =
      page.IsTruncated === true && page.NextKeyMarker !== undefined
        ? {
            KeyMarker: page.NextKeyMarker,
            ...(page.NextVersionIdMarker === undefined ? {} : { VersionIdMarker: page.NextVersionIdMarker }),
          }
        : undefined
  }
}

/** What an erasure is noted by; of a mark, which holds nothing, there is no note. */
export function nameOfVersion({ key, versionId, isMarker }: ObjectVersion): string[] {
  return isMarker ? [] : [versionId === undefined ? key : `${key} ${versionId}`]
}

export async function* lotsOf(versions: AsyncIterable<ObjectVersion>): AsyncGenerator<ObjectVersion[]> {
  let lot: ObjectVersion[] = []
  for await (const version of versions) {
    lot.push(version)
    if (lot.length < limits.erasedObjectsAtOnce) continue
    yield lot
    lot = []
  }
  if (lot.length > 0) yield lot
}
