import { describe, expect, it } from 'vitest'

import { isModuleMissing } from '../../src/adapters/optional-package.ts'
import { packageFile } from '../../src/package-file.ts'

/** As Node says it, for a module of the build. */
function notFound(what: string): Error {
  const message = `Cannot find ${what} imported from ${packageFile('dist/chunks/config-abc.js')}`
  return Object.assign(new Error(message), { code: 'ERR_MODULE_NOT_FOUND' })
}

describe('isModuleMissing()', () => {
  it('is true of a package that is not installed', async () => {
    const name: string = 'no-such-package'
    const error: unknown = await import(name).catch((reason: unknown) => reason)
    expect(isModuleMissing(error)).toBe(true)
    expect(isModuleMissing(notFound("package 'onnxruntime-node'"))).toBe(true)
  })

  it('is false of a file of our own that an update took away, and of any other error', () => {
    expect(isModuleMissing(notFound(`module '${packageFile('dist/chunks/engine-old.js')}'`))).toBe(false)
    expect(isModuleMissing(new Error('no such package'))).toBe(false)
  })
})
