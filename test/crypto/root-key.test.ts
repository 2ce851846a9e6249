import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, describe, expect, it } from 'vitest'

import { makeRootKeyFile, readRootKey } from '../../src/crypto/root-key.ts'
import { InputError, UnavailableError } from '../../src/errors.ts'

const directory = mkdtempSync(join(tmpdir(), 'verbatim-root-key-'))
afterAll(() => rmSync(directory, { recursive: true }))
const bytes = randomBytes(32)

describe('readRootKey()', () => {
  it('takes base64 and hexadecimal for the same key, from a value, a file and a command', async () => {
    const path = join(directory, 'given.key')
    writeFileSync(path, `${bytes.toString('hex')}\n`)
    const ids = [
      (await readRootKey({ kind: 'value', text: bytes.toString('base64') }))?.id,
      (await readRootKey({ kind: 'value', text: ` ${bytes.toString('hex').toUpperCase()}\n` }))?.id,
      (await readRootKey({ kind: 'file', path }))?.id,
      (await readRootKey({ kind: 'command', command: `node -p "'${bytes.toString('base64')}'"` }))?.id,
    ]
    expect(new Set(ids).size).toBe(1)
    expect(ids[0]).toMatch(/^[0-9a-f]{16}$/)
    expect(bytes.toString('hex')).not.toContain(ids[0])
  })

  it('is undefined where the file is not there', async () => {
    expect(await readRootKey({ kind: 'file', path: join(directory, 'nowhere') })).toBeUndefined()
  })

  it('refuses what is no key, and does not quote it', async () => {
    for (const text of ['password', bytes.toString('hex').slice(2), bytes.toString('base64').slice(4)]) {
      const error = await readRootKey({ kind: 'value', text }).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(InputError)
      expect(String(error)).toContain('VERBATIM_ROOT_KEY as it must be 32 bytes in base64 or hexadecimal')
      expect(String(error)).not.toContain(text)
    }
  })

  it('says that a command failed, and nothing of what it printed', async () => {
    const command = `node -e "console.log('s3cret'); console.error('s3cret'); process.exit(3)"`
    const error = await readRootKey({ kind: 'command', command }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(UnavailableError)
    expect(JSON.stringify([String(error), error])).not.toContain('s3cret')
  })
})

describe('makeRootKeyFile()', () => {
  it('makes one key for its owner alone, however many make it at once', async () => {
    const path = join(directory, 'root.key')
    await Promise.all(Array.from({ length: 20 }, () => makeRootKeyFile(path)))
    const key = await readRootKey({ kind: 'file', path })
    expect(key?.id).toMatch(/^[0-9a-f]{16}$/)
    expect(process.platform === 'win32' ? 0 : statSync(path).mode & 0o077).toBe(0)
    const before = readFileSync(path, 'utf8')
    await makeRootKeyFile(path)
    expect(readFileSync(path, 'utf8')).toBe(before)
    expect(readdirSync(directory).filter((name) => name.startsWith('root.key'))).toEqual(['root.key'])
  })
})
