import { readFile, stat, writeFile } from 'node:fs/promises'
import { basename, join, relative } from 'node:path'

import { assert, asyncProperty, nat } from 'fast-check'
import { describe, expect, it } from 'vitest'

import { InputError } from '../../src/errors.ts'
import { openclawSqlite } from '../../src/transcripts/openclaw/openclaw-sqlite.ts'
import { detectFormat } from '../../src/transcripts/registry.ts'
import { sharedData } from '../support/shared-data.ts'
import { filesBelow, readOne, readTranscript, temporaryDirectory } from '../support/transcripts.ts'

const root = sharedData('transcripts')
const paths = root === undefined ? [] : await filesBelow(root)
const named = paths.map((path) => [relative(root ?? '', path), path] as const)

describe.skipIf(root === undefined)('damaged files', () => {
  const texts = named.filter(([name]) => /\.jsonl?$/u.test(name))
  it.each(texts)('documents() keeps every byte of %s, cut or changed', async (_name, path) => {
    const format = (await detectFormat(path))?.format
    if (format === undefined) return
    const whole = await readFile(path)
    const copy = join(await temporaryDirectory(), basename(path))
    const numRuns = (await stat(path)).size > 200_000 ? 1 : 3
    await assert(
      asyncProperty(nat(), nat(), nat({ max: 254 }), async (cut, at, change) => {
        const truncated = whole.subarray(0, cut % (whole.length + 1))
        const flipped = Buffer.from(whole)
        if (flipped.length > 0) flipped[at % flipped.length] = ((flipped[at % flipped.length] ?? 0) + 1 + change) % 256
        for (const bytes of [truncated, flipped]) {
          await writeFile(copy, bytes)
          expect((await readOne(copy, format)).bytes.equals(bytes)).toBe(true)
        }
      }),
      { numRuns },
    )
  })

  const database = named.find(([name]) => name.endsWith('openclaw-agent.sqlite'))?.[1]
  it.skipIf(database === undefined)(
    'openclawSqlite refuses a damaged database by name, or reads it',
    { timeout: 60_000 },
    async () => {
      const whole = await readFile(database ?? '')
      const copy = join(await temporaryDirectory(), 'openclaw-agent.sqlite')
      const refused: unknown[] = []
      await assert(
        asyncProperty(nat(), nat({ max: 254 }), async (cut, change) => {
          const flipped = Buffer.from(whole)
          // Damage in the first pages hits the schema, which is where SQLite notices it.
          const at = cut % (change % 2 === 0 ? 8_192 : whole.length)
          flipped[at] = ((flipped[at] ?? 0) + 1 + change) % 256
          for (const bytes of [whole.subarray(0, cut % whole.length), flipped]) {
            await writeFile(copy, bytes)
            const error = await readTranscript(copy, openclawSqlite).then(
              () => undefined,
              (thrown: unknown) => thrown,
            )
            if (error !== undefined) refused.push(error)
          }
        }),
        { numRuns: 12 },
      )
      expect(refused.length).toBeGreaterThan(0)
      for (const error of refused) {
        expect(error).toBeInstanceOf(InputError)
        expect(String(error)).toContain(copy)
      }
    },
  )
})
