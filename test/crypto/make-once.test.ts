import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import type * as fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, describe, expect, it, vi } from 'vitest'

import { makeOnce } from '../../src/make-once.ts'

/** As a file system that has no hard links answers. */
vi.mock('node:fs/promises', async (original) => ({
  ...(await original<typeof fs>()),
  link: () => Promise.reject(Object.assign(new Error('operation not permitted'), { code: 'EPERM' })),
}))

const directory = mkdtempSync(join(tmpdir(), 'verbatim-make-once-'))
afterAll(() => rmSync(directory, { recursive: true }))

describe('makeOnce() where there are no hard links', () => {
  it('keeps what the first of many has made, whole, for its owner alone', async () => {
    const path = join(directory, 'deep', 'secret')
    const all = Array.from({ length: 20 }, () => randomBytes(32))
    const seen = await Promise.all(
      all.map(async (bytes) => {
        await makeOnce(path, bytes)
        return readFileSync(path)
      }),
    )
    const [first] = seen
    expect(all.some((bytes) => bytes.equals(first ?? Buffer.alloc(0)))).toBe(true)
    for (const bytes of seen) expect(bytes.equals(first ?? Buffer.alloc(0))).toBe(true)
    expect(process.platform === 'win32' ? 0 : statSync(path).mode & 0o077).toBe(0)
    expect(readdirSync(join(directory, 'deep'))).toEqual(['secret'])
  })
})
