import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { listFiles, type PassedOver } from '../../src/capture/documents/list-files.ts'
import { InputError } from '../../src/errors.ts'
import { temporaryDirectory } from '../support/transcripts.ts'

describe.skipIf(process.platform === 'win32')('listFiles()', () => {
  it('goes on after links to nothing, links in a loop and directories in a loop', async () => {
    const root = await temporaryDirectory()
    await mkdir(join(root, 'b'))
    await writeFile(join(root, 'b', 'file'), 'x')
    await writeFile(join(root, 'z'), 'x')
    await symlink(join(root, 'nothing'), join(root, 'a dangling'))
    await symlink(join(root, 'a loop'), join(root, 'a loop'))
    await symlink(root, join(root, 'b', 'above'))
    const passedOver: PassedOver[] = []
    const files = await listFiles([root], { onPassedOver: (path) => passedOver.push(path) })
    expect(files.map(({ path }) => path)).toEqual([join(root, 'b', 'file'), join(root, 'z')])
    expect(passedOver.map(({ path, status }) => [path, status])).toEqual([
      [join(root, 'a dangling'), 'skipped'],
      [join(root, 'a loop'), 'skipped'],
      [join(root, 'b', 'above'), 'skipped'],
    ])
  })

  it('refuses an empty path, and passes over what packages hold and git keeps until it is named', async () => {
    await expect(listFiles([''])).rejects.toThrow(/empty/)
    const root = await temporaryDirectory()
    for (const name of ['a', 'node_modules', '.git']) {
      await mkdir(join(root, name))
      await writeFile(join(root, name, 'package.json'), '{}')
    }
    const passedOver: PassedOver[] = []
    const files = await listFiles([root], { onPassedOver: (path) => passedOver.push(path) })
    expect(files.map(({ path }) => path)).toEqual([join(root, 'a', 'package.json')])
    expect(passedOver.map(({ path }) => path)).toEqual([join(root, '.git'), join(root, 'node_modules')])
    expect(await listFiles([join(root, 'node_modules')])).toHaveLength(1)
  })

  it('refuses a named path that does not exist, and passes over one that a search has found', async () => {
    const root = await temporaryDirectory()
    const gone = join(root, 'gone')
    const passedOver: PassedOver[] = []
    const onPassedOver = (path: PassedOver) => passedOver.push(path)
    await expect(listFiles([gone], { onPassedOver })).rejects.toThrow(InputError)
    expect(await listFiles([gone], { onPassedOver, found: true })).toEqual([])
    expect(passedOver).toMatchObject([{ path: gone, status: 'skipped' }])
  })
})
