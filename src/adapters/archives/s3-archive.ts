import { createHash, randomUUID } from 'node:crypto'

import type { BucketSettings } from '../../config.ts'
import { codeOf, ConflictError, UnavailableError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import type { ArchiveStore, ErasedObjects, ErasureNotes } from '../../ports/archive-store.ts'
import { openClient } from './s3-client.ts'
import { bounded, lotsOf, nameOfVersion, versionsBelow, type ObjectVersion, type OpenedBucket } from './s3-versions.ts'

/** A connection that breaks in the middle of an answer is not tried again by the SDK, nor is an answer of another write. */
const attemptsMax = 4
const firstPauseMs = 100
const digestName = 'verbatim-sha256'

type Action = 'write to' | 'read from' | 'list' | 'erase from'

/** The archive in a bucket of Amazon S3 or of a server that speaks its protocol. An object is one upload; it is read back before it counts. */
export class S3Archive implements ArchiveStore {
  readonly #settings: BucketSettings
  /** By how long the bucket may say nothing. */
  readonly #opened = new Map<number, Promise<OpenedBucket>>()

  constructor(settings: BucketSettings) {
    this.#settings = settings
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    await this.#attempt('write to', async ({ sdk, client }) => {
      const command = new sdk.PutObjectCommand({
        ...this.#at(key),
        Body: body,
        ContentLength: body.length,
        IfNoneMatch: '*',
        Metadata: { [digestName]: digestOf(body) },
      })
      try {
        await client.send(command, bounded())
      } catch (error) {
        // The object is there: by another's hand, or by ours, when the answer to an earlier attempt was lost.
        if (statusOf(error) !== 412) throw error
      }
      // Several servers ignore checksums, and a broken upload must not be found when the message is needed.
      const stored = await this.#read({ sdk, client }, key)
      if (stored === undefined) throw new BrokenTransfer('the object is not there after its upload')
      if (body.equals(stored)) return
      throw new ConflictError(`Cannot store archive object "${key}" as it exists with other content`, {
        remedy: 'Run "verbatim verify": the bucket may be damaged',
      })
    })
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return await this.#attempt('read from', (opened) => this.#read(opened, key))
  }

  async delete(key: string, signal?: AbortSignal): Promise<void> {
    const work = async ({ sdk, client }: OpenedBucket) => {
      await client.send(new sdk.DeleteObjectCommand(this.#at(key)), bounded(signal))
    }
    await this.#attempt('erase from', work, signal)
  }

  /** A delete in a bucket with versions hides an object and keeps it, so that each version is deleted by its own id. */
  async erase(name: string, notes?: ErasureNotes, signal?: AbortSignal): Promise<ErasedObjects> {
    const kept = new Set<string>()
    let erased = 0
    for await (const lot of lotsOf(
      versionsBelow(name, this.#settings, { attempt: (work) => this.#attempt('list', work, signal), signal }),
    )) {
      // The key of another object may begin with the whole of this one.
      const versions = name.endsWith('/') ? lot : lot.filter(({ key }) => key === name)
      const names = versions.flatMap(nameOfVersion)
      const gone: string[] = []
      await notes?.before(names)
      for (const version of versions) {
        signal?.throwIfAborted()
        if (await this.#deleteVersion(version, signal)) gone.push(...nameOfVersion(version))
        else {
          // Hidden at least: what is written anew has its key. Where it is rights that are missing, this fails too.
          await this.delete(version.key, signal)
          kept.add(version.key)
        }
      }
      await notes?.after({ names, gone })
      erased += gone.length
    }
    return { erased, kept: [...kept] }
  }

  /** False where the bucket does not let it go. */
  async #deleteVersion({ key, versionId }: ObjectVersion, signal: AbortSignal | undefined): Promise<boolean> {
    const work = async ({ sdk, client }: OpenedBucket) => {
      try {
        await client.send(new sdk.DeleteObjectCommand({ ...this.#at(key), VersionId: versionId }), bounded(signal))
        return true
      } catch (error) {
        if (statusOf(error) !== 403) throw error
        return false
      }
    }
    return await this.#attempt('erase from', work, signal)
  }

  async *list(prefix: string): AsyncIterable<string> {
    const { bucket, prefix: own } = this.#settings
    let token: string | undefined
    do {
      const page = await this.#attempt('list', ({ sdk, client }) =>
        client.send(
          new sdk.ListObjectsV2Command({
            Bucket: bucket,
            Prefix: `${own}${prefix}`,
            ...(token === undefined ? {} : { ContinuationToken: token }),
          }),
          bounded(),
        ),
      )
      for (const { Key: name } of page.Contents ?? []) if (name !== undefined) yield name.slice(own.length)
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined
    } while (token !== undefined)
  }

  async check(): Promise<void> {
    const key = `probe/${randomUUID()}`
    await this.put(key, Buffer.from(key))
    const isKept = await this.put(key, Buffer.from(`${key} again`)).then(
      () => false,
      (error: unknown) => {
        if (error instanceof ConflictError) return true
        throw error
      },
    )
    await this.delete(key)
    if (isKept) return
    throw new UnavailableError(
      `Cannot use the bucket "${this.#settings.bucket}" as its server writes over objects that are there already`,
      { remedy: 'Use a server that knows conditional writes (If-None-Match), as Amazon S3, MinIO and Ceph do' },
    )
  }

  async #read({ sdk, client }: OpenedBucket, key: string) {
    try {
      const {
        Body: body,
        ContentLength: length,
        Metadata: metadata,
      } = await client.send(new sdk.GetObjectCommand(this.#at(key)), bounded())
      if (body === undefined) throw new BrokenTransfer('the answer has no body')
      const bytes = await body.transformToByteArray()
      if (length !== undefined && bytes.length !== length) throw new BrokenTransfer('the answer ended early')
      const digest = metadata?.[digestName]
      if (digest !== undefined && digest !== digestOf(bytes))
        throw new BrokenTransfer('the bytes of an object do not match their SHA-256')
      return bytes
    } catch (error) {
      if (nameOf(error) === 'NoSuchKey') return undefined
      throw error
    }
  }

  #at(key: string) {
    return { Bucket: this.#settings.bucket, Key: `${this.#settings.prefix}${key}` }
  }

  /** Runs an idempotent piece of work again, after a growing pause, while the fault may be of the moment. */
  async #attempt<T>(action: Action, work: (opened: OpenedBucket) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const endsAt = performance.now() + limits.archiveRetryMs
    for (let attempt = 1; ; attempt++) {
      try {
        const opened = await this.#open(silentMsOf(action))
        signal?.throwIfAborted()
        return await work(opened)
      } catch (error) {
        if (error instanceof ConflictError) throw error
        const isLast = attempt === attemptsMax || signal?.aborted === true || performance.now() >= endsAt
        if (isLast || !mayPass(error)) throw unavailable(action, error)
        await new Promise((resolve) => setTimeout(resolve, firstPauseMs * 2 ** attempt * (0.5 + Math.random())))
      }
    }
  }

  /** The SDK is 25 MB of memory: loaded when the first large payload needs it. */
  #open(silentMs: number) {
    const opened = this.#opened.get(silentMs) ?? openClient(this.#settings, silentMs)
    this.#opened.set(silentMs, opened)
    return opened
  }
}

/** A save and a read are waited for by a client; a list or an erasure is not, and a large bucket may think about it. */
function silentMsOf(action: Action): number {
  return action === 'list' || action === 'erase from' ? limits.archiveListSilentMs : limits.archiveSilentMs
}

/** A transfer whose bytes are not what they should be. */
class BrokenTransfer extends Error {
  override readonly name = 'BrokenTransfer'
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : ''
}

function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('$metadata' in error)) return undefined
  const about: unknown = error.$metadata
  return typeof about === 'object' &&
    about !== null &&
    'httpStatusCode' in about &&
    typeof about.httpStatusCode === 'number'
    ? about.httpStatusCode
    : undefined
}

/** What the server refuses (no such bucket, wrong keys) does not pass by itself; two writes at once (409) do. */
function mayPass(error: unknown): boolean {
  const status = statusOf(error)
  return status === undefined || status < 400 || status >= 500 || status === 409 || status === 408 || status === 429
}

function unavailable(action: string, error: unknown): UnavailableError {
  const reason =
    error instanceof BrokenTransfer
      ? error.message
      : nameOf(error) === 'Error'
        ? (codeOf(error) ?? 'a broken answer')
        : nameOf(error)
  return new UnavailableError(`Cannot ${action} the archive bucket: ${reason}`, {
    remedy: 'Check the bucket of VERBATIM_ARCHIVE, its address and its keys, then try again',
    cause: error,
  })
}
