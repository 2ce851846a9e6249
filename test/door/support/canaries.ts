import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { GetObjectCommand, ListObjectVersionsCommand, S3Client } from '@aws-sdk/client-s3'

import { decodeObject } from '../../../src/archive/archive-object.ts'
import type { Home } from './home.ts'

/** A word in the forms in which a store could still hold it: as it is, in hexadecimal, and in base64 wherever it begins. */
function formsOf(word: string): string[] {
  const bytes = Buffer.from(word)
  const inBase64 = [0, 1, 2].map((shift) =>
    Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      // The first and the last characters depend on what stands beside the word.
      .slice(shift === 0 ? 0 : shift + 1, -4),
  )
  return [word, bytes.toString('hex'), ...inBase64]
}

function isIn(text: string, word: string): boolean {
  return formsOf(word).some((form) => text.includes(form))
}

/** Text with everything in it that is written in hexadecimal, read as bytes too. */
function withDecoded(text: string): string {
  const decoded = [...text.matchAll(/\\\\x((?:[0-9a-f]{2})+)/g)].map(([, hex]) =>
    Buffer.from(hex ?? '', 'hex').toString('latin1'),
  )
  return [text, ...decoded].join('\n')
}

/** Which tables of a store's database hold one of some words, by table and word. */
export async function canariesInTables(home: Home, words: readonly string[]): Promise<string[]> {
  const store = home.database()
  try {
    const tables = await store.sql<{ name: string }[]>`
      select c.oid::regclass::text as name from pg_class c where c.relkind in ('r', 'p') and not c.relispartition
        and c.relnamespace not in (select oid from pg_namespace where nspname like 'pg\\_%' or nspname = 'information_schema')`
    const found: string[] = []
    for (const { name } of tables) {
      const rows = await store.sql.unsafe(`select to_jsonb(t)::text as row from ${name} t`)
      const text = withDecoded(rows.map(({ row }) => String(row)).join('\n'))
      found.push(...words.filter((word) => isIn(text, word)).map((word) => `${name}: ${word}`))
    }
    return found
  } finally {
    await store.close()
  }
}

/** Every object of an archive, former versions too, with what it holds when it is unpacked. */
async function archivedObjects(settings: Readonly<Record<string, string>>): Promise<Map<string, Buffer>> {
  const place = settings['VERBATIM_ARCHIVE'] ?? ''
  const objects = new Map<string, Buffer>()
  if (place.startsWith('file:')) {
    const root = place.slice('file:'.length)
    for (const entry of readdirSync(root, { recursive: true, withFileTypes: true }))
      if (entry.isFile())
        objects.set(join(entry.parentPath, entry.name), readFileSync(join(entry.parentPath, entry.name)))
    return objects
  }
  const [bucket = ''] = place.replace('s3://', '').split('/')
  const client = new S3Client({
    endpoint: settings['AWS_ENDPOINT_URL_S3'] ?? '',
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: {
      accessKeyId: settings['AWS_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: settings['AWS_SECRET_ACCESS_KEY'] ?? '',
    },
  })
  const { Versions: versions = [] } = await client.send(new ListObjectVersionsCommand({ Bucket: bucket }))
  for (const { Key, VersionId } of versions) {
    const { Body: body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key, VersionId }))
    objects.set(`${Key} ${VersionId}`, Buffer.from((await body?.transformToByteArray()) ?? []))
  }
  client.destroy()
  return objects
}

/** The version of the format of an object whose body is not sealed. */
const plainFormat = 1

/** What is sealed stays so: whether it can be opened is for those tests to say that have the key. */
async function unpacked(bytes: Buffer): Promise<string> {
  const own = bytes.toString('latin1')
  if (!own.startsWith('VRBA') || own.charCodeAt(4) !== plainFormat) return own
  const { header, body } = await decodeObject(bytes, () => Promise.resolve(undefined))
  return `${own}\n${JSON.stringify(header)}\n${body.toString('latin1')}`
}

/** Which objects of an archive hold one of some words. */
export async function canariesInArchive(
  settings: Readonly<Record<string, string>>,
  words: readonly string[],
): Promise<string[]> {
  const found: string[] = []
  for (const [key, bytes] of await archivedObjects(settings)) {
    const text = `${key}\n${await unpacked(bytes)}`
    found.push(...words.filter((word) => isIn(text, word)).map((word) => `${key}: ${word}`))
  }
  return found
}
