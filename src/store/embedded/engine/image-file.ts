import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative, sep } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'

import { z } from 'zod'

/**
 * An image is a directory in one file: gzip of (length of the header as 32-bit big-endian, header as JSON, contents of
 * the files in the header's order). It holds a cleanly closed, migrated, empty store.
 */
const headerSchema = z.object({
  directories: z.array(z.string()),
  files: z.array(z.tuple([z.string(), z.number().int().nonnegative()])),
})

const manifestSchema = z.object({ fingerprint: z.string() })

const headerLengthBytes = 4

/** Raise it when the format of the file or the parameters of initdb change. */
const imageFormat = 2

export async function packImage(directory: string, file: string): Promise<void> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const paths = entries.map((entry) => ({ entry, path: relative(directory, join(entry.parentPath, entry.name)) }))
  const names = paths.filter(({ entry }) => entry.isFile()).map(({ path }) => path)
  const contents = await Promise.all(names.map(async (name) => readFile(join(directory, name))))
  const header = Buffer.from(
    JSON.stringify({
      directories: paths.filter(({ entry }) => entry.isDirectory()).map(({ path }) => portable(path)),
      files: names.map((name, index) => [portable(name), contents[index]?.length ?? 0]),
    }),
  )
  const length = Buffer.alloc(headerLengthBytes)
  length.writeUInt32BE(header.length)
  await writeFile(file, gzipSync(Buffer.concat([length, header, ...contents]), { level: 9 }))
}

/** Writes the image's files below `directory`, which must not exist. Nothing is synced. */
export async function unpackImage(file: string, directory: string): Promise<void> {
  const bytes = gunzipSync(await readFile(file))
  const contentsStart = headerLengthBytes + bytes.readUInt32BE(0)
  const header = headerSchema.parse(JSON.parse(bytes.toString('utf8', headerLengthBytes, contentsStart)))
  await mkdir(directory, { mode: 0o700 })
  for (const name of header.directories) await mkdir(join(directory, name), { mode: 0o700, recursive: true })
  let start = contentsStart
  for (const [name, size] of header.files) {
    // A thousand small files: written one by one without a turn of the event loop each, they take a tenth of the time.
    writeFileSync(join(directory, name), bytes.subarray(start, start + size), { mode: 0o600 })
    start += size
  }
}

export interface ImagePaths {
  readonly image: string
  /** JSON with the fingerprint that the image was made for. */
  readonly manifest: string
}

/** The image beside the compiled code, as the build leaves it. */
export function imagePathsIn(directory: string): ImagePaths {
  return { image: join(directory, 'image.gz'), manifest: join(directory, 'image.json') }
}

/** The image's file when there is one that was made for this fingerprint; else initdb has to make a new store. */
export async function imageFor(fingerprint: string, paths: ImagePaths): Promise<string | undefined> {
  let text: string
  try {
    text = await readFile(paths.manifest, 'utf8')
  } catch {
    // No image was built, for example in a checkout that was only compiled.
    return undefined
  }
  const manifest = manifestSchema.safeParse(JSON.parse(text))
  return manifest.success && manifest.data.fingerprint === fingerprint ? paths.image : undefined
}

/** What an image depends on: the engine, what initdb was told, and every migration byte for byte. */
export async function imageFingerprint(migrationsFolder: string): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(imageFormat))
  for (const name of ['@electric-sql/pglite', '@electric-sql/pglite-pgvector']) hash.update(await versionOf(name))
  const entries = await readdir(migrationsFolder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile() && /\.sql$|_journal\.json$/.test(entry.name))
  for (const path of files.map((entry) => join(entry.parentPath, entry.name)).sort()) {
    const bytes = await readFile(path)
    hash.update(JSON.stringify([portable(relative(migrationsFolder, path)), bytes.length])).update(bytes)
  }
  return hash.digest('hex')
}

/** The packages do not export their package.json, but it stands above the file that they do export. */
async function versionOf(name: string): Promise<string> {
  const file = join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'package.json')
  return z.object({ version: z.string() }).parse(JSON.parse(await readFile(file, 'utf8'))).version
}

export async function writeManifest(paths: ImagePaths, fingerprint: string): Promise<void> {
  await mkdir(dirname(paths.manifest), { recursive: true })
  await writeFile(paths.manifest, `${JSON.stringify({ fingerprint })}\n`)
}

function portable(path: string): string {
  return path.split(sep).join('/')
}
