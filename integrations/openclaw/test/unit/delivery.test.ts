import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, expect, test } from 'vitest'

import { Delivery } from '../../src/delivery.ts'
import { Spool } from '../../src/spool.ts'

const directory = mkdtempSync(join(tmpdir(), 'verbatim-delivery-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** An importer that is ended before it can say what it took, wherever it is given more than two files. */
const importer = `
import { appendFileSync } from 'node:fs'
const paths = process.argv.slice(2).filter((arg) => arg.endsWith('.jsonl'))
appendFileSync(process.env.CALLS, paths.length + '\\n')
if (paths.length > 2) process.exit(1)
console.log(JSON.stringify(paths.map((path) => ({ path, status: 'imported' }))))
`

test('takes less at once where an import ends without a word, and more again when it does not', async () => {
  const program = join(directory, 'importer.mjs')
  const calls = join(directory, 'calls')
  writeFileSync(program, importer)
  writeFileSync(calls, '')
  const spool = new Spool(join(directory, 'spool'), { bytesMax: 1_000_000 })
  for (let at = 0; at < 9; at++) await spool.write({ agentId: 'main', lines: [Buffer.from(`{"row":${at}}`)] })
  const delivery = new Delivery({
    spool,
    command: [process.execPath, program],
    env: { ...process.env, CALLS: calls },
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    pauseMs: { first: 10, longest: 20 },
  })
  delivery.wake()
  await expect.poll(() => spool.list(), { timeout: 30_000 }).toEqual([])
  delivery.close()
  expect(readFileSync(calls, 'utf8').trim().split('\n').map(Number).slice(0, 5)).toEqual([9, 5, 3, 2, 4])
})
