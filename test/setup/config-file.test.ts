import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { InputError } from '../../src/errors.ts'
import { readClientConfig, replaceClientConfig } from '../../src/setup/config-file.ts'

let home: string

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'verbatim-config-'))
})

afterEach(async () => {
  await rm(home, { recursive: true, force: true })
})

describe('replaceClientConfig()', () => {
  it('leaves what it cannot replace, and no temporary file', async () => {
    const path = join(home, 'taken')
    await mkdir(path)
    await writeFile(join(path, 'inside'), 'kept')
    const refusal: unknown = await replaceClientConfig(path, 'new').catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(InputError)
    expect(refusal).toMatchObject({
      message: expect.stringContaining(`Cannot write "${path}"`),
      remedy: expect.stringContaining('by hand'),
    })
    expect(await readdir(home)).toEqual(['taken'])
    expect(await readFile(join(path, 'inside'), 'utf8')).toBe('kept')
  })

  it('says so when a directory of the path is a file', async () => {
    await writeFile(join(home, 'file'), '')
    await expect(replaceClientConfig(join(home, 'file', 'config.json'), '{}')).rejects.toThrow(InputError)
  })

  it.skipIf(process.platform === 'win32')('refuses links that lead in a circle', async () => {
    await symlink(join(home, 'b'), join(home, 'a'))
    await symlink(join(home, 'a'), join(home, 'b'))
    await expect(replaceClientConfig(join(home, 'a'), '{}')).rejects.toThrow(/must lead to a file within 40 links/)
  })
})

describe('readClientConfig()', () => {
  it('gives back a byte order mark, so that what is written again is the same', async () => {
    await writeFile(join(home, 'c.json'), '\uFEFF{}\r\n')
    expect(await readClientConfig(join(home, 'c.json'))).toBe('\uFEFF{}\r\n')
    expect(await readClientConfig(join(home, 'absent.json'))).toBeUndefined()
  })
})
