import type { PathLike } from 'node:fs'
import type * as fs from 'node:fs/promises'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { beforeEach, describe, expect, it, vi } from 'vitest'

import { DirectoryArchive } from '../../src/adapters/archives/directory-archive.ts'
import { UnavailableError } from '../../src/errors.ts'
import { temporaryDirectory } from '../support/transcripts.ts'

const opened = vi.hoisted<string[]>(() => [])

vi.mock('node:fs/promises', async (importOriginal) => {
  const original = await importOriginal<typeof fs>()
  return {
    ...original,
    open: (path: PathLike, ...rest: [flags?: string, mode?: number]) => {
      opened.push(String(path))
      return original.open(path, ...rest)
    },
  }
})

const key = 'payloads/ab/abcd'

async function refusal(work: Promise<unknown>): Promise<UnavailableError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof UnavailableError)) throw new Error('Expected an UnavailableError', { cause: error })
  return error
}

describe.skipIf(process.platform === 'win32')('DirectoryArchive', () => {
  beforeEach(() => {
    opened.length = 0
  })

  it('syncs the directories of an object that is there already, as it may have survived by luck so far', async () => {
    const home = await temporaryDirectory()
    const root = join(home, 'archive')
    const directories = [join(root, 'payloads', 'ab'), join(root, 'payloads'), root, home]
    const archive = new DirectoryArchive(root)
    await archive.put(key, Buffer.from('bytes'))
    expect(opened).toEqual(expect.arrayContaining(directories))
    opened.length = 0
    await archive.put(key, Buffer.from('bytes'))
    expect(opened).toEqual(expect.arrayContaining(directories))
  })

  it('says why a write failed, in its own error and without the place of the archive', async () => {
    const directory = await temporaryDirectory()
    await writeFile(join(directory, 'file'), '')
    // Below a file neither the object nor its temporary file can be made, nor the latter be removed.
    const error = await refusal(new DirectoryArchive(join(directory, 'file')).put(key, Buffer.from('bytes')))
    expect(error.message).toMatch(/^Cannot write to the archive directory: E[A-Z]+$/)
    expect(String(error.cause)).toContain(directory)
  })

  it('says why a read or a removal failed without the place of the archive', async () => {
    const root = await temporaryDirectory()
    await mkdir(join(root, key), { recursive: true })
    const archive = new DirectoryArchive(root)
    for (const error of [await refusal(archive.get(key)), await refusal(archive.delete(key))]) {
      expect(error.message).toMatch(/^Cannot (read from|write to) the archive directory: [A-Z_]+$/)
    }
  })

  it('removes the folders of what is erased, also where an erasure that was broken off has left them empty', async () => {
    const root = await temporaryDirectory()
    const archive = new DirectoryArchive(root)
    await mkdir(join(root, '1', 'left', 'below'), { recursive: true })
    expect(await archive.erase('1/left/')).toEqual({ erased: 0, kept: [] })
    expect(await readdir(join(root, '1'))).toEqual([])
    await archive.put('1/gone/below/a', Buffer.from('a'))
    await archive.put('1/gone/b', Buffer.from('b'))
    await archive.put('1/kept/c', Buffer.from('c'))
    expect(await archive.erase('1/gone/')).toEqual({ erased: 2, kept: [] })
    expect(await readdir(join(root, '1'))).toEqual(['kept'])
    expect(await archive.erase('1/kept/c')).toEqual({ erased: 1, kept: [] })
    expect(await readdir(join(root, '1'))).toEqual([])
  })

  it('puts objects into a folder that another process removes again and again', async () => {
    const root = await temporaryDirectory()
    const [one, other] = [new DirectoryArchive(root), new DirectoryArchive(root)]
    const putting = async () => {
      for (let at = 0; at < 200; at++) {
        await one.put('1/a/kept', Buffer.from('kept'))
        expect(await one.get('1/a/kept')).toEqual(Buffer.from('kept'))
        // It may be erased while it is looked at.
        await Promise.all([one.put('1/a/kept', Buffer.from('kept')), other.erase('1/a/kept')])
        await one.erase('1/a/kept')
      }
    }
    const erasing = async () => {
      for (let at = 0; at < 2_000; at++) await other.erase('1/a/erased')
    }
    await Promise.all([putting(), erasing()])
  })
})
