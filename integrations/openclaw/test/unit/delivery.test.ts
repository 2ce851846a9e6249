import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, onTestFinished, test } from 'vitest'

import { Delivery } from '../../src/delivery.ts'
import { Spool } from '../../src/spool.ts'

/** Delivers some segments with an importer that is a script; `calls` are the numbers of files that it was given each time. */
async function deliver(script: string, rows: readonly string[]) {
  const directory = mkdtempSync(join(tmpdir(), 'verbatim-delivery-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const program = join(directory, 'importer.mjs')
  const calls = join(directory, 'calls')
  writeFileSync(program, script)
  writeFileSync(calls, '')
  const spool = new Spool(join(directory, 'spool'), { bytesMax: 1_000_000 })
  for (const row of rows) await spool.write({ agentId: 'main', lines: [Buffer.from(row)] })
  const errors: string[] = []
  const delivery = new Delivery({
    spool,
    command: [process.execPath, program],
    env: { ...process.env, CALLS: calls },
    log: { info: () => undefined, warn: () => undefined, error: (message) => void errors.push(message) },
    pauseMs: { first: 5, longest: 10 },
  })
  onTestFinished(() => delivery.close())
  delivery.wake()
  await expect.poll(() => spool.list(), { timeout: 50_000 }).toEqual([])
  return { calls: readFileSync(calls, 'utf8').trim().split('\n').map(Number), errors }
}

const start = `
import { appendFileSync, readFileSync } from 'node:fs'
const paths = process.argv.slice(2).filter((arg) => arg.endsWith('.jsonl'))
appendFileSync(process.env.CALLS, paths.length + '\\n')
`
const end = `
console.log(JSON.stringify(paths.map((path) => ({ path, status: 'imported' }))))
`

test('takes less at once where an import ends without a word, and more again when it does not', async () => {
  const { calls, errors } = await deliver(
    `${start} if (paths.length > 2) process.exit(1) ${end}`,
    Array.from({ length: 9 }, (_, at) => `{"row":${at}}`),
  )
  expect(calls.slice(0, 5)).toEqual([9, 5, 3, 2, 4])
  expect(errors).toEqual([])
})

test('puts aside the one segment that ends its importer each time, and sends the others', async () => {
  const { calls, errors } = await deliver(
    `${start} if (paths.some((path) => readFileSync(path, 'utf8').includes('heavy'))) process.kill(process.pid, 'SIGKILL') ${end}`,
    ['{"row":"heavy"}', '{"row":"light"}'],
  )
  expect(calls.length).toBeGreaterThan(20)
  expect(errors).toHaveLength(1)
  expect(errors[0]).toMatch(/refuses rows.*\.rejected$/u)
})
