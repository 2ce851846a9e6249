import { z } from 'zod'

import { InputError } from '../errors.ts'
import { absolutePath } from './absolute-path.ts'

export const archiveSettingsShape = {
  VERBATIM_ARCHIVE: z
    .string()
    .optional()
    .describe(
      'Where the archive is, which holds payloads above 1 MiB and a copy of all sessions: s3://bucket/prefix (Amazon S3, MinIO and other servers that speak its protocol; keys and region as the AWS SDK reads them) or file:/directory. Default: the directory archive of the home',
    ),
  VERBATIM_ARCHIVE_IDLE_MINUTES: z.coerce
    .number()
    .min(0.01)
    .max(10_000)
    .default(5)
    .describe(
      'Minutes without a save after which a session is brought into the archive; a session that is closed, or has enough for a segment, is brought there sooner. What is not yet there is lost with the database',
    ),
  AWS_ENDPOINT_URL_S3: z
    .string()
    .optional()
    .describe('The address of a server that is not Amazon’s, for example http://127.0.0.1:9000. Used with s3:// only'),
  AWS_ENDPOINT_URL: z
    .string()
    .optional()
    .describe('The same, as the AWS SDK reads it for all of its services. AWS_ENDPOINT_URL_S3 goes before it'),
  AWS_REGION: z.string().optional().describe('The region of the bucket. Used with s3:// only. Default: us-east-1'),
} as const

/** Where the archive is. */
export type ArchiveSettings =
  | { readonly kind: 'directory'; readonly path: string | undefined }
  | ({ readonly kind: 's3' } & BucketSettings)

export interface BucketSettings {
  readonly bucket: string
  /** Empty, or a path that ends with a slash. */
  readonly prefix: string
  /** Undefined for Amazon's own. */
  readonly endpoint: string | undefined
  readonly region: string
}

/** Throws InputError where the place cannot be used. */
export function readArchiveSettings(settings: z.infer<z.ZodObject<typeof archiveSettingsShape>>): ArchiveSettings {
  const place = settings.VERBATIM_ARCHIVE
  if (place === undefined) return { kind: 'directory', path: undefined }
  if (place.startsWith('file:'))
    return { kind: 'directory', path: absolutePath('VERBATIM_ARCHIVE', place.replace(/^file:(\/\/)?/, '')) }
  const [, bucket, path = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(place) ?? []
  if (bucket === undefined)
    throw new InputError(`Cannot start as VERBATIM_ARCHIVE must be s3://bucket/prefix or file:/directory`, {
      remedy: 'Unset it to keep the archive in the home',
    })
  const setting = settings.AWS_ENDPOINT_URL_S3 === undefined ? 'AWS_ENDPOINT_URL' : 'AWS_ENDPOINT_URL_S3'
  const endpoint = settings[setting]
  if (endpoint !== undefined && !/^https?:\/\/[^\s/]/.test(endpoint))
    throw new InputError(`Cannot start as ${setting} must begin with https:// or http://`, {
      remedy: 'Unset it to use Amazon S3',
    })
  const prefix = path.split('/').filter((part) => part !== '')
  return {
    kind: 's3',
    bucket,
    prefix: prefix.map((part) => `${part}/`).join(''),
    endpoint,
    region: settings.AWS_REGION ?? 'us-east-1',
  }
}
